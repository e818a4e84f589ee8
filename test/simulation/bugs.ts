/** Bugs that can be switched on in the simulated driver and disk: the simulator must see each of them, or it is blind. */

export const DRIVER_BUGS = [
  /** Messages that promise something leave before the write they rest on. */
  'sends-before-persisting',
  /** Writes are reported durable when they are only in the cache. */
  'never-syncs',
  /** A write without entries, such as a vote, is not synced. */
  'syncs-entries-only',
  /** A reply that was held back leaves with the term of now. */
  'stamps-late-replies-anew',
  /** Writes of term and vote finish in any order. */
  'reorders-hard-states',
  /** After a full disk the write is repeated without the cut of the log that belonged to it. */
  'full-disk-forgets-truncation',
  /** A commit index is written before the entries it counts, where others may still stand. */
  'commits-before-writing',
  /** Entries are acknowledged before the term they came in is on the disk. */
  'term-written-later',
  /** What a killed process left in the cache is taken for durable. */
  'no-sync-on-recovery',
  /** A compacted log is renamed into place without syncing the folder. */
  'no-folder-sync',
  /** New records are appended behind a torn one. */
  'keeps-torn-tail',
  /** A failed sync is taken for a good one. */
  'ignores-sync-errors',
  /** Publishes are acknowledged when the leader has appended them. */
  'acknowledges-at-append',
  /** Publishes are acknowledged when anything was applied at their index. */
  'acknowledges-by-index',
  /** A leader that steps down calls its open publishes refused. */
  'refuses-what-it-does-not-know',
  /** The same publish applied twice gets two sequences. */
  'no-dedup',
  /** Reads are answered from what happens to be there. */
  'reads-without-asking',
  /** A snapshot replaces the log but not the state. */
  'snapshot-without-state',
  /** The log is compacted before the snapshot that replaces it is written. */
  'compacts-without-snapshot',
  /** What is discarded is kept only after it went. */
  'discards-before-keeping',
  /** What is discarded is kept in the cache only. */
  'keeps-without-sync',
  /** Nothing is kept of what a snapshot replaces. */
  'snapshot-discards-unkept',
  /** What was discarded is judged by a server that does not know what was committed meanwhile. */
  'judges-without-asking',
] as const;

export type DriverBug = (typeof DRIVER_BUGS)[number];
