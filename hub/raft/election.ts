/** Elections: when a server may stand, whom it asks, whom it grants its vote (thesis §3.4, §3.6.1, §9.6). */
import { allVoters } from './configuration';
import { NOBODY, type NodeId } from './entry';
import type { MessageOf } from './message';
import { quorumVote } from './quorum';
import { broadcastAppend } from './replication';
import { becomeCandidate, becomeFollower, becomeLeader, becomePreCandidate } from './roles';
import { isLearner, isMember, send, type RaftState } from './state';

/** `pre-vote`: ask whether the election could be won; `election`: stand; `transfer`: stand because the leader asked. */
export type Campaign = 'pre-vote' | 'election' | 'transfer';

/** Only voters with a whole log may lead. */
export function isPromotable(state: RaftState): boolean {
  return isMember(state, state.options.id) && !isLearner(state, state.options.id) && !state.log.snapshotPending;
}

/** Stands for election, unless it leads already or must not. Returns whether it stood. */
export function startElection(state: RaftState, campaign: Campaign = firstRound(state)): boolean {
  if (state.role === 'leader' || !isPromotable(state)) return false;
  // A committed change must be applied first: the old configuration may lack the majority that this server needs (§4.1).
  if (state.log.unapplied().some((entry) => entry.kind === 'configuration')) return false;
  askForVotes(state, campaign);
  return true;
}

const firstRound = (state: RaftState): Campaign => (state.options.preVote ? 'pre-vote' : 'election');

function askForVotes(state: RaftState, campaign: Campaign): void {
  const preVote = campaign === 'pre-vote';
  if (preVote) becomePreCandidate(state);
  else becomeCandidate(state);
  const term = preVote ? state.term + 1 : state.term;
  for (const id of allVoters(state.configuration)) {
    // Its own vote counts like any other: once it is durable.
    if (id === state.options.id) state.outbox.own.push({ kind: 'vote', preVote, term: state.term });
    else {
      const transfer = campaign === 'transfer';
      send(state, id, { kind: 'request-vote', preVote, last: state.log.last, transfer }, term);
    }
  }
}

/** Takes one answer into account; only the first of each voter counts. */
export function countVote(state: RaftState, from: NodeId, granted: boolean): void {
  if (!state.votes.has(from)) state.votes.set(from, granted);
  switch (quorumVote(state.configuration, state.votes)) {
    case 'won':
      if (state.role === 'pre-candidate') {
        askForVotes(state, 'election');
      } else {
        becomeLeader(state);
        broadcastAppend(state);
      }
      break;
    case 'lost':
      becomeFollower(state, state.term, NOBODY);
      break;
    case 'pending':
      break;
  }
}

/** A leader was heard within the shortest election time: its followers must not be talked out of it (§4.2.3, §6.2). */
export function hearsLeader(state: RaftState): boolean {
  const { checkQuorum, electionTicks } = state.options;
  return checkQuorum && state.leader !== NOBODY && state.ticksSinceElection < electionTicks;
}

/** First come, first served, and only for candidates whose log is at least as up to date (thesis §3.4, §3.6.1). */
export function answerVoteRequest(state: RaftState, request: MessageOf<'request-vote'>): void {
  const { from, preVote } = request;
  const free = state.vote === NOBODY && state.leader === NOBODY;
  const maySupport = state.vote === from || free || (preVote && request.term > state.term);
  if (!maySupport || !state.log.allowsCandidate(request.last)) {
    send(state, from, { kind: 'vote', preVote, granted: false });
    return;
  }
  // A grant carries the candidate's term, which a pre-vote does not make this server's own (thesis §9.6).
  send(state, from, { kind: 'vote', preVote, granted: true }, request.term);
  if (preVote) return;
  state.vote = from;
  state.ticksSinceElection = 0;
}
