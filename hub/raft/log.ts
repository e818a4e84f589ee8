/**
 * The log in memory (thesis §3.5): entries above the last snapshot, how far they are durable, committed and applied. The
 * disk follows it, one write at a time; it never reads the disk.
 */
import { isUpToDate, limitBytes, LOG_START, type Entry, type LogPosition, type Snapshot } from './entry';
import { invariant } from './invariant';

/** What one write to the disk holds; entries at or above the first index are replaced by these. */
export interface UnstablePart {
  readonly snapshot: Snapshot | undefined;
  readonly entries: readonly Entry[];
}

export class RaftLog {
  private entries: Entry[];
  /** What was compacted away ends here. */
  private base: LogPosition;
  /** Everything up to here is durable. */
  private stableIndex: number;
  private committedIndex: number;
  /** Handed out for applying, up to here. */
  private applyingIndex: number;
  private appliedIndex: number;
  /** Received, not durable yet. */
  private pendingSnapshot: Snapshot | undefined;
  private writing: { readonly last: LogPosition | undefined; readonly snapshot: Snapshot | undefined } | undefined;

  /** As found on the disk: entries follow `base` without a gap. */
  constructor(base: LogPosition = LOG_START, entries: readonly Entry[] = [], committed = base.index) {
    this.base = base;
    this.entries = [...entries];
    this.stableIndex = this.lastIndex;
    this.committedIndex = Math.max(committed, base.index);
    this.applyingIndex = base.index;
    this.appliedIndex = base.index;
    invariant(
      entries.every((entry, at) => entry.index === base.index + 1 + at),
      () => `log entries do not follow index ${base.index} without a gap`,
    );
    invariant(this.committedIndex <= this.lastIndex, () => `commit index ${committed} is beyond the log's end`);
  }

  get firstIndex(): number {
    return this.base.index + 1;
  }

  get lastIndex(): number {
    return this.base.index + this.entries.length;
  }

  get last(): LogPosition {
    const last = this.entries.at(-1);
    return last === undefined ? this.base : { term: last.term, index: last.index };
  }

  get stable(): number {
    return this.stableIndex;
  }

  get committed(): number {
    return this.committedIndex;
  }

  get applied(): number {
    return this.appliedIndex;
  }

  /** A snapshot was received and is not durable yet. */
  get snapshotPending(): boolean {
    return this.pendingSnapshot !== undefined;
  }

  /** `undefined` = compacted away, or beyond the end. */
  termAt(index: number): number | undefined {
    return index === this.base.index ? this.base.term : this.entries[index - this.firstIndex]?.term;
  }

  /** Same index and term means the same log up to there (Log Matching Property, thesis §3.5). */
  matches(position: LogPosition): boolean {
    return this.termAt(position.index) === position.term;
  }

  /** Whether a candidate whose log ends at `candidate` may have this server's vote (thesis §3.6.1). */
  allowsCandidate(candidate: LogPosition): boolean {
    return isUpToDate(candidate, this.last);
  }

  /** Entries from `from` up to and including `through`; `undefined` if some were compacted away. */
  slice(from: number, through: number, maxBytes: number): readonly Entry[] | undefined {
    if (from < this.firstIndex) return undefined;
    return limitBytes(this.entries, from - this.firstIndex, through - this.firstIndex + 1, maxBytes);
  }

  /** A leader only ever appends to its own log (Leader Append-Only, thesis figure 3.2). */
  append(entries: readonly Entry[]): void {
    for (const entry of entries) {
      invariant(entry.index === this.lastIndex + 1, () => `entry ${entry.index} does not follow ${this.lastIndex}`);
      this.entries.push(entry);
    }
  }

  /**
   * A follower's side of an append: the entries count only if the log holds `previous` (thesis §3.5). Returns the last
   * index known to match the leader, `undefined` if the consistency check failed.
   */
  tryAppend(previous: LogPosition, entries: readonly Entry[]): number | undefined {
    if (!this.matches(previous)) return undefined;
    // Only a conflict truncates: a stale append must not cut off what a later one added (thesis §3.5).
    const firstNew = entries.findIndex((entry) => !this.matches(entry));
    if (firstNew !== -1) this.replaceFrom(entries.slice(firstNew));
    return previous.index + entries.length;
  }

  private replaceFrom(entries: readonly Entry[]): void {
    const from = entries[0]?.index ?? this.lastIndex + 1;
    invariant(from > this.committedIndex, () => `entry ${from} conflicts with one committed at ${this.committedIndex}`);
    this.entries.length = from - this.firstIndex;
    this.stableIndex = Math.min(this.stableIndex, from - 1);
    this.append(entries);
  }

