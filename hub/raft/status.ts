/** What an operator, or a test, may see of a server. */
import type { Configuration } from './configuration';
import type { HardState, LogPosition, NodeId } from './entry';
import type { ProgressMode } from './progress';
import type { RaftState, Role } from './state';

export interface FollowerStatus {
  readonly match: number;
  readonly next: number;
  readonly mode: ProgressMode;
  readonly paused: boolean;
  readonly pendingSnapshot: number;
  readonly recentlyActive: boolean;
  readonly learner: boolean;
  readonly inflight: number;
  readonly windowFull: boolean;
}

export interface RaftStatus extends HardState {
  readonly id: NodeId;
  readonly role: Role;
  readonly leader: NodeId;
  readonly applied: number;
  readonly firstIndex: number;
  readonly last: LogPosition;
  readonly stable: number;
  readonly configuration: Configuration;
  readonly transferTarget: NodeId;
  readonly uncommittedBytes: number;
  /** Ticks until this server would stand for election if it heard nothing. */
  readonly electionTicksLeft: number;
  /** The leader's view of every member; empty elsewhere. */
  readonly followers: ReadonlyMap<NodeId, FollowerStatus>;
}

export function statusOf(state: RaftState): RaftStatus {
  const { log, options } = state;
  return {
    id: options.id,
    term: state.term,
    vote: state.vote,
    commit: log.committed,
    role: state.role,
    leader: state.leader,
    applied: log.applied,
    firstIndex: log.firstIndex,
    last: log.last,
    stable: log.stable,
    configuration: state.configuration,
    transferTarget: state.transferTarget,
    uncommittedBytes: state.uncommittedBytes,
    electionTicksLeft: state.electionTimeout - state.ticksSinceElection,
    followers: state.role === 'leader' ? followersOf(state) : new Map(),
  };
}

function followersOf(state: RaftState): ReadonlyMap<NodeId, FollowerStatus> {
  return new Map(
    [...state.progress].map(([id, progress]) => [
      id,
      {
        match: progress.match,
        next: progress.next,
        mode: progress.mode,
        paused: progress.paused,
        pendingSnapshot: progress.pendingSnapshot,
        recentlyActive: progress.recentlyActive,
        learner: state.configuration.learners.includes(id),
        inflight: progress.window.count,
        windowFull: progress.window.full,
      },
    ]),
  );
}
