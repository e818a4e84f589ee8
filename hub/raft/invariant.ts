/** What must never happen in the consensus core. A broken invariant is a bug: the node stops before it can do harm. */

export class RaftInvariantError extends Error {
  override readonly name = 'RaftInvariantError';
}

export function invariant(condition: boolean, message: () => string): asserts condition {
  if (!condition) throw new RaftInvariantError(message());
}
