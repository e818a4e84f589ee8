/** How a server changes its role (thesis figure 3.3), and what it forgets and begins anew then. */
import { NOBODY, payloadBytesOf, type NodeId } from './entry';
import { invariant } from './invariant';
import { Progress } from './progress';
import { ReadQueue } from './read-queue';
import { appendAsLeader } from './replication';
import type { RaftState } from './state';

/** One vote per term, so a new term begins without one (thesis §3.4). */
function enterTerm(state: RaftState, term: number): void {
  if (state.term !== term) {
    invariant(term > state.term, () => `the term would go back from ${state.term} to ${term}`);
    state.term = term;
    state.vote = NOBODY;
  }
  state.leader = NOBODY;
  state.ticksSinceElection = 0;
  state.ticksSinceHeartbeat = 0;
  drawElectionTimeout(state);
  state.transferTarget = NOBODY;
  state.votes = new Map();
  state.pendingConfigurationIndex = 0;
  state.uncommittedBytes = 0;
  state.reads = new ReadQueue();
  state.earlyReads = [];
  forgetProgress(state);
}

/** What an earlier leader knew of the others' logs is void (thesis §3.5: nextIndex starts at the log's end, match at 0). */
function forgetProgress(state: RaftState): void {
  const { id, limits } = state.options;
  for (const node of state.progress.keys()) {
    const fresh = new Progress(state.log.lastIndex + 1, limits);
    if (node === id) fresh.match = state.log.lastIndex;
    state.progress.set(node, fresh);
  }
}

/** Random, so that servers rarely stand at the same time (thesis §3.4). */
function drawElectionTimeout(state: RaftState): void {
  const { electionTicks, random } = state.options;
  state.electionTimeout = electionTicks + Math.floor(random() * electionTicks);
}

export function becomeFollower(state: RaftState, term: number, leader: NodeId): void {
  enterTerm(state, term);
  state.role = 'follower';
  state.leader = leader;
}

/** Neither term nor vote changes: that is the point of asking first (thesis §9.6). */
export function becomePreCandidate(state: RaftState): void {
  invariant(state.role !== 'leader', () => 'a leader cannot stand for election');
  state.votes = new Map();
  state.role = 'pre-candidate';
  state.leader = NOBODY;
}

export function becomeCandidate(state: RaftState): void {
  invariant(state.role !== 'leader', () => 'a leader cannot stand for election');
  enterTerm(state, state.term + 1);
  state.role = 'candidate';
  state.vote = state.options.id;
}

export function becomeLeader(state: RaftState): void {
  invariant(state.role === 'candidate', () => `a ${state.role} cannot become leader`);
  enterTerm(state, state.term);
  state.role = 'leader';
  state.leader = state.options.id;
  const own = state.progress.get(state.options.id);
  own?.becomeReplicate();
  if (own !== undefined) own.recentlyActive = true;
  // A change left by an earlier leader may sit anywhere in the uncommitted tail: wait until all of it is applied (§4.1).
  state.pendingConfigurationIndex = state.log.lastIndex;
  state.uncommittedBytes = payloadBytesOf(state.log.uncommitted());
  // Commits what earlier terms left behind, and lets reads be served (thesis §3.6.2, §6.4).
  appendAsLeader(state, [{ kind: 'no-op' }]);
}