  /**
   * The highest position at or below `index` whose term is at most `term`: nothing between can match a log that has `term`
   * there, so a refused append can skip whole terms at once (thesis §3.5, end). Term 0 = unknown, compacted away.
   */
  lastAtOrBelow(index: number, term: number): LogPosition {
    for (let at = index; at > 0; at -= 1) {
      const own = this.termAt(at);
      if (own === undefined) return { term: 0, index: at };
      if (own <= term) return { term: own, index: at };
    }
    return LOG_START;
  }

  /** Never goes back; beyond the end is a bug of whoever asks. */
  commitTo(index: number): boolean {
    if (index <= this.committedIndex) return false;
    invariant(index <= this.lastIndex, () => `commit index ${index} is beyond the log's end ${this.lastIndex}`);
    this.committedIndex = index;
    return true;
  }

  /** The snapshot replaces the whole log (thesis §5.3). */
  restore(snapshot: Snapshot): void {
    invariant(snapshot.index > this.committedIndex, () => `snapshot ${snapshot.index} is older than what is committed`);
    this.base = { term: snapshot.term, index: snapshot.index };
    this.entries = [];
    this.stableIndex = snapshot.index;
    this.committedIndex = snapshot.index;
    this.pendingSnapshot = snapshot;
  }

  /** Forgets entries up to and including `index`, which must be durable and applied (thesis §5.1). */
  compact(index: number): void {
    const term = this.termAt(index);
    const allowed = Math.min(this.appliedIndex, this.stableIndex);
    if (index <= this.base.index) return;
    invariant(term !== undefined && index <= allowed, () => `cannot compact ${index}: only ${allowed} is applied`);
    this.entries.splice(0, index - this.base.index);
    this.base = { term, index };
  }

  get hasUnstable(): boolean {
    return this.pendingSnapshot !== undefined || this.stableIndex < this.lastIndex;
  }

  /** What the disk lacks. Counts as being written until `finishWrite`; there is only one write at a time. */
  startWrite(): UnstablePart {
    invariant(this.writing === undefined, () => 'a write is already under way');
    const entries = this.entries.slice(this.stableIndex + 1 - this.firstIndex);
    const last = entries.at(-1);
    this.writing = { last, snapshot: this.pendingSnapshot };
    return { snapshot: this.pendingSnapshot, entries };
  }

  /** The write is durable. Entries that were replaced meanwhile stay unstable. Returns the snapshot that is in force now. */
  finishWrite(): Snapshot | undefined {
    const { writing } = this;
    invariant(writing !== undefined, () => 'no write is under way');
    this.writing = undefined;
    const installed = writing.snapshot === this.pendingSnapshot ? writing.snapshot : undefined;
    if (installed !== undefined) {
      this.pendingSnapshot = undefined;
      this.applyingIndex = Math.max(this.applyingIndex, installed.index);
      this.appliedIndex = Math.max(this.appliedIndex, installed.index);
    }
    // Same index and term: same entries below, so what is on the disk is what is in memory (Log Matching Property).
    const { last } = writing;
    if (last !== undefined && last.index > this.stableIndex && this.matches(last)) this.stableIndex = last.index;
    return installed;
  }

  /** Committed entries not handed out yet, up to `through`. None while a snapshot waits to become durable. */
  nextToApply(through: number, maxBytes: number): readonly Entry[] {
    const to = Math.min(this.committedIndex, through);
    if (this.pendingSnapshot !== undefined || to <= this.applyingIndex) return [];
    return this.slice(this.applyingIndex + 1, to, maxBytes) ?? [];
  }

  handedOut(index: number): void {
    this.applyingIndex = Math.max(this.applyingIndex, index);
  }

  appliedTo(index: number): void {
    invariant(index <= this.committedIndex, () => `applied ${index} before it was committed`);
    this.appliedIndex = Math.max(this.appliedIndex, index);
    this.applyingIndex = Math.max(this.applyingIndex, index);
  }

  /** Entries committed and not applied yet. */
  unapplied(): readonly Entry[] {
    return this.slice(Math.max(this.appliedIndex + 1, this.firstIndex), this.committedIndex, Infinity) ?? [];
  }

  /** Entries not committed yet. */
  uncommitted(): readonly Entry[] {
    return this.slice(Math.max(this.committedIndex + 1, this.firstIndex), this.lastIndex, Infinity) ?? [];
  }
}
