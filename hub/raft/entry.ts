/** What the replicated log is made of: entries, their positions, snapshots, and what a server must remember. */
import type { Configuration, ConfigurationChange } from './configuration';

/** Servers are numbered from 1. */
export type NodeId = number;
/** Stands where no server is meant: no vote cast, no leader known. */
export const NOBODY: NodeId = 0;

/** Log indexes start at 1; 0 is the position before the first entry (thesis §3.5). */
export interface LogPosition {
  readonly term: number;
  readonly index: number;
}

export const LOG_START: LogPosition = { term: 0, index: 0 };

export type EntryContent =
  /** What a leader writes first in its term (thesis §6.4, step 1), and what a refused change becomes. */
  | { readonly kind: 'no-op' }
  | { readonly kind: 'data'; readonly data: Uint8Array }
  | { readonly kind: 'configuration'; readonly change: ConfigurationChange };

export type Entry = LogPosition & EntryContent;

/** Everything a state machine needs instead of the entries up to and including `index` (thesis §5). */
export interface Snapshot extends LogPosition {
  readonly configuration: Configuration;
  readonly data: Uint8Array;
}

/** What a server must find again after a restart (thesis figure 3.1, "persistent state"); `commit` only saves time. */
export interface HardState {
  readonly term: number;
  readonly vote: NodeId;
  readonly commit: number;
}

/** What an entry costs on the wire besides its payload; a round figure, for limits only. */
const ENTRY_OVERHEAD_BYTES = 32;
const CHANGE_BYTES = 16;

/** Bytes a proposer brought in; a no-op costs nothing, so that a leader can always begin its term. */
export function payloadBytes(entry: EntryContent): number {
  switch (entry.kind) {
    case 'no-op':
      return 0;
    case 'data':
      return entry.data.length;
    case 'configuration':
      return entry.change.changes.length * CHANGE_BYTES + (entry.change.context?.length ?? 0);
  }
}

export function payloadBytesOf(entries: readonly EntryContent[]): number {
  return entries.reduce((sum, entry) => sum + payloadBytes(entry), 0);
}

/** Entries [from, end) of a list as far as they fit in `maxBytes`, but at least one: a large one must not stop everything. */
export function limitBytes(entries: readonly Entry[], from: number, end: number, maxBytes: number): readonly Entry[] {
  let bytes = 0;
  for (let at = from; at < end; at += 1) {
    const entry = entries[at];
    if (entry === undefined) break;
    bytes += payloadBytes(entry) + ENTRY_OVERHEAD_BYTES;
    if (at > from && bytes > maxBytes) return entries.slice(from, at);
  }
  return entries.slice(from, end);
}

/** Whether `log` ends at least as late as `other`: the later term wins, then the longer log (thesis §3.6.1). */
export function isUpToDate(log: LogPosition, other: LogPosition): boolean {
  return log.term > other.term || (log.term === other.term && log.index >= other.index);
}
