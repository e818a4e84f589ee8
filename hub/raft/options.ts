/** How one server is set up: its times in ticks, its rules and its limits. */
import type { Entry, HardState, LogPosition, NodeId, Snapshot } from './entry';
import type { Configuration } from './configuration';
import { invariant } from './invariant';

export interface RaftLimits {
  /** Entries in one append message; a single larger entry goes alone. */
  readonly maxAppendBytes: number;
  /** Appends to one follower that are not answered yet. */
  readonly maxInflightMessages: number;
  readonly maxInflightBytes: number;
  /** Proposals a leader takes in without getting them committed. */
  readonly maxUncommittedBytes: number;
  /** Committed entries handed out at once. */
  readonly maxApplyBytes: number;
}

export const DEFAULT_LIMITS: RaftLimits = {
  maxAppendBytes: 1024 * 1024,
  maxInflightMessages: 64,
  maxInflightBytes: 16 * 1024 * 1024,
  maxUncommittedBytes: 64 * 1024 * 1024,
  maxApplyBytes: 16 * 1024 * 1024,
};

export interface RaftOptions {
  readonly id: NodeId;
  /** Ticks without a leader until a server begins an election: a random number in [electionTicks, 2 × electionTicks). */
  readonly electionTicks: number;
  readonly heartbeatTicks: number;
  /** Uniform in [0, 1); spreads election times (thesis §3.4). The only randomness there is. */
  readonly random: () => number;
  /** Ask first whether an election could be won (thesis §9.6). */
  readonly preVote: boolean;
  /** A leader without a majority steps down, and servers that hear a leader refuse votes (thesis §6.2, §4.2.3). */
  readonly checkQuorum: boolean;
  /** `safe`: each read is confirmed by a majority; `lease`: by the clock (thesis §6.4, §6.4.1), needs `checkQuorum`. */
  readonly readMode: 'safe' | 'lease';
  /** Followers pass proposals on to the leader. */
  readonly forwardProposals: boolean;
  /** A leader that is removed or demoted gives up at once, not only when its successor appears (thesis §4.2.2). */
  readonly stepDownOnRemoval: boolean;
  /**
   * A snapshot of the state machine as it is now, which is at or after the log's first index: a newcomer takes only one
   * whose configuration knows it. `undefined` = not ready, asked again later.
   */
  readonly snapshot: () => Snapshot | undefined;
  readonly limits: RaftLimits;
}

/** What a server finds on its disk when it starts. */
export interface RestartState {
  readonly hardState: HardState;
  /** The configuration as of `applied`. */
  readonly configuration: Configuration;
  /**
   * Where the log on disk begins: its entries follow this position. The first servers of a cluster begin at index 1 or
   * later, with a snapshot there, so that newcomers, which begin at 0, always learn the configuration from a snapshot.
   */
  readonly base: LogPosition;
  readonly entries: readonly Entry[];
  /** What the state machine holds already; not before `base`. */
  readonly applied: number;
}

export function checkOptions(options: RaftOptions): void {
  invariant(options.id > 0, () => 'a server needs an id above 0');
  invariant(options.heartbeatTicks > 0, () => 'heartbeatTicks must be above 0');
  invariant(options.electionTicks > options.heartbeatTicks, () => 'electionTicks must be above heartbeatTicks');
  invariant(options.limits.maxInflightMessages > 0, () => 'maxInflightMessages must be above 0');
  invariant(options.readMode === 'safe' || options.checkQuorum, () => 'lease reads need checkQuorum');
}
