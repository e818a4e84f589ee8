/** One message in: what its term means, then what its receiver's role makes of it (thesis §3.3, figure 3.1). */
import { countVote, answerVoteRequest, hearsLeader, startElection } from './election';
import { NOBODY } from './entry';
import { takeAppend, takeHeartbeat, takeSnapshot } from './follower';
import { startTransfer, takeAcceptance, takeHeartbeatResponse, takeRejection } from './leader';
import { isAnswer, type Message } from './message';
import { propose } from './proposals';
import { askRead, confirmRead, takeRead, takeReadAnswer } from './reads';
import { becomeFollower } from './roles';
import { isMember, send, type RaftState } from './state';

export type StepResult =
  | 'taken'
  /** Of an older term, or unwelcome while a leader is heard. */
  | 'ignored'
  /** An answer from somebody who is not a member. */
  | 'unknown-peer'
  /** A proposal that was passed on to this server and could not be taken in. */
  | 'proposal-dropped';

export function step(state: RaftState, message: Message): StepResult {
  if (isAnswer(message) && !isMember(state, message.from)) return 'unknown-peer';
  if (message.term > state.term) {
    if (message.kind === 'request-vote' && !message.transfer && hearsLeader(state)) return 'ignored';
    if (raisesTerm(message)) becomeFollower(state, message.term, leaderBehind(message));
  } else if (message.term < state.term && message.term !== 0) {
    answerStale(state, message);
    return 'ignored';
  }
  if (message.kind === 'forward-proposals') {
    return propose(state, message.proposals).kind === 'dropped' ? 'proposal-dropped' : 'taken';
  }
  if (message.kind === 'request-vote') answerVoteRequest(state, message);
  else if (state.role === 'leader') stepLeader(state, message);
  else if (state.role === 'follower') stepFollower(state, message);
  else stepCandidate(state, message);
  return 'taken';
}

/** A pre-vote speaks of a term that nobody has begun yet, and so does its grant (thesis §9.6). */
function raisesTerm(message: Message): boolean {
  const preVote = message.kind === 'request-vote' && message.preVote;
  const preVoteGrant = message.kind === 'vote' && message.preVote && message.granted;
  return !preVote && !preVoteGrant;
}

/** Only a leader sends these, and there is one per term (Election Safety, thesis figure 3.2). */
function leaderBehind(message: Message): number {
  switch (message.kind) {
    case 'append':
    case 'heartbeat':
    case 'snapshot':
      return message.from;
    default:
      return NOBODY;
  }
}

function answerStale(state: RaftState, message: Message): void {
  const { checkQuorum, preVote } = state.options;
  if (message.kind === 'append' || message.kind === 'heartbeat') {
    // This server's term is ahead and nobody asks for its vote: without an answer the leader would never learn of the
    // term, and the two would stay apart for ever (thesis §9.6, last paragraph; §6.2).
    if (checkQuorum || preVote) send(state, message.from, { kind: 'append-accepted', index: 0 });
  } else if (message.kind === 'request-vote' && message.preVote) {
    send(state, message.from, { kind: 'vote', preVote: true, granted: false });
  }
}

function stepFollower(state: RaftState, message: Message): void {
  switch (message.kind) {
    case 'append':
    case 'heartbeat':
    case 'snapshot':
      state.ticksSinceElection = 0;
      state.leader = message.from;
      takeFromLeader(state, message);
      break;
    case 'timeout-now':
      // The leader itself wants to be replaced: asking first would only be refused (thesis §3.10).
      startElection(state, 'transfer');
      break;
    case 'forward-transfer':
      forwardTransfer(state, message.target);
      break;
    case 'forward-read':
      askRead(state, message);
      break;
    case 'read-answer':
      takeReadAnswer(state, message);
      break;
    default:
      break;
  }
}

function takeFromLeader(state: RaftState, message: Message): void {
  switch (message.kind) {
    case 'append':
      takeAppend(state, message);
      break;
    case 'heartbeat':
      takeHeartbeat(state, message);
      break;
    case 'snapshot':
      takeSnapshot(state, message);
      break;
    default:
      break;
  }
}

function stepCandidate(state: RaftState, message: Message): void {
  switch (message.kind) {
    case 'append':
    case 'heartbeat':
    case 'snapshot':
      // Somebody else won this term (thesis §3.4).
      becomeFollower(state, message.term, message.from);
      takeFromLeader(state, message);
      break;
    case 'vote':
      if (message.preVote === (state.role === 'pre-candidate')) countVote(state, message.from, message.granted);
      break;
    default:
      break;
  }
}

function stepLeader(state: RaftState, message: Message): void {
  if (message.kind === 'forward-read') takeRead(state, message);
  else if (message.kind === 'forward-transfer') startTransfer(state, message.target);
  else stepLeaderAnswer(state, message);
}

function stepLeaderAnswer(state: RaftState, message: Message): void {
  const progress = state.progress.get(message.from);
  if (progress === undefined) return;
  switch (message.kind) {
    case 'append-accepted':
      takeAcceptance(state, message.from, progress, message.index);
      break;
    case 'append-rejected':
      takeRejection(state, progress, message);
      break;
    case 'heartbeat-response':
      takeHeartbeatResponse(state, message.from, progress);
      if (message.read !== undefined) confirmRead(state, message.from, message.read);
      break;
    default:
      break;
  }
}

/** A follower passes the wish on; without a leader there is nobody to fulfil it. */
export function forwardTransfer(state: RaftState, target: number): void {
  if (state.leader !== NOBODY) send(state, state.leader, { kind: 'forward-transfer', target });
}
