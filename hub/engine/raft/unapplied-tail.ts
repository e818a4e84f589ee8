/**
 * Entries that are in this node's Raft log and not applied: the majority may decide otherwise, and what a write takes from them has to be
 * kept before (FM-32).
 */
import type { Entry, Snapshot } from '../../raft/entry';

/** What of a write decides which entries go. */
export interface Replacing {
  readonly snapshot: Snapshot | undefined;
  readonly entries: readonly Entry[];
}

/** A snapshot takes the place of the whole log; entries that of all from the first of them on. */
const firstReplaced = ({ snapshot, entries }: Replacing): number =>
  snapshot === undefined ? (entries[0]?.index ?? Infinity) : 0;

export class UnappliedTail {
  private tail: Entry[];

  constructor(recovered: readonly Entry[], applied: number) {
    this.tail = recovered.filter(({ index }) => index > applied);
  }

  /** What this write would take away. */
  lostTo(write: Replacing): readonly Entry[] {
    const first = firstReplaced(write);
    return this.tail.filter(({ index }) => index >= first);
  }

  /** The write was done. */
  wrote(write: Replacing, applied: number): void {
    const first = firstReplaced(write);
    this.tail = this.tail.filter(({ index }) => index < first);
    for (const entry of write.entries) if (entry.index > applied) this.tail.push(entry);
  }

  applied(index: number): void {
    while (this.tail[0] !== undefined && this.tail[0].index <= index) this.tail.shift();
  }
}
