/** The leader's sending half: appends, snapshots, heartbeats, and what becomes committed by them (thesis §3.5, §3.6). */
import { payloadBytesOf, type EntryContent, type NodeId } from './entry';
import { invariant } from './invariant';
import type { Progress } from './progress';
import { quorumIndex } from './quorum';
import { send, type RaftState } from './state';

/** Appends to the leader's own log. `false`: too much is uncommitted already, nothing was appended. */
export function appendAsLeader(state: RaftState, contents: readonly EntryContent[]): boolean {
  const bytes = payloadBytesOf(contents);
  const { maxUncommittedBytes } = state.options.limits;
  // One proposal of any size passes an empty tail, else it could never be made.
  if (state.uncommittedBytes > 0 && bytes > 0 && state.uncommittedBytes + bytes > maxUncommittedBytes) return false;
  state.uncommittedBytes += bytes;
  const first = state.log.lastIndex + 1;
  state.log.append(contents.map((content, at) => ({ term: state.term, index: first + at, ...content })));
  // The leader counts itself only once its own disk holds the entries; followers may be faster (thesis §10.2.1).
  state.outbox.own.push({ kind: 'append', index: state.log.lastIndex, term: state.term });
  return true;
}

/** An index is committed once a majority holds it and it is of this leader's term (thesis §3.6.2). */
export function advanceCommit(state: RaftState): boolean {
  const index = quorumIndex(state.configuration, (id) => state.progress.get(id)?.match ?? 0);
  if (state.log.termAt(index) !== state.term) return false;
  const before = state.log.committed;
  if (!state.log.commitTo(index)) return false;
  const bytes = payloadBytesOf(state.log.slice(before + 1, index, Infinity) ?? []);
  state.uncommittedBytes = Math.max(0, state.uncommittedBytes - bytes);
  return true;
}

/** A no-op or proposal of this term is committed, so the commit index is known to be current (thesis §6.4, step 1). */
export const hasCommittedInTerm = (state: RaftState): boolean => state.log.termAt(state.log.committed) === state.term;

export function followersOf(state: RaftState): readonly [NodeId, Progress][] {
  return [...state.progress].filter(([id]) => id !== state.options.id);
}

export function broadcastAppend(state: RaftState): void {
  for (const [id] of followersOf(state)) sendAppend(state, id);
}

/** Sends what the follower lacks, or an empty append if it lacks nothing; nothing at all while its flow is paused. */
export function sendAppend(state: RaftState, to: NodeId): void {
  sendAppendIf(state, to, true);
}

/** Sends what the follower lacks. Returns whether anything was sent. */
export function sendMissing(state: RaftState, to: NodeId): boolean {
  return sendAppendIf(state, to, false);
}

function sendAppendIf(state: RaftState, to: NodeId, evenIfEmpty: boolean): boolean {
  const progress = state.progress.get(to);
  if (progress === undefined || progress.paused) return false;
  const index = progress.next - 1;
  const term = state.log.termAt(index);
  if (term === undefined) return sendSnapshot(state, to, progress);
  // With a full window only an empty append goes out: if everything in the window was lost, its answer tells.
  const throttled = progress.mode === 'replicate' && progress.window.full;
  const entries = throttled
    ? []
    : state.log.slice(progress.next, state.log.lastIndex, state.options.limits.maxAppendBytes);
  if (entries === undefined) return sendSnapshot(state, to, progress);
  if (entries.length === 0 && !evenIfEmpty) return false;
  const commit = state.log.committed;
  send(state, to, { kind: 'append', previous: { term, index }, entries, commit });
  progress.sentEntries(entries.length, payloadBytesOf(entries));
  progress.sentCommit(commit);
  return true;
}

/** The entries a follower needs were compacted away (thesis §5.3). */
function sendSnapshot(state: RaftState, to: NodeId, progress: Progress): boolean {
  // A snapshot is expensive: not to somebody who does not answer.
  if (!progress.recentlyActive) return false;
  const snapshot = state.options.snapshot();
  if (snapshot === undefined) return false;
  invariant(
    snapshot.index + 1 >= state.log.firstIndex && snapshot.index <= state.log.committed,
    () => `snapshot at ${snapshot.index} does not fit a log from ${state.log.firstIndex} to ${state.log.committed}`,
  );
  progress.becomeSnapshot(snapshot.index);
  send(state, to, { kind: 'snapshot', snapshot });
  return true;
}

/** Keeps the leadership alive (thesis §3.4) and asks for confirmation of waiting reads (thesis §6.4). */
export function broadcastHeartbeat(state: RaftState, read = state.reads.latest): void {
  for (const [id, progress] of followersOf(state)) {
    // Only what is known to match: the rest of the follower's log may be anything (thesis §3.5).
    const commit = Math.min(progress.match, state.log.committed);
    send(state, id, { kind: 'heartbeat', commit, read });
    progress.sentCommit(commit);
  }
}
