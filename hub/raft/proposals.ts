/** Taking proposals in: appending them as leader, passing them on as follower, or saying why not. */
import { LEAVE_JOINT } from './configuration';
import { NOBODY, type EntryContent, type NodeId } from './entry';
import { refusal, shouldLeaveJoint } from './membership';
import { appendAsLeader, broadcastAppend } from './replication';
import { isMember, send, type RaftState } from './state';

export type ProposalResult =
  /** In the leader's log from `index` on; committed only when an entry of this term and index is handed out to apply. */
  | { readonly kind: 'appended'; readonly term: number; readonly index: number }
  /** On its way to the leader; nothing more is known. */
  | { readonly kind: 'forwarded'; readonly to: NodeId }
  /** Certainly not in any log. */
  | { readonly kind: 'dropped'; readonly reason: DropReason };

export type DropReason =
  | 'no-leader'
  | 'leader-removed'
  /** Leadership is being handed over: proposals would delay it (thesis §3.10). */
  | 'transfer-under-way'
  | 'forwarding-off'
  | 'too-much-uncommitted';

const dropped = (reason: DropReason): ProposalResult => ({ kind: 'dropped', reason });

export function propose(state: RaftState, contents: readonly EntryContent[]): ProposalResult {
  switch (state.role) {
    case 'leader':
      return proposeAsLeader(state, contents);
    case 'follower':
      if (state.leader === NOBODY) return dropped('no-leader');
      if (!state.options.forwardProposals) return dropped('forwarding-off');
      send(state, state.leader, { kind: 'forward-proposals', proposals: contents });
      return { kind: 'forwarded', to: state.leader };
    case 'candidate':
    case 'pre-candidate':
      return dropped('no-leader');
  }
}

function proposeAsLeader(state: RaftState, contents: readonly EntryContent[]): ProposalResult {
  if (!isMember(state, state.options.id)) return dropped('leader-removed');
  if (state.transferTarget !== NOBODY) return dropped('transfer-under-way');
  const index = state.log.lastIndex + 1;
  const before = state.pendingConfigurationIndex;
  const admitted = contents.map((content, at) => admit(state, content, index + at));
  if (!appendAsLeader(state, admitted)) {
    state.pendingConfigurationIndex = before;
    return dropped('too-much-uncommitted');
  }
  broadcastAppend(state);
  return { kind: 'appended', term: state.term, index };
}

/** A change that must not be made now leaves a no-op in its place, so that its proposer sees the index pass. */
function admit(state: RaftState, content: EntryContent, index: number): EntryContent {
  if (content.kind !== 'configuration') return content;
  if (refusal(state, content.change) !== undefined) return { kind: 'no-op' };
  state.pendingConfigurationIndex = index;
  return content;
}

/** Called whenever something was applied: a transfer under way may have dropped an earlier attempt. */
export function leaveJointIfDue(state: RaftState): void {
  if (shouldLeaveJoint(state)) propose(state, [{ kind: 'configuration', change: LEAVE_JOINT }]);
}
