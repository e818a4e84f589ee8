/** What an engine must offer to be put through the conformance suite: opened, crashed, made to fail, and its log read back. */
import type { ClientDirectory } from '../../../hub/engine/log-engine';
import type { LogEngine } from '../../../hub/engine/log-engine';
import type { LogReader } from '../../../hub/store/log-reader';
import type { NodeLog } from '../../support/history';

export interface OpenedLab {
  readonly engine: LogEngine;
  readonly reader: LogReader;
  readonly clients: ClientDirectory;
}

/** Faults of the disk under the engine (of a majority's disks, in a cluster). */
export interface LabFaults {
  readonly fillDisk: () => void;
  readonly freeSpace: () => void;
  /** The next append is written, and then its fsync fails. */
  readonly failNextSync: () => void;
}

/** One hub's data, or one cluster's. */
export interface EngineLab {
  /** Opens what is there: new, cleanly closed, or crashed. */
  readonly open: () => Promise<OpenedLab>;
  /** The power goes now: what is not on disk is lost, and nothing more is heard of promises under way. */
  readonly crash: () => Promise<void>;
  /** The log of each node as its file has it, while nothing is open. */
  readonly logs: () => Promise<readonly NodeLog[]>;
  /** Absent where the disk cannot be made to fail. */
  readonly faults?: LabFaults;
  readonly dispose: () => Promise<void>;
}

export type MakeLab = () => Promise<EngineLab>;
