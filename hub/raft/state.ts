/** Everything one server knows: a plain record that the rules in the neighbouring files read and change. */
import { allMembers, type Configuration } from './configuration';
import { NOBODY, type NodeId } from './entry';
import { RaftLog } from './log';
import type { Message, MessageBody } from './message';
import type { RaftOptions, RestartState } from './options';
import { Progress } from './progress';
import { ReadQueue, type ReadRequest } from './read-queue';

export type Role = 'follower' | 'pre-candidate' | 'candidate' | 'leader';

/** What a server owes itself once a write is durable: its own vote, its own acknowledgement of entries. */
export type OwnAnswer =
  | { readonly kind: 'vote'; readonly preVote: boolean; readonly term: number }
  | { readonly kind: 'append'; readonly index: number; readonly term: number };

export interface ReadState {
  readonly read: string;
  /** The read may be answered once this index is applied. */
  readonly index: number;
}

export interface Outbox {
  now: Message[];
  afterPersist: Message[];
  own: OwnAnswer[];
  reads: ReadState[];
}

export interface RaftState {
  readonly options: RaftOptions;
  readonly log: RaftLog;
  readonly outbox: Outbox;
  term: number;
  vote: NodeId;
  leader: NodeId;
  role: Role;
  configuration: Configuration;
  progress: Map<NodeId, Progress>;
  /** Answers to the election under way. */
  votes: Map<NodeId, boolean>;
  ticksSinceElection: number;
  ticksSinceHeartbeat: number;
  /** Ticks; drawn anew each time a server begins to follow or to stand. */
  electionTimeout: number;
  transferTarget: NodeId;
  /** No configuration change may be proposed before this index is applied (thesis §4.1). */
  pendingConfigurationIndex: number;
  uncommittedBytes: number;
  reads: ReadQueue;
  /** Asked before an entry of the leader's term was committed (thesis §6.4, step 1). */
  earlyReads: ReadRequest[];
}

export function initialState(options: RaftOptions, restart: RestartState): RaftState {
  const committed = Math.max(restart.hardState.commit, restart.applied);
  const log = new RaftLog(restart.base, restart.entries, committed);
  log.appliedTo(restart.applied);
  const state: RaftState = {
    options,
    log,
    outbox: { now: [], afterPersist: [], own: [], reads: [] },
    term: restart.hardState.term,
    vote: restart.hardState.vote,
    leader: NOBODY,
    role: 'follower',
    configuration: restart.configuration,
    progress: new Map(),
    votes: new Map(),
    ticksSinceElection: 0,
    ticksSinceHeartbeat: 0,
    electionTimeout: 0,
    transferTarget: NOBODY,
    pendingConfigurationIndex: 0,
    uncommittedBytes: 0,
    reads: new ReadQueue(),
    earlyReads: [],
  };
  followMembers(state);
  return state;
}

/** One progress per member: new ones begin as probes, those of removed members go. */
export function followMembers(state: RaftState): void {
  const { limits } = state.options;
  const members = allMembers(state.configuration);
  const known = state.progress;
  state.progress = new Map(
    members.map((id) => {
      const kept = known.get(id);
      if (kept !== undefined) return [id, kept];
      const fresh = new Progress(Math.max(state.log.lastIndex, 1), limits);
      // It had no chance to be heard yet: the next check of the quorum must not count it as silent.
      fresh.recentlyActive = true;
      return [id, fresh];
    }),
  );
}

/** Messages that promise something; what they promise must be durable first (thesis §3.8). */
function mustWaitForDisk(body: MessageBody): boolean {
  switch (body.kind) {
    case 'append-accepted':
    case 'append-rejected':
    case 'vote':
      return true;
    // Else a candidate could crash, lose the end of its log, stand again in the same term and count votes that were
    // granted to the longer log.
    case 'request-vote':
      return !body.preVote;
    default:
      return false;
  }
}

/** Requests that are passed on belong to no term. */
const isTermless = (body: MessageBody): boolean => body.kind === 'forward-proposals' || body.kind === 'forward-read';

export function send(state: RaftState, to: NodeId, body: MessageBody, term = state.term): void {
  const message = { from: state.options.id, to, term: isTermless(body) ? 0 : term, ...body };
  (mustWaitForDisk(body) ? state.outbox.afterPersist : state.outbox.now).push(message);
}

export const isMember = (state: RaftState, id: NodeId): boolean => state.progress.has(id);
export const isLearner = (state: RaftState, id: NodeId): boolean => state.configuration.learners.includes(id);
