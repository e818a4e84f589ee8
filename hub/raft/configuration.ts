/** Who belongs to the cluster, and how one configuration becomes the next (thesis chapter 4). */
import type { NodeId } from './entry';

/** All lists are sorted and without repeats. */
export interface Configuration {
  readonly voters: readonly NodeId[];
  /** The voters of the old configuration while two overlap ("joint consensus", thesis §4.3); else empty. */
  readonly outgoing: readonly NodeId[];
  /** Receive the log, count for nothing (thesis §4.2.1). */
  readonly learners: readonly NodeId[];
  /** Voters of `outgoing` that become learners when the joint configuration is left. */
  readonly learnersNext: readonly NodeId[];
  /** The leader leaves the joint configuration as soon as it is committed, without being asked. */
  readonly autoLeave: boolean;
}

export type MembershipChange = {
  readonly kind: 'add-voter' | 'add-learner' | 'remove' /** Carries `context` only. */ | 'update';
  readonly node: NodeId;
};

export interface ConfigurationChange {
  /**
   * `auto`: one change goes through directly (thesis §4.1), more than one by joint consensus. `implicit`: always joint,
   * left by itself. `explicit`: always joint, left when a change without `changes` is proposed.
   */
  readonly transition: 'auto' | 'implicit' | 'explicit';
  readonly changes: readonly MembershipChange[];
  /** For the application, such as addresses of the servers. */
  readonly context?: Uint8Array;
}

export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

export const EMPTY_CONFIGURATION: Configuration = {
  voters: [],
  outgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};

export const LEAVE_JOINT: ConfigurationChange = { transition: 'auto', changes: [] };

export const isJoint = (configuration: Configuration): boolean => configuration.outgoing.length > 0;

const sorted = (ids: Iterable<NodeId>): readonly NodeId[] => [...new Set(ids)].sort((a, b) => a - b);

/** Everyone who votes in either half. */
export const allVoters = ({ voters, outgoing }: Configuration): readonly NodeId[] => sorted([...voters, ...outgoing]);

/** Everyone who receives the log. */
export const allMembers = (configuration: Configuration): readonly NodeId[] =>
  sorted([...configuration.voters, ...configuration.outgoing, ...configuration.learners]);

export const asksToLeaveJoint = (change: ConfigurationChange): boolean =>
  change.transition === 'auto' && change.changes.length === 0;

/** The configuration after a committed change. @throws ConfigurationError when the change does not fit. */
export function changed(configuration: Configuration, change: ConfigurationChange): Configuration {
  if (asksToLeaveJoint(change)) return leaveJoint(configuration);
  if (change.transition !== 'auto' || change.changes.length > 1) {
    return enterJoint(configuration, change.changes, change.transition !== 'explicit');
  }
  return changeOne(configuration, change.changes);
}

/** Old and new majorities must both agree from here on, until the joint configuration is left (thesis §4.3). */
export function enterJoint(
  configuration: Configuration,
  changes: readonly MembershipChange[],
  autoLeave: boolean,
): Configuration {
  if (isJoint(configuration)) throw new ConfigurationError('config is already joint');
  if (configuration.voters.length === 0) throw new ConfigurationError("can't make a zero-voter config joint");
  return { ...applied({ ...configuration, outgoing: configuration.voters }, changes), autoLeave };
}

export function leaveJoint(configuration: Configuration): Configuration {
  if (!isJoint(configuration)) throw new ConfigurationError("can't leave a non-joint config");
  return {
    voters: configuration.voters,
    outgoing: [],
    learners: sorted([...configuration.learners, ...configuration.learnersNext]),
    learnersNext: [],
    autoLeave: false,
  };
}

/** One voter at a time: then any two majorities, old and new, overlap by themselves (thesis §4.1, figure 4.3). */
export function changeOne(configuration: Configuration, changes: readonly MembershipChange[]): Configuration {
  if (isJoint(configuration)) throw new ConfigurationError("can't apply simple config change in joint config");
  const next = applied(configuration, changes);
  const differing = [
    ...next.voters.filter((id) => !configuration.voters.includes(id)),
    ...configuration.voters.filter((id) => !next.voters.includes(id)),
  ];
  if (differing.length > 1) {
    throw new ConfigurationError('more than one voter changed without entering joint config');
  }
  return next;
}

function applied(configuration: Configuration, changes: readonly MembershipChange[]): Configuration {
  const voters = new Set(configuration.voters);
  const learners = new Set(configuration.learners);
  const learnersNext = new Set(configuration.learnersNext);
  for (const { kind, node } of changes) {
    // 0 marks a change that was voided after it had been proposed.
    if (node === 0 || kind === 'update') continue;
    if (kind === 'add-learner' && learners.has(node)) continue;
    for (const set of [voters, learners, learnersNext]) set.delete(node);
    if (kind === 'add-voter') voters.add(node);
    // A voter of the old half keeps its vote there until the joint configuration is left.
    if (kind === 'add-learner') (configuration.outgoing.includes(node) ? learnersNext : learners).add(node);
  }
  if (voters.size === 0) throw new ConfigurationError('removed all voters');
  return {
    voters: sorted(voters),
    outgoing: configuration.outgoing,
    learners: sorted(learners),
    learnersNext: sorted(learnersNext),
    autoLeave: configuration.autoLeave,
  };
}
