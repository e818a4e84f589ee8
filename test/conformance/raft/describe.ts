/** Our values in the words of the data-driven files. */
import { allVoters, isJoint, type Configuration, type MembershipChange } from '../../../hub/raft/configuration';
import type { Entry, EntryContent, HardState, Snapshot } from '../../../hub/raft/entry';
import type { Message, MessageBody } from '../../../hub/raft/message';
import type { FollowerStatus, RaftStatus } from '../../../hub/raft/status';
import type { Role } from '../../../hub/raft/state';

const ROLES: Readonly<Record<Role, string>> = {
  follower: 'StateFollower',
  'pre-candidate': 'StatePreCandidate',
  candidate: 'StateCandidate',
  leader: 'StateLeader',
};

const MODES = { probe: 'StateProbe', replicate: 'StateReplicate', snapshot: 'StateSnapshot' } as const;
const CHANGES = { 'add-voter': 'v', 'add-learner': 'l', remove: 'r', update: 'u' } as const;

export const roleName = (role: Role): string => ROLES[role];

export function messageType(body: MessageBody): string {
  switch (body.kind) {
    case 'append':
      return 'MsgApp';
    case 'append-accepted':
    case 'append-rejected':
      return 'MsgAppResp';
    case 'heartbeat':
      return 'MsgHeartbeat';
    case 'heartbeat-response':
      return 'MsgHeartbeatResp';
    case 'snapshot':
      return 'MsgSnap';
    case 'request-vote':
      return body.preVote ? 'MsgPreVote' : 'MsgVote';
    case 'vote':
      return body.preVote ? 'MsgPreVoteResp' : 'MsgVoteResp';
    case 'timeout-now':
      return 'MsgTimeoutNow';
    case 'forward-proposals':
      return 'MsgProp';
    case 'forward-transfer':
      return 'MsgTransferLeader';
    case 'forward-read':
      return 'MsgReadIndex';
    case 'read-answer':
      return 'MsgReadIndexResp';
  }
}

/** Changes proposed in the older form, with one change only; the core knows no difference. */
export type IsFirstForm = (entry: EntryContent) => boolean;

export function describeChanges(changes: readonly MembershipChange[]): string {
  return changes.map(({ kind, node }) => `${CHANGES[kind]}${node}`).join(' ');
}

export function describeEntry(entry: Partial<Entry> & EntryContent, isFirstForm: IsFirstForm): string {
  const position = `${entry.term ?? 0}/${entry.index ?? 0}`;
  if (entry.kind !== 'configuration') {
    const text = entry.kind === 'data' ? Buffer.from(entry.data).toString('utf8') : '';
    return `${position} EntryNormal ${JSON.stringify(text)}`;
  }
  const form = isFirstForm(entry) ? 'EntryConfChange' : 'EntryConfChangeV2';
  return `${position} ${form} ${describeChanges(entry.change.changes)}`.trimEnd();
}

export const describeHardState = ({ term, vote, commit }: HardState): string =>
  `Term:${term}${vote === 0 ? '' : ` Vote:${vote}`} Commit:${commit}`;

export function describeSnapshot({ index, term, configuration }: Snapshot): string {
  const { voters, outgoing, learners, learnersNext, autoLeave } = configuration;
  const list = (ids: readonly number[]): string => `[${ids.join(' ')}]`;
  const names = `Voters:${list(voters)} VotersOutgoing:${list(outgoing)} Learners:${list(learners)}`;
  return `Index:${index} Term:${term} ConfState:${names} LearnersNext:${list(learnersNext)} AutoLeave:${autoLeave}`;
}

function logField(message: Message): string {
  switch (message.kind) {
    case 'append':
      return `${message.previous.term}/${message.previous.index}`;
    case 'append-accepted':
      return `0/${message.index}`;
    case 'append-rejected':
      return `${message.hint.term}/${message.index} Rejected (Hint: ${message.hint.index})`;
    case 'request-vote':
      return `${message.last.term}/${message.last.index}`;
    case 'vote':
      return message.granted ? '0/0' : '0/0 Rejected (Hint: 0)';
    case 'read-answer':
      return `0/${message.index}`;
    default:
      return '0/0';
  }
}

export function describeMessage(message: Message, isFirstForm: IsFirstForm): string[] {
  const { from, to, term } = message;
  const commit = message.kind === 'append' || message.kind === 'heartbeat' ? message.commit : 0;
  const commitField = commit === 0 ? '' : ` Commit:${commit}`;
  const head = `${from}->${to} ${messageType(message)} Term:${term} Log:${logField(message)}${commitField}`;
  if (message.kind === 'snapshot') return [head, `  Snapshot: ${describeSnapshot(message.snapshot)}`];
  const entries: readonly (Partial<Entry> & EntryContent)[] =
    message.kind === 'append' ? message.entries : message.kind === 'forward-proposals' ? message.proposals : [];
  const lines = entries.map((entry) => describeEntry(entry, isFirstForm));
  if (lines.length === 0) return [head];
  if (lines.length === 1) return [`${head} Entries:[${lines[0] ?? ''}]`];
  return [`${head} Entries:[`, ...lines.map((line) => `  ${line}`), ']'];
}

export function describeConfiguration(configuration: Configuration): string {
  const list = (ids: readonly number[]): string => `(${ids.join(' ')})`;
  const outgoing = isJoint(configuration) ? `&&${list(configuration.outgoing)}` : '';
  const learners = configuration.learners.length > 0 ? ` learners=${list(configuration.learners)}` : '';
  const next = configuration.learnersNext.length > 0 ? ` learners_next=${list(configuration.learnersNext)}` : '';
  return `voters=${list(configuration.voters)}${outgoing}${learners}${next}${configuration.autoLeave ? ' autoleave' : ''}`;
}

export function describeProgress(id: number, progress: FollowerStatus): string {
  const words = [`${id}: ${MODES[progress.mode]} match=${progress.match} next=${progress.next}`];
  if (progress.learner) words.push('learner');
  if (progress.paused) words.push('paused');
  if (progress.pendingSnapshot > 0) words.push(`pendingSnap=${progress.pendingSnapshot}`);
  if (!progress.recentlyActive) words.push('inactive');
  if (progress.inflight > 0) words.push(`inflight=${progress.inflight}${progress.windowFull ? '[full]' : ''}`);
  return words.join(' ');
}

export function describeState({ id, role, configuration, term, leader }: RaftStatus): string {
  const voter = allVoters(configuration).includes(id) ? 'Voter' : 'Non-Voter';
  return `${id}: ${roleName(role)} (${voter}) Term:${term} Lead:${leader}`;
}
