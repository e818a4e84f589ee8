/** What must never happen in the consensus core. The node stops before it can do harm. */

/** A bug. */
export class RaftInvariantError extends Error {
  override readonly name = 'RaftInvariantError';
}

/** The leader counts on entries that this server does not have: its disk lost what it answered for (thesis §3.8). */
export class LostEntriesError extends Error {
  override readonly name = 'LostEntriesError';

  constructor(
    /** Up to here the leader has this server's word. */
    readonly promised: number,
    readonly lastIndex: number,
  ) {
    super(`commit index ${promised} is beyond the log's end ${lastIndex}`);
  }
}

export function invariant(condition: boolean, message: () => string): asserts condition {
  if (!condition) throw new RaftInvariantError(message());
}
