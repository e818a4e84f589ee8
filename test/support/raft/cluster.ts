/** Servers of the consensus core joined by a message list that the test controls; their disks are instant. */
import { EMPTY_CONFIGURATION, type Configuration } from '../../../hub/raft/configuration';
import { LOG_START, type Entry, type HardState, type LogPosition, type Snapshot } from '../../../hub/raft/entry';
import type { Message, MessageBody } from '../../../hub/raft/message';
import { DEFAULT_LIMITS, type RaftLimits, type RaftOptions, type RestartState } from '../../../hub/raft/options';
import type { Output, Persist } from '../../../hub/raft/output';
import { RawNode } from '../../../hub/raft/raw-node';

export const ELECTION_TICKS = 10;

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (data: Uint8Array): string => new TextDecoder().decode(data);
export const voters = (...ids: number[]): Configuration => ({ ...EMPTY_CONFIGURATION, voters: ids });

/** A log of data entries: `logOf(1, 1, 3)` has terms 1, 1, 3 at indexes 1, 2, 3. */
export const logOf = (...terms: number[]): Entry[] =>
  terms.map((term, at) => ({ term, index: at + 1, kind: 'data', data: bytes(`${term}/${at + 1}`) }));

export type Setup = Partial<Omit<RaftOptions, 'limits' | 'id' | 'snapshot'>> & { limits?: Partial<RaftLimits> };

export const optionsFor = (id: number, { limits, ...setup }: Setup = {}): RaftOptions => ({
  id,
  electionTicks: ELECTION_TICKS,
  heartbeatTicks: 1,
  // A different election time for each server, the same in every run.
  random: () => (id % 10) / 10,
  preVote: false,
  checkQuorum: false,
  readMode: 'safe',
  forwardProposals: true,
  stepDownOnRemoval: false,
  snapshot: () => undefined,
  ...setup,
  limits: { ...DEFAULT_LIMITS, ...limits },
});

export interface Start {
  readonly configuration?: Configuration;
  readonly term?: number;
  readonly vote?: number;
  readonly commit?: number;
  readonly base?: LogPosition;
  readonly entries?: readonly Entry[];
  readonly applied?: number;
}

export function restartState(start: Start, configuration: Configuration): RestartState {
  const base = start.base ?? LOG_START;
  const entries = start.entries ?? [];
  const term = start.term ?? entries.at(-1)?.term ?? base.term;
  return {
    hardState: { term, vote: start.vote ?? 0, commit: start.commit ?? base.index },
    configuration: start.configuration ?? configuration,
    base,
    entries,
    applied: start.applied ?? base.index,
  };
}

export class TestServer {
  core: RawNode;
  /** What the disk holds. */
  hardState: HardState;
  base: LogPosition;
  entries: Entry[];
  readonly applied: Entry[] = [];
  readonly reads: { read: string; index: number }[] = [];
  snapshot: Snapshot | undefined;
  configuration: Configuration;
  /** Snapshots are taken when they are asked for; else `compact` takes them. */
  private readonly freshSnapshots: boolean;
  readonly options: RaftOptions;

  constructor(id: number, configuration: Configuration, setup: Setup = {}, start: Start = {}) {
    this.options = {
      ...optionsFor(id, setup),
      snapshot: () => (this.freshSnapshots ? this.takeSnapshot() : this.snapshot),
    };
    const state = restartState(start, configuration);
    this.hardState = state.hardState;
    this.base = state.base;
    this.entries = [...state.entries];
    this.configuration = state.configuration;
    this.freshSnapshots = start.base !== undefined;
    this.core = new RawNode(this.options, state);
  }

  get id(): number {
    return this.options.id;
  }

  get role() {
    return this.core.status().role;
  }

  get log(): string[] {
    return this.entries.map(({ term, index }) => `${term}/${index}`);
  }

  /** The texts of the data entries applied so far. */
  get texts(): string[] {
    return this.applied.flatMap((entry) => (entry.kind === 'data' ? [text(entry.data)] : []));
  }

  /** Works off all outputs; returns what is to be sent. */
  work(): Message[] {
    const sent: Message[] = [];
    while (this.core.hasOutput()) sent.push(...this.workOnce(this.core.takeOutput()));
    return sent;
  }

  private workOnce({ now, persist, afterPersist }: Output): Message[] {
    if (persist !== undefined) {
      this.write(persist);
      this.core.persisted(persist.number);
    }
    for (const entry of [...now.apply, ...afterPersist.apply]) this.apply(entry);
    this.reads.push(...now.reads);
    return [...now.messages, ...afterPersist.messages];
  }

