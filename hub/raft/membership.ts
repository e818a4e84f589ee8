/** Applying configuration changes and living with them (thesis chapter 4). */
import { allVoters, changed, isJoint, type Configuration, type ConfigurationChange } from './configuration';
import { NOBODY } from './entry';
import { advanceCommit, broadcastAppend, followersOf, sendMissing } from './replication';
import { becomeFollower } from './roles';
import { followMembers, isLearner, isMember, type RaftState } from './state';

/**
 * Takes effect when applied, not when appended; so only one change may be under way (see `refusal`). The price: who asks for
 * changes must let at most one voter leave at a time, and not one of two. Else those that stay may lack the news that the
 * change is committed, and need the votes of servers that know of their removal, hold more of the log, and never stand again.
 */
export function applyChange(state: RaftState, change: ConfigurationChange): Configuration {
  switchConfiguration(state, changed(state.configuration, change));
  return state.configuration;
}

/** A snapshot is in force: its configuration replaces whatever was known. */
export function restoreConfiguration(state: RaftState, configuration: Configuration): void {
  state.progress = new Map();
  switchConfiguration(state, configuration);
}

function switchConfiguration(state: RaftState, configuration: Configuration): void {
  state.configuration = configuration;
  followMembers(state);
  if (state.role !== 'leader') return;
  const { id, stepDownOnRemoval } = state.options;
  if (!isMember(state, id) || isLearner(state, id)) {
    // It goes on leading without counting itself, until it is told or has handed over (thesis §4.2.2).
    if (stepDownOnRemoval) becomeFollower(state, state.term, NOBODY);
    return;
  }
  // A smaller quorum may commit more at once; new members are probed without waiting for a heartbeat.
  if (advanceCommit(state)) broadcastAppend(state);
  else for (const [follower] of followersOf(state)) sendMissing(state, follower);
  if (!allVoters(configuration).includes(state.transferTarget)) state.transferTarget = NOBODY;
}

/** Why a leader must not append this change now; `undefined` = it may (thesis §4.1, §4.3). */
export function refusal(state: RaftState, change: ConfigurationChange): string | undefined {
  const leaving = change.changes.length === 0;
  if (state.pendingConfigurationIndex > state.log.applied) {
    return `a change may be under way up to index ${state.pendingConfigurationIndex}, applied is ${state.log.applied}`;
  }
  if (isJoint(state.configuration) && !leaving) return 'the joint configuration must be left first';
  if (!isJoint(state.configuration) && leaving) return 'there is no joint configuration to leave';
  return undefined;
}

/** A joint configuration that wants to be left, and no change is under way. */
export function shouldLeaveJoint(state: RaftState): boolean {
  const { role, configuration, log, pendingConfigurationIndex } = state;
  return role === 'leader' && configuration.autoLeave && log.applied >= pendingConfigurationIndex;
}
