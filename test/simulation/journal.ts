/** The simulated driver's writing half: one write at a time into the journal, with the faults a disk can have. */
import type { Entry, HardState, Snapshot } from '../../hub/raft/entry';
import type { Persist } from '../../hub/raft/output';
import type { DriverBug } from './bugs';
import { replay, type DiskRecord, type SimulatedDisk } from './disk';
import type { Random } from './random';

const FULL_DISK_RETRY_MS = 150;
const SLOW_FACTOR = 300;

export interface JournalHost {
  readonly later: (ms: number, run: () => void) => void;
  readonly random: Random;
  readonly bugs: ReadonlySet<DriverBug>;
  /** A sync failed: nothing on this disk can be trusted until it is read again. */
  readonly syncFailed: () => void;
  readonly counted: (fault: string) => void;
  /** These were in the log and are not any more. */
  readonly cut: (entries: readonly Entry[]) => void;
}

export class Journal {
  private readonly queue: (() => void)[] = [];
  private busy = false;
  private inFlight: readonly DiskRecord[] | undefined;
  private withheld: DiskRecord[] = [];
  private lastIndex: number;
  private commit: number;
  full = false;
  slow = false;
  nextSyncFails = false;
  /** Directed scenarios: each sync takes this much longer. */
  delaySyncMs = 0;

  constructor(
    private readonly disk: SimulatedDisk,
    private readonly host: JournalHost,
  ) {
    const { hardState, snapshot, entries } = replay(disk.records);
    this.lastIndex = snapshot.index + entries.length;
    this.commit = hardState.commit;
  }

  persist(write: Persist, done: () => void): void {
    this.enqueue(() => this.append(this.recordsOf(write), this.mustSync(write), done));
  }

  /** Replaces the journal by a snapshot and what follows it. */
  compact(snapshot: Snapshot, done: () => void): void {
    this.enqueue(() => {
      this.host.later(this.host.random.between(1, 4), () => this.rename(snapshot, done));
    });
  }

  /** The process is killed: what it was writing is written in part. */
  abandon(): void {
    const { inFlight } = this;
    if (inFlight !== undefined) this.watched(inFlight, () => this.disk.writePart(inFlight, this.host.random));
    this.inFlight = undefined;
  }

  private enqueue(run: () => void): void {
    this.queue.push(run);
    if (!this.busy) this.next();
  }

  private next(): void {
    const run = this.queue.shift();
    this.busy = run !== undefined;
    run?.();
  }

  private finish(done: () => void): void {
    done();
    this.next();
  }

  private has(bug: DriverBug): boolean {
    return this.host.bugs.has(bug);
  }

  private mustSync({ mustSync, entries, snapshot }: Persist): boolean {
    if (this.has('never-syncs')) return false;
    return this.has('syncs-entries-only') ? entries.length > 0 || snapshot !== undefined : mustSync;
  }

  private recordsOf({ hardState, snapshot, entries, mustSync }: Persist): DiskRecord[] {
    const records: DiskRecord[] = this.withheld;
    this.withheld = [];
    const first = entries[0]?.index ?? Infinity;
    const add = (commit: number): void => {
      if (hardState !== undefined) this.addHardState(records, { ...hardState, commit }, mustSync, entries.length > 0);
    };
    // The term before the entries that came with it, the commit index behind what it counts: see the Raft log on disk.
    const commit = hardState?.commit ?? this.commit;
    const kept = snapshot === undefined ? first - 1 : this.commit;
    const early = this.has('commits-before-writing') ? commit : Math.min(commit, kept);
    add(early);
    if (snapshot !== undefined) {
      records.push({ kind: 'snapshot', snapshot });
      this.lastIndex = snapshot.index;
    }
    if (first <= this.lastIndex) records.push({ kind: 'truncate', from: first });
    for (const entry of entries) records.push({ kind: 'entry', entry });
    if (early < commit) add(commit);
    this.commit = commit;
    this.lastIndex = entries.at(-1)?.index ?? this.lastIndex;
    return records;
  }

  private addHardState(records: DiskRecord[], hardState: HardState, promised: boolean, withEntries: boolean): void {
    const record: DiskRecord = { kind: 'hard-state', hardState };
    if (this.has('reorders-hard-states') && !promised) {
      this.host.later(this.host.random.between(0, 400), () => this.disk.write([record]));
    } else if (this.has('term-written-later') && withEntries) {
      this.withheld.push(record);
    } else records.push(record);
  }

  private append(records: DiskRecord[], sync: boolean, done: () => void): void {
    const { random, later } = this.host;
    if (this.full) {
      this.fillDisk(records, sync, done);
      return;
    }
    this.inFlight = records;
    later(random.between(0, 2), () => {
      this.inFlight = undefined;
      this.watched(records, () => this.disk.write(records));
      if (sync) this.sync(done);
      else this.finish(done);
    });
  }

  private watched(records: readonly DiskRecord[], write: () => void): void {
    const cuts = records.some(({ kind }) => kind === 'truncate' || kind === 'snapshot');
    const before = cuts ? replay(this.disk.records).entries : [];
    write();
    if (before.length === 0) return;
    const after = new Map(replay(this.disk.records).entries.map((entry) => [entry.index, entry.term]));
    this.host.cut(before.filter(({ index, term }) => after.get(index) !== term));
  }

  /** A short write first, then an error; the part is cut off again and the whole is tried once more. */
  private fillDisk(records: DiskRecord[], sync: boolean, done: () => void): void {
    this.host.counted('full disk');
    const before = this.disk.length;
    this.disk.writePart(records, this.host.random);
    this.disk.cut(before);
    const forgetful = this.has('full-disk-forgets-truncation');
    const again = forgetful ? records.filter(({ kind }) => kind !== 'truncate') : records;
    this.host.later(FULL_DISK_RETRY_MS, () => this.append(again, sync, done));
  }

  private sync(done: () => void): void {
    const { length } = this.disk;
    const ms = this.host.random.between(1, 4) * (this.slow ? this.host.random.between(1, SLOW_FACTOR) : 1);
    this.host.later(ms + this.delaySyncMs, () => {
      if (!this.nextSyncFails) {
        this.disk.sync(length);
        this.finish(done);
        return;
      }
      this.nextSyncFails = false;
      this.host.counted('sync error');
      this.disk.loseUnsynced(this.has('ignores-sync-errors'));
      if (this.has('ignores-sync-errors')) this.finish(done);
      else this.host.syncFailed();
    });
  }

  private rename(snapshot: Snapshot, done: () => void): void {
    const { hardState, entries } = replay(this.disk.records);
    const kept = entries
      .filter(({ index }) => index > snapshot.index)
      .map((entry): DiskRecord => ({ kind: 'entry', entry }));
    const base: DiskRecord[] = this.has('compacts-without-snapshot') ? [] : [{ kind: 'snapshot', snapshot }];
    this.disk.replace([...base, { kind: 'hard-state', hardState }, ...kept]);
    this.host.counted('compaction');
    this.host.later(1, () => {
      if (!this.has('no-folder-sync')) this.disk.syncFolder();
      this.finish(done);
    });
  }
}
