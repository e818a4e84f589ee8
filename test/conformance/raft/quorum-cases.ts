/** Cases of the `quorum` folder: commands `committed` and `vote` over one configuration or two. */
import { allVoters } from '../../../hub/raft/configuration';
import { EMPTY_CONFIGURATION } from '../../../hub/raft/configuration';
import { quorumIndex, quorumVote, type Voters } from '../../../hub/raft/quorum';
import { valueOf, valuesOf, type Case } from './data-driven';

const RESULTS = { won: 'VoteWon', lost: 'VoteLost', pending: 'VotePending' } as const;

/** Values are given in the order in which the voters are first named; `_` = not known. */
function byVoter(ids: readonly number[], values: readonly string[]): Map<number, string> {
  const named = [...new Set(ids)];
  return new Map(
    named.flatMap((id, at): [number, string][] => {
      const value = values[at];
      return value === undefined || value === '_' ? [] : [[id, value]];
    }),
  );
}

export function runQuorumCase({ command }: Case): string[] {
  const voters = valuesOf(command, 'cfg').map(Number);
  const outgoing = valueOf(command, 'cfgj') === 'zero' ? [] : valuesOf(command, 'cfgj').map(Number);
  const halves: Voters = { voters, outgoing };
  const ids = [...voters, ...outgoing];
  if (command.name === 'vote') {
    const given = byVoter(ids, valuesOf(command, 'votes'));
    const votes = new Map([...given].map(([id, value]) => [id, value === 'y']));
    return [RESULTS[quorumVote(halves, votes)]];
  }
  if (command.name !== 'committed') return [`unknown command: ${command.name}`];
  const indexes = new Map([...byVoter(ids, valuesOf(command, 'idx'))].map(([id, value]) => [id, Number(value)]));
  const index = quorumIndex(halves, (id) => indexes.get(id) ?? 0);
  const shown = index === Infinity ? '∞' : String(index);
  const sorted = allVoters({ ...EMPTY_CONFIGURATION, ...halves });
  if (sorted.length === 0) return [`<empty majority quorum>${shown}`];
  return [...plot(sorted, indexes), shown];
}

/** A bar per voter: as long as there are voters with a lower index. */
function plot(ids: readonly number[], indexes: ReadonlyMap<number, number>): string[] {
  const width = ids.length;
  const indexOf = (id: number): number => indexes.get(id) ?? 0;
  const lines = ids.map((id) => {
    const lower = ids.filter((other) => indexOf(other) < indexOf(id)).length;
    const bar = indexes.has(id) ? `${'x'.repeat(lower)}>${' '.repeat(width - lower)}` : `?${' '.repeat(width)}`;
    return `${bar} ${String(indexOf(id)).padStart(5)}    (id=${id})`;
  });
  return [`${' '.repeat(width)}    idx`, ...lines];
}
