/** What a running hub is made of, as its server sees it: the log's engine, its reader, and who may connect. */
import type { ClientDirectory } from './engine/file';
import type { ClusterParts } from './engine/raft/open';
import type { LogEngine } from './engine/log-engine';
import type { LogReader } from './store/log-reader';
import type { Watermark } from './store/meta';

export type { ClientDirectory };

export interface HubParts {
  readonly engine: LogEngine;
  readonly reader: LogReader;
  readonly clients: ClientDirectory;
  /** What is wrong with engine or store, in words for the operator. */
  readonly problems: () => readonly string[];
  /** Looks whether the log is still in its place; what is wrong is among the problems from then on. */
  readonly lookAfter?: () => Promise<void>;
  /** End of the log on disk; what lies before it never changes. */
  readonly durableEnd: () => Watermark;
  /** Of a node of a cluster. */
  readonly cluster?: ClusterParts;
}