  private write({ hardState, snapshot, entries }: Persist): void {
    this.hardState = hardState ?? this.hardState;
    if (snapshot !== undefined) {
      this.base = { term: snapshot.term, index: snapshot.index };
      this.entries = [];
      this.snapshot = snapshot;
      this.configuration = snapshot.configuration;
    }
    const first = entries[0]?.index ?? Infinity;
    this.entries = [...this.entries.filter(({ index }) => index < first), ...entries];
  }

  private apply(entry: Entry): void {
    if (entry.kind === 'configuration') this.configuration = this.core.applyChange(entry.change);
    this.applied.push(entry);
    this.core.applied(entry.index);
  }

  private takeSnapshot(): Snapshot {
    const { term, index } = this.applied.at(-1) ?? this.base;
    return { term, index, configuration: this.configuration, data: bytes(`state at ${index}`) };
  }

  /** Snapshots the state machine and forgets the log below. */
  compact(index = this.core.status().applied): void {
    const term = this.entries.find((entry) => entry.index === index)?.term ?? this.base.term;
    this.snapshot = { term, index, configuration: this.configuration, data: bytes(`state at ${index}`) };
    this.core.compact(index);
    this.entries = this.entries.filter((entry) => entry.index > index);
    this.base = { term, index };
  }

  /** Starts anew from what the disk holds. */
  restart(): void {
    const { hardState, configuration, base, entries } = this;
    const applied = Math.max(base.index, this.applied.at(-1)?.index ?? 0);
    this.core = new RawNode(this.options, { hardState, configuration, base, entries, applied });
  }

  tick(ticks: number): void {
    for (let at = 0; at < ticks; at += 1) this.core.tick();
  }

  /** One message in, what it brings out. */
  receive(from: number, term: number, body: MessageBody): Message[] {
    this.core.step({ from, to: this.id, term, ...body });
    return this.work();
  }
}

export type Filter = (message: Message) => boolean;

export class Cluster {
  readonly servers = new Map<number, TestServer>();
  wire: Message[] = [];
  private readonly cut = new Set<number>();
  /** Messages it refuses are lost. */
  passes: Filter = () => true;

  constructor(
    configuration: Configuration,
    private readonly setup: Setup = {},
    starts: Readonly<Record<number, Start>> = {},
  ) {
    for (const id of [...configuration.voters, ...configuration.learners]) this.add(id, configuration, starts[id]);
  }

  static of(count: number, setup: Setup = {}, starts: Readonly<Record<number, Start>> = {}): Cluster {
    return new Cluster(voters(...Array.from({ length: count }, (_, at) => at + 1)), setup, starts);
  }

  add(id: number, configuration: Configuration = EMPTY_CONFIGURATION, start: Start = {}): TestServer {
    const server = new TestServer(id, configuration, this.setup, start);
    this.servers.set(id, server);
    return server;
  }

  server(id: number): TestServer {
    const server = this.servers.get(id);
    if (server === undefined) throw new Error(`no server ${id}`);
    return server;
  }

  isolate(...ids: number[]): void {
    for (const id of ids) this.cut.add(id);
  }

  heal(): void {
    this.cut.clear();
    this.passes = () => true;
  }

  /** Works and delivers until nothing is left; messages of isolated servers and refused ones are lost. */
  settle(): void {
    for (let round = 0; round < 1000; round += 1) {
      const sent = [...this.servers.values()].flatMap((server) => server.work());
      const all = [...this.wire, ...sent];
      this.wire = [];
      if (all.length === 0) return;
      for (const message of all) {
        if (this.cut.has(message.from) || this.cut.has(message.to) || !this.passes(message)) continue;
        this.servers.get(message.to)?.core.step(message);
      }
    }
    throw new Error('the cluster does not come to rest');
  }

  elect(id: number): TestServer {
    this.server(id).core.campaign();
    this.settle();
    return this.server(id);
  }

  propose(id: number, ...texts: string[]): void {
    for (const each of texts) this.server(id).core.propose(bytes(each));
    this.settle();
  }

  /** Time passes for everyone. */
  tick(ticks: number): void {
    for (let at = 0; at < ticks; at += 1) {
      for (const server of this.servers.values()) server.core.tick();
      this.settle();
    }
  }

  leaders(): number[] {
    return [...this.servers.values()].filter(({ role }) => role === 'leader').map(({ id }) => id);
  }
}
