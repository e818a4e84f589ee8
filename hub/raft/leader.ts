/** What a leader does with its followers' answers (thesis §3.5, §3.10, §6.2). */
import { NOBODY, type NodeId } from './entry';
import type { MessageOf } from './message';
import type { Progress } from './progress';
import { quorumVote } from './quorum';
import { releaseEarlyReads } from './reads';
import { advanceCommit, broadcastAppend, sendAppend, sendMissing } from './replication';
import { becomeFollower } from './roles';
import { isLearner, send, type RaftState } from './state';

export function takeRejection(state: RaftState, progress: Progress, message: MessageOf<'append-rejected'>): void {
  const { from, index, hint } = message;
  progress.recentlyActive = true;
  // The follower has no entry above `hint.term` there, so this log's last entry of at most that term is where to meet.
  const meeting = hint.term > 0 ? state.log.lastAtOrBelow(hint.index, hint.term).index : hint.index;
  if (!progress.reject(index, meeting)) return;
  if (progress.mode === 'replicate') progress.becomeProbe();
  sendAppend(state, from);
}

/** `from` holds everything up to `index`; also for the leader's own disk. */
export function takeAcceptance(state: RaftState, from: NodeId, progress: Progress, index: number): void {
  progress.recentlyActive = true;
  const news = progress.acknowledge(index);
  const probed = progress.mode === 'probe' && progress.match === index;
  if (!news && !probed) return;
  followUp(state, progress, index);
  const self = from === state.options.id;
  if (advanceCommit(state)) {
    releaseEarlyReads(state);
    broadcastAppend(state);
  } else if (!self && progress.canUseCommit(state.log.committed)) {
    sendAppend(state, from);
  }
  if (self) return;
  while (sendMissing(state, from)) {
    // One append may be too small for all that is missing, and the answer may have freed room for several.
  }
  if (from === state.transferTarget && progress.match === state.log.lastIndex)
    send(state, from, { kind: 'timeout-now' });
}

function followUp(state: RaftState, progress: Progress, index: number): void {
  switch (progress.mode) {
    case 'probe':
      progress.becomeReplicate();
      break;
    case 'replicate':
      progress.window.freeThrough(index);
      break;
    case 'snapshot':
      // Whatever snapshot it was: what the follower lacks now is still in the log.
      if (progress.match + 1 >= state.log.firstIndex) progress.becomeReplicate();
      break;
  }
}

export function takeHeartbeatResponse(state: RaftState, from: NodeId, progress: Progress): void {
  progress.recentlyActive = true;
  // Whatever was under way is answered or lost by now.
  progress.resume();
  if (progress.match < state.log.lastIndex || progress.mode === 'probe') sendAppend(state, from);
}

/** Whoever carried the snapshot says how it ended; its acceptance comes from the follower itself. */
export function takeSnapshotReport(progress: Progress, delivered: boolean): void {
  if (progress.mode !== 'snapshot') return;
  if (delivered) progress.becomeProbe();
  else progress.snapshotFailed();
  progress.pause();
}

/** Messages to this follower were lost: no more pipelining until it answers. */
export function takeUnreachable(progress: Progress): void {
  if (progress.mode === 'replicate') progress.becomeProbe();
}

/** Hands leadership over: brings the target up to date, then asks it to stand at once (thesis §3.10). */
export function startTransfer(state: RaftState, target: NodeId): void {
  const progress = state.progress.get(target);
  if (progress === undefined || isLearner(state, target) || target === state.transferTarget) return;
  state.transferTarget = NOBODY;
  if (target === state.options.id) return;
  // It must be over within one election time, see `tick`.
  state.ticksSinceElection = 0;
  state.transferTarget = target;
  if (progress.match === state.log.lastIndex) send(state, target, { kind: 'timeout-now' });
  else sendAppend(state, target);
}

/** A leader that hears no majority steps down: its clients shall find the one that does (thesis §6.2). */
export function checkQuorum(state: RaftState): void {
  const active = new Map<NodeId, boolean>();
  for (const [id, progress] of state.progress) {
    active.set(id, progress.recentlyActive || id === state.options.id);
    progress.recentlyActive = id === state.options.id;
  }
  if (quorumVote(state.configuration, active) !== 'won') becomeFollower(state, state.term, NOBODY);
}
