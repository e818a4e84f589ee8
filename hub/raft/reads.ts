/** Reads that see everything acknowledged before they were asked, without a log entry each (thesis §6.4). */
import { allVoters } from './configuration';
import { NOBODY, type NodeId } from './entry';
import type { MessageOf } from './message';
import { quorumVote } from './quorum';
import type { ReadRequest } from './read-queue';
import { broadcastHeartbeat, hasCommittedInTerm } from './replication';
import { send, type RaftState } from './state';

/** Returns whether the request could be made; without a leader it cannot. */
export function askRead(state: RaftState, request: ReadRequest): boolean {
  if (state.role === 'leader') {
    takeRead(state, request);
    return true;
  }
  if (state.role !== 'follower' || state.leader === NOBODY) return false;
  send(state, state.leader, { kind: 'forward-read', read: request.read });
  return true;
}

export function takeRead(state: RaftState, request: ReadRequest): void {
  const voters = allVoters(state.configuration);
  const alone = voters.length === 1 && voters[0] === state.options.id;
  // A new leader does not know yet what is committed, even if it is alone: its commit index may be older than its log (§6.4,
  // step 1).
  if (!hasCommittedInTerm(state)) state.earlyReads.push(request);
  else if (alone || state.options.readMode === 'lease') answer(state, request, state.log.committed);
  else {
    state.reads.add(request, state.log.committed);
    state.reads.confirm(request.read, state.options.id);
    broadcastHeartbeat(state, request.read);
  }
}

/** Called when the commit index advanced: it may be the first of the term. */
export function releaseEarlyReads(state: RaftState): void {
  if (!hasCommittedInTerm(state)) return;
  const early = state.earlyReads;
  state.earlyReads = [];
  for (const request of early) takeRead(state, request);
}

/** A follower that answers a heartbeat still follows: no later leader had its vote when the read was asked (§6.4, step 3). */
export function confirmRead(state: RaftState, from: NodeId, read: string): void {
  const confirmedBy = state.reads.confirm(read, from);
  if (confirmedBy.size === 0 || quorumVote(state.configuration, confirmedBy) !== 'won') return;
  for (const confirmed of state.reads.takeThrough(read)) answer(state, confirmed, confirmed.index);
}

function answer(state: RaftState, { from, read }: ReadRequest, index: number): void {
  if (from === state.options.id || from === NOBODY) state.outbox.reads.push({ read, index });
  else send(state, from, { kind: 'read-answer', read, index });
}

export function takeReadAnswer(state: RaftState, { read, index }: MessageOf<'read-answer'>): void {
  state.outbox.reads.push({ read, index });
}
