/** A file engine over a simulated disk, driven by a fixed workload whose history is recorded. */
import { HubError } from '../../core/errors';
import { openFileEngine } from '../../hub/engine/file';
import type { OpenedEngine } from '../../hub/engine/log-engine';
import type { Command } from '../../hub/state/commands';
import { entry, publish, record } from './entries';
import type { LoggedLine, Operation, Told } from './history';
import { Dead, type SimulatedDisk } from './simulated-disk';

export const FOLDER = '/srv/hub-data';

/** Lets a dead process's promise chains, all of microtasks, run dry. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export interface Opened extends OpenedEngine {
  /** As if nothing had arrived for a while. */
  readonly idle: () => Promise<void>;
}

export class SimulatedHub {
  readonly operations: Operation[] = [];
  readonly warnings: string[] = [];
  private clock = 0;
  private hub: Opened | undefined;

  constructor(readonly disk: SimulatedDisk) {}

  async open(): Promise<Opened> {
    let timer: (() => void) | undefined;
    const opened = await openFileEngine({
      folder: FOLDER,
      disk: this.disk,
      now: () => 1_769_850_000_000 + this.clock,
      later: (run) => {
        timer = run;
        return () => (timer = undefined);
      },
      warn: (message) => this.warnings.push(message),
    });
    const idle = async (): Promise<void> => {
      timer?.();
      await turn();
    };
    return (this.hub = { ...opened, idle });
  }

  get opened(): Opened {
    if (this.hub === undefined) throw new Error('the hub is not open');
    return this.hub;
  }

  /** @returns what was told; throws only when the process is dead */
  async publish(client: string, ...ids: readonly string[]): Promise<readonly Told[]> {
    const invoked = this.clock++;
    const entries = ids.map((id) => entry(id, { content: contentOf(id), client }));
    const told = await this.propose(publish(...entries));
    const completed = this.clock++;
    const each: Told[] = ids.map((_, i) => told[i] ?? { kind: 'unknown' });
    ids.forEach((id, i) =>
      this.operations.push({ client, id, invoked, completed, told: each[i] ?? { kind: 'unknown' } }),
    );
    return each;
  }

  private async propose(command: Command): Promise<readonly Told[]> {
    try {
      const result = await this.opened.engine.propose(command);
      if (result.kind !== 'published') throw new Error(`a publish was answered with ${result.kind}`);
      return result.entries.map((each) =>
        each.kind === 'refused' ? { kind: 'refused', code: each.error.code } : { kind: 'ok', sequence: each.sequence },
      );
    } catch (error) {
      if (error instanceof Dead) return [];
      if (!(error instanceof HubError)) throw error;
      return command.kind !== 'publish' || error.outcome === 'unknown'
        ? []
        : command.entries.map(() => ({ kind: 'refused', code: error.code }));
    }
  }

  /** @returns whether it was told to be done */
  async change(command: Command): Promise<boolean> {
    try {
      await this.opened.engine.propose(command);
      return true;
    } catch (error) {
      if (error instanceof HubError || error instanceof Dead) return false;
      throw error;
    }
  }

  async log(): Promise<readonly LoggedLine[]> {
    const { reader } = this.opened;
    const lines: LoggedLine[] = [];
    let after = 0;
    for (;;) {
      const page = await reader.readAfter(after, 64 * 1024);
      if (page.length === 0) return lines;
      for (const { sequence, bytes } of page) {
        const text = Buffer.from(bytes).toString('utf8');
        lines.push({ sequence, id: (JSON.parse(text) as { id: string }).id, text });
        after = sequence;
      }
    }
  }
}

/** Sizes from one sector's part to several sectors. */
export function contentOf(id: string): string {
  const size = 20 + (Number(/\d+$/.exec(id)?.[0] ?? '0') % 7) * 250;
  return `Title of ${id}\n\n${'words '.repeat(size / 6)}end`;
}

export const clientRecord = record;
