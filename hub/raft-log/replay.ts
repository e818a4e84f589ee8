/** What a Raft log's records add up to, read in their order: pure, no disk. */
import * as z from 'zod';
import { HubError } from '../../core/errors';
import { LOG_START, type Entry, type HardState, type LogPosition } from '../raft/entry';
import { decodeEntry } from './entry-codec';
import type { LogRecord } from './record';

export interface Recovered {
  readonly hardState: HardState;
  /** The entries follow this position. */
  readonly base: LogPosition;
  readonly entries: readonly Entry[];
}

const position = z.object({ term: z.int().min(0), index: z.int().min(0) });
const hardStateSchema = z.object({ term: z.int().min(0), vote: z.int().min(0), commit: z.int().min(0) });

export const encodeJson = (value: HardState | LogPosition): Uint8Array => Buffer.from(JSON.stringify(value));
const decodeJson = <T>(schema: z.ZodType<T>, payload: Uint8Array): T =>
  schema.parse(JSON.parse(Buffer.from(payload).toString('utf8')));

/** @param what is damaged or missing, in words */
export function unreadable(what: string): HubError {
  return new HubError(
    'bad_data',
    `${what}: what was promised to the cluster is not readable any more. Nothing was changed. ` +
      'Remove this node (ctx hub peer remove), empty its data directory and add it again (ctx hub peer add).',
  );
}

export class Replay {
  private hardState: HardState = { term: 0, vote: 0, commit: 0 };
  private base: LogPosition = LOG_START;
  private entries: Entry[] = [];

  get lastIndex(): number {
    return this.entries.at(-1)?.index ?? this.base.index;
  }

  add({ type, payload }: LogRecord): void {
    switch (type) {
      case 'header':
        break;
      case 'hard-state':
        this.hardState = decodeJson(hardStateSchema, payload);
        break;
      case 'entry':
        this.addEntry(decodeEntry(payload));
        break;
      case 'base':
        // Segments before it may be gone or not, so entries up to it may be there or not.
        this.base = decodeJson(position, payload);
        this.entries = this.entries.filter(({ index }) => index > this.base.index);
        break;
      case 'restore':
        this.base = decodeJson(position, payload);
        this.entries = [];
        break;
    }
  }

  /** An entry replaces the one at its index and all above: that is how a log is cut (thesis §3.5). */
  private addEntry(entry: Entry): void {
    const first = this.entries[0]?.index ?? entry.index;
    this.entries.length = Math.max(0, Math.min(this.entries.length, entry.index - first));
    this.entries.push(entry);
  }

  /** @throws HubError `bad_data` when entries are missing that stood before others, or that were committed */
  result(folder: string): Recovered {
    const { base, entries } = this;
    const commit = Math.max(base.index, this.hardState.commit);
    const last = Math.max(commit, this.lastIndex);
    for (let index = base.index + 1; index <= last; index += 1) {
      if (entries[index - base.index - 1]?.index === index) continue;
      throw unreadable(`The Raft log in ${folder} lacks entry ${index}`);
    }
    return { hardState: { ...this.hardState, commit }, base, entries };
  }
}
