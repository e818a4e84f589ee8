/** What a tick of the clock makes of a server (thesis §3.4, §6.2). */
import { isPromotable, startElection } from './election';
import { NOBODY } from './entry';
import { checkQuorum } from './leader';
import { broadcastHeartbeat } from './replication';
import type { RaftState } from './state';

export function tick(state: RaftState): void {
  if (state.role === 'leader') tickLeader(state);
  else tickElection(state);
}

function tickElection(state: RaftState): void {
  state.ticksSinceElection += 1;
  if (!isPromotable(state) || state.ticksSinceElection < state.electionTimeout) return;
  state.ticksSinceElection = 0;
  startElection(state);
}

function tickLeader(state: RaftState): void {
  const { options } = state;
  state.ticksSinceHeartbeat += 1;
  state.ticksSinceElection += 1;
  if (state.ticksSinceElection >= options.electionTicks) {
    state.ticksSinceElection = 0;
    if (options.checkQuorum) checkQuorum(state);
    // The target had its time; clients must not wait for it any longer (thesis §3.10).
    state.transferTarget = NOBODY;
  }
  if (state.role !== 'leader' || state.ticksSinceHeartbeat < options.heartbeatTicks) return;
  state.ticksSinceHeartbeat = 0;
  broadcastHeartbeat(state);
}
