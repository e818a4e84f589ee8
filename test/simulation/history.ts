/** What clients saw and what servers applied, and the invariants that hold between them. */
import { quorumVote } from '../../hub/raft/quorum';
import type { Configuration } from '../../hub/raft/configuration';
import type { Entry, HardState } from '../../hub/raft/entry';
import type { Message } from '../../hub/raft/message';

export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
}

function fail(invariant: string, message: string): never {
  throw new InvariantViolation(`${invariant}: ${message}`);
}

export interface Publish {
  readonly id: string;
  readonly invoked: number;
  /** Highest sequence acknowledged before this publish was first sent. */
  readonly floor: number;
  open: number;
  sequence: number | undefined;
  maybe: boolean;
}

const decoder = new TextDecoder();
export const idOf = (entry: Entry): string | undefined =>
  entry.kind === 'data' ? decoder.decode(entry.data) : undefined;

const contentOf = (entry: Entry): string =>
  entry.kind === 'configuration' ? JSON.stringify(entry.change) : `${entry.kind} ${idOf(entry) ?? ''}`;

export class History {
  readonly publishes = new Map<string, Publish>();
  private readonly leaders = new Map<number, number>();
  private readonly committed = new Map<number, string>();
  private readonly votes = new Map<string, number>();
  private readonly promised = new Map<number, HardState>();
  /** When each id was first applied anywhere, as a place in the order of all of these. */
  private readonly appliedAt = new Map<string, number>();
  /** What a server cut off its log before it was known to be committed. */
  private readonly cutOff = new Map<number, Set<string>>();
  acknowledged = 0;
  highestAcknowledged = 0;
  reads = 0;

  begin(id: string, now: number): Publish {
    const known = this.publishes.get(id);
    if (known !== undefined) return known;
    const publish = { id, invoked: now, floor: this.highestAcknowledged, open: 0, sequence: undefined, maybe: false };
    this.publishes.set(id, publish);
    return publish;
  }

  /** I1: at most one leader per term. */
  leads(id: number, term: number): void {
    const known = this.leaders.get(term) ?? id;
    this.leaders.set(term, known);
    if (known !== id) fail('I1', `servers ${known} and ${id} both lead in term ${term}`);
  }

  /** I2: the same index holds the same entry on every server, for ever. I4: nothing that nobody published. */
  applies(server: number, entry: Entry): void {
    const found = `${entry.term} ${contentOf(entry)}`;
    const known = this.committed.get(entry.index) ?? found;
    this.committed.set(entry.index, known);
    if (known !== found) fail('I2', `server ${server} applies ${found} at ${entry.index}, another ${known}`);
    const id = idOf(entry);
    if (id !== undefined && !this.publishes.has(id))
      fail('I4', `server ${server} applies ${id}, which nobody published`);
    if (id !== undefined && !this.appliedAt.has(id)) this.appliedAt.set(id, this.appliedAt.size + 1);
  }

  get appliedSoFar(): number {
    return this.appliedAt.size;
  }

  /** I9: what goes from a log is committed already, or kept durably beside it. */
  cuts(server: number, entries: readonly Entry[], isKept: (id: string) => boolean): void {
    for (const entry of entries) {
      const id = idOf(entry);
      if (id === undefined || this.appliedAt.has(id)) continue;
      if (!isKept(id)) fail('I9', `server ${server} discards ${id} at ${entry.term}/${entry.index} without keeping it`);
      const cut = this.cutOff.get(server) ?? new Set();
      this.cutOff.set(server, cut.add(id));
    }
  }

  /** I9: nothing is called rejected that was committed when the server made sure that it knows all that is. */
  rejects(server: number, id: string, asked: number): void {
    if ((this.appliedAt.get(id) ?? Infinity) <= asked)
      fail('I9', `server ${server} rejects ${id}, which was committed`);
  }

  /** I6: one id, one sequence; what was acknowledged before a publish was sent comes before it. */
  acknowledges(publish: Publish, sequence: number): void {
    if (publish.sequence !== undefined && publish.sequence !== sequence) {
      fail('I6', `${publish.id} was acknowledged at ${publish.sequence} and at ${sequence}`);
    }
    if (sequence <= publish.floor)
      fail('I6', `${publish.id} at ${sequence}, but ${publish.floor} was acknowledged before`);
    publish.sequence = sequence;
    this.acknowledged += 1;
    this.highestAcknowledged = Math.max(this.highestAcknowledged, sequence);
  }

  /** I8: at the moment of an acknowledgement a majority's durable logs hold the entry. */
  isDurable(entry: Entry, either: readonly Configuration[], holders: ReadonlyMap<number, boolean>): void {
    if (either.some((configuration) => quorumVote(configuration, holders) === 'won')) return;
    const on = [...holders].filter(([, holds]) => holds).map(([id]) => id);
    fail('I8', `${entry.term}/${entry.index} was acknowledged, but is durable only on [${on.join()}]`);
  }

  /** I7: never two votes in a term, and none that is not durable. */
  sends(message: Message, durable: HardState): void {
    if (message.kind !== 'vote' || message.preVote || !message.granted) return;
    const key = `${message.from} ${message.term}`;
    const known = this.votes.get(key) ?? message.to;
    this.votes.set(key, known);
    if (known !== message.to)
      fail('I7', `server ${message.from} votes for ${known} and ${message.to} in ${message.term}`);
    const kept = durable.term > message.term || (durable.term === message.term && durable.vote === message.to);
    if (!kept) fail('I7', `server ${message.from} votes for ${message.to} in ${message.term} without remembering it`);
  }

  /** I7: durable term and vote never go back. */
  remembers(server: number, { term, vote, commit }: HardState): void {
    const known = this.promised.get(server);
    const back =
      known !== undefined && (term < known.term || (term === known.term && known.vote !== 0 && vote !== known.vote));
    if (back) fail('I7', `server ${server} remembers ${term}/${vote} after ${known.term}/${known.vote}`);
    this.promised.set(server, { term, vote, commit });
  }

  /** I16: a current read sees everything acknowledged before it was asked. */
  answersRead(server: number, floor: number, sequence: number): void {
    this.reads += 1;
    if (sequence < floor) fail('I16', `server ${server} reads up to ${sequence}, but ${floor} was acknowledged before`);
  }

  /** I3, I4, I9, I11 on one server that has caught up. */
  checkFinal(server: number, ids: readonly string[], rejected: readonly string[]): void {
    if (new Set(rejected).size !== rejected.length) fail('I9', `server ${server} rejects an id twice`);
    const found = new Set([...ids, ...rejected]);
    for (const id of this.cutOff.get(server) ?? []) {
      if (!found.has(id))
        fail('I9', `server ${server} discarded ${id}, which is neither committed nor among the rejected`);
    }
    if (new Set(ids).size !== ids.length) fail('I4', `server ${server} has an id twice`);
    const at = new Map(ids.map((id, place) => [id, place + 1]));
    for (const { id, sequence, maybe, open } of this.publishes.values()) {
      const found = at.get(id);
      if (sequence !== undefined && found !== sequence) {
        fail('I3', `${id} was acknowledged at ${sequence}; server ${server} has it at ${found ?? 'no place'}`);
      }
      const refused = sequence === undefined && !maybe && open === 0;
      if (refused && found !== undefined) fail('I11', `${id} was refused; server ${server} has it at ${found}`);
    }
  }
}
