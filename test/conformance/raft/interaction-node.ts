/** One server of an interaction file: the core, a disk in memory and a state machine that only counts. */
import { EMPTY_CONFIGURATION, type Configuration } from '../../../hub/raft/configuration';
import { LOG_START, type Entry, type HardState, type LogPosition, type Snapshot } from '../../../hub/raft/entry';
import type { Message } from '../../../hub/raft/message';
import type { RaftOptions } from '../../../hub/raft/options';
import type { Output, Persist } from '../../../hub/raft/output';
import { RawNode } from '../../../hub/raft/raw-node';
import {
  describeEntry,
  describeHardState,
  describeMessage,
  describeSnapshot,
  roleName,
  type IsFirstForm,
} from './describe';

export type NodeSetup = Omit<RaftOptions, 'id' | 'snapshot'>;

export class InteractionNode {
  readonly core: RawNode;
  private base: LogPosition = LOG_START;
  private entries: Entry[] = [];
  private hardState: HardState;
  private history: Snapshot;

  constructor(
    readonly id: number,
    setup: NodeSetup,
    start: Snapshot | undefined,
    private readonly isFirstForm: IsFirstForm,
  ) {
    this.history = start ?? { ...LOG_START, configuration: EMPTY_CONFIGURATION, data: new Uint8Array() };
    if (start !== undefined) this.base = { term: start.term, index: start.index };
    this.hardState = { term: 0, vote: 0, commit: this.base.index };
    this.core = new RawNode(
      { ...setup, id, snapshot: () => this.history },
      {
        hardState: this.hardState,
        configuration: this.history.configuration,
        base: this.base,
        entries: [],
        applied: this.base.index,
      },
    );
  }

  get snapshot(): Snapshot {
    return this.history;
  }

  describeLog(): string[] {
    if (this.entries.length > 0) return this.entries.map((entry) => describeEntry(entry, this.isFirstForm));
    return [`log is empty: first index=${this.base.index + 1}, last index=${this.base.index}`];
  }

  compact(index: number): void {
    this.core.compact(index);
    const term = this.entries.find((entry) => entry.index === index)?.term ?? this.base.term;
    this.entries = this.entries.filter((entry) => entry.index > index);
    this.base = { term, index };
  }

  /** Works off one output as a whole, as if the disk were instant. Returns what it said and what it sends. */
  processReady(): { lines: string[]; messages: readonly Message[] } {
    const output = this.core.takeOutput();
    const messages = inOrder([...output.now.messages, ...output.afterPersist.messages]);
    const committed = [...output.now.apply, ...output.afterPersist.apply];
    const lines = this.describeReady(output, committed, messages);
    if (output.persist !== undefined) this.write(output.persist);
    for (const entry of committed) this.apply(entry);
    if (output.persist !== undefined) this.core.persisted(output.persist.number);
    const last = committed.at(-1);
    if (last !== undefined) this.core.applied(last.index);
    return { lines, messages };
  }

  private write({ hardState, snapshot, entries }: Persist): void {
    this.hardState = hardState ?? this.hardState;
    if (snapshot !== undefined) {
      this.base = { term: snapshot.term, index: snapshot.index };
      this.entries = [];
      this.history = snapshot;
    }
    const first = entries[0]?.index ?? Infinity;
    this.entries = [...this.entries.filter((entry) => entry.index < first), ...entries];
  }

  private apply(entry: Entry): void {
    let configuration: Configuration = this.history.configuration;
    if (entry.kind === 'configuration') configuration = this.core.applyChange(entry.change);
    this.history = { term: entry.term, index: entry.index, configuration, data: this.history.data };
  }

  private describeReady(output: Output, committed: readonly Entry[], messages: readonly Message[]): string[] {
    const { softState, persist } = output;
    const lines: string[] = [];
    if (softState !== undefined) lines.push(`Lead:${softState.leader} State:${roleName(softState.role)}`);
    if (persist?.hardState !== undefined) lines.push(`HardState ${describeHardState(persist.hardState)}`);
    const reads = output.now.reads.map(({ index, read }) => `{${index} [${[...Buffer.from(read)].join(' ')}]}`);
    if (reads.length > 0) lines.push(`ReadStates [${reads.join(' ')}]`);
    lines.push(...this.block('Entries:', persist?.entries ?? []));
    if (persist?.snapshot !== undefined) lines.push(`Snapshot ${describeSnapshot(persist.snapshot)}`);
    lines.push(...this.block('CommittedEntries:', committed));
    if (messages.length > 0) lines.push('Messages:');
    lines.push(...messages.flatMap((message) => describeMessage(message, this.isFirstForm)));
    if (lines.length === 0) return ['<empty Ready>'];
    return [`Ready MustSync=${persist !== undefined && this.mustSync(persist)}:`, ...lines];
  }

  /** The files do not count a received snapshot as something to be synced. */
  private mustSync({ mustSync, snapshot, entries, hardState = this.hardState }: Persist): boolean {
    const promised = hardState.term !== this.hardState.term || hardState.vote !== this.hardState.vote;
    return mustSync && (snapshot === undefined || entries.length > 0 || promised);
  }

  private block(title: string, entries: readonly Entry[]): string[] {
    if (entries.length === 0) return [];
    return [title, ...entries.map((entry) => describeEntry(entry, this.isFirstForm))];
  }
}

/** The files list answers about votes and appends last. */
function inOrder(messages: readonly Message[]): Message[] {
  const late = ({ kind }: Message): boolean =>
    kind === 'append-accepted' || kind === 'append-rejected' || kind === 'vote';
  return [...messages.filter((message) => !late(message)), ...messages.filter(late)];
}
