/**
 * A simulated disk with one journal per server. Records are durable, cached or in flight; a kill keeps the cache, a power cut
 * loses, tears or keeps what was not synced; a rename is lost unless the folder was synced.
 */
import { EMPTY_CONFIGURATION } from '../../hub/raft/configuration';
import { LOG_START, type Entry, type HardState, type Snapshot } from '../../hub/raft/entry';
import type { Random } from './random';

export type DiskRecord =
  | { readonly kind: 'hard-state'; readonly hardState: HardState }
  | { readonly kind: 'truncate'; readonly from: number }
  | { readonly kind: 'entry'; readonly entry: Entry }
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot }
  /** Torn or filled with zeros: its checksum does not fit. */
  | { readonly kind: 'garbage' };

export interface DiskState {
  readonly hardState: HardState;
  readonly snapshot: Snapshot;
  readonly entries: readonly Entry[];
  /** Records that were good. */
  readonly valid: number;
}

export const NO_SNAPSHOT: Snapshot = { ...LOG_START, configuration: EMPTY_CONFIGURATION, data: new Uint8Array() };

/** What a server finds: everything up to the first record that is not whole. */
export function replay(records: readonly DiskRecord[], count = records.length): DiskState {
  let hardState: HardState = { term: 0, vote: 0, commit: 0 };
  let snapshot = NO_SNAPSHOT;
  const entries: Entry[] = [];
  let valid = 0;
  for (; valid < count; valid += 1) {
    const record = records[valid];
    if (record === undefined || record.kind === 'garbage') break;
    if (record.kind === 'hard-state') hardState = record.hardState;
    else if (record.kind === 'snapshot') {
      snapshot = record.snapshot;
      entries.length = 0;
    } else if (record.kind === 'truncate') entries.length = Math.max(0, record.from - snapshot.index - 1);
    else if (record.entry.index === snapshot.index + entries.length + 1) entries.push(record.entry);
  }
  const commit = Math.max(hardState.commit, snapshot.index);
  return { hardState: { ...hardState, commit }, snapshot, entries, valid };
}

class JournalFile {
  /** The first this many records survive a power cut. */
  durable = 0;
  /** What the durable records add up to, as far as they were read: reading them anew each time costs most of a long run. */
  private state: DiskState | undefined;
  private read = 0;
  constructor(readonly records: DiskRecord[]) {}

  durableState(): DiskState {
    if (this.state === undefined || this.read !== this.durable) this.state = replay(this.records, this.durable);
    this.read = this.durable;
    return this.state;
  }

  /** Records were taken away: others may take their places. */
  cut(length: number): void {
    this.records.length = Math.min(length, this.records.length);
    this.durable = Math.min(this.durable, this.records.length);
    this.state = undefined;
  }
}

export class SimulatedDisk {
  private current = new JournalFile([]);
  /** What the folder holds after a power cut. */
  private linked = this.current;

  get records(): readonly DiskRecord[] {
    return this.current.records;
  }

  get length(): number {
    return this.current.records.length;
  }

  /** What a power cut would leave at the least. */
  durableState(): DiskState {
    return this.linked.durableState();
  }

  write(records: readonly DiskRecord[]): void {
    this.current.records.push(...records);
  }

  /** The process ended in the middle of a write: some of it is in the cache, the last of that perhaps torn. */
  writePart(records: readonly DiskRecord[], random: Random): void {
    const whole = random.between(0, records.length);
    this.write(records.slice(0, whole));
    if (whole < records.length && random.chance(0.5)) this.write([{ kind: 'garbage' }]);
  }

  /** Everything up to `length` is durable now; a sync also makes the file's new length durable. */
  sync(length = this.length): void {
    this.current.durable = Math.max(this.current.durable, length);
  }

  /** A sync failed: what was not synced is gone, although a process that goes on does not notice. */
  loseUnsynced(goesOn: boolean): void {
    const { records, durable } = this.current;
    if (goesOn) for (let at = durable; at < records.length; at += 1) records[at] = { kind: 'garbage' };
    else this.cut(durable);
  }

  cut(length: number): void {
    this.current.cut(length);
  }

  /** A whole new file takes the place of the old one; without `syncFolder` a power cut brings the old one back. */
  replace(records: readonly DiskRecord[]): void {
    this.current = new JournalFile([...records]);
    this.current.durable = records.length;
  }

  syncFolder(): void {
    this.linked = this.current;
  }

  powerCut(random: Random): void {
    if (random.chance(0.5)) this.current = this.linked;
    else this.linked = this.current;
    const { records, durable } = this.current;
    const kept = random.between(durable, records.length);
    const torn = kept < records.length && random.chance(0.5);
    this.current.cut(kept);
    if (torn) records.push({ kind: 'garbage' });
    this.current.durable = Math.min(durable, records.length);
    this.linked = this.current;
  }
}
