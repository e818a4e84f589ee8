/** Majorities: which index a majority holds, and how a vote stands; for one configuration or two overlapping ones. */
import type { NodeId } from './entry';

export type VoteResult = 'won' | 'lost' | 'pending';

/** Two halves must both agree; an empty half agrees with everything (thesis §4.3). */
export interface Voters {
  readonly voters: readonly NodeId[];
  readonly outgoing: readonly NodeId[];
}

const majorityOf = (size: number): number => Math.floor(size / 2) + 1;

/** The highest index that a majority has acknowledged (thesis §3.5); Infinity without voters. */
export function majorityIndex(voters: readonly NodeId[], acknowledged: (id: NodeId) => number): number {
  if (voters.length === 0) return Infinity;
  const descending = voters.map(acknowledged).sort((a, b) => b - a);
  return descending[majorityOf(voters.length) - 1] ?? 0;
}

/** What both halves have (thesis §4.3). */
export function quorumIndex({ voters, outgoing }: Voters, acknowledged: (id: NodeId) => number): number {
  return Math.min(majorityIndex(voters, acknowledged), majorityIndex(outgoing, acknowledged));
}

export function majorityVote(voters: readonly NodeId[], votes: ReadonlyMap<NodeId, boolean>): VoteResult {
  const granted = voters.filter((id) => votes.get(id) === true).length;
  const missing = voters.filter((id) => !votes.has(id)).length;
  const needed = voters.length === 0 ? 0 : majorityOf(voters.length);
  if (granted >= needed) return 'won';
  return granted + missing >= needed ? 'pending' : 'lost';
}

export function quorumVote({ voters, outgoing }: Voters, votes: ReadonlyMap<NodeId, boolean>): VoteResult {
  const halves = [majorityVote(voters, votes), majorityVote(outgoing, votes)];
  if (halves.includes('lost')) return 'lost';
  return halves.includes('pending') ? 'pending' : 'won';
}
