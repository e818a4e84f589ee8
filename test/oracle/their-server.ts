/**
 * One server of the oracle, `@coaty/consensus.raft`, a port of etcd's core: the same inputs, and what it says in the same words.
 * The package is no dependency: scripts/oracle.mjs installs it apart, and only what is used of it is declared here.
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Entry, EntryContent } from '../../hub/raft/entry';
import type { Message } from '../../hub/raft/message';
import { messageType } from '../conformance/raft/describe';
import type { Server, Setup } from './server';

interface TheirEntry {
  readonly term: number;
  readonly index: number;
  readonly data: unknown;
}

interface TheirMessage {
  readonly type: number;
  /** Ids are texts there, and nobody is "". */
  readonly to: string;
  readonly from: string;
  readonly term: number;
  readonly logTerm: number;
  readonly index: number;
  readonly entries: readonly TheirEntry[];
  readonly commit: number;
  readonly reject: boolean;
  readonly rejectHint: number;
}

interface TheirHardState {
  readonly term: number;
  readonly vote: number;
  readonly commit: number;
  readonly isEmptyHardState: () => boolean;
}

interface Ready {
  readonly hardState: TheirHardState;
  readonly entries: TheirEntry[];
  readonly committedEntries: readonly TheirEntry[];
  readonly messages: readonly TheirMessage[];
}

interface TheirRaft {
  randomizedElectionTimeout: number;
  readonly state: number;
  readonly term: number;
  readonly vote: string;
  readonly lead: string;
  readonly raftLog: { readonly committed: number; readonly lastIndex: () => number; readonly lastTerm: () => number };
}

interface TheirNode {
  readonly raft: TheirRaft;
  readonly campaign: () => void;
  readonly tick: () => void;
  readonly propose: (data: unknown) => void;
  readonly transferLeader: (id: string) => void;
  readonly reportUnreachable: (id: string) => void;
  readonly step: (message: TheirMessage) => void;
  readonly hasReady: () => boolean;
  readonly ready: () => Ready;
  readonly advance: (ready: Ready) => void;
}

interface Storage {
  readonly SetHardState: (state: TheirHardState) => void;
  readonly Append: (entries: TheirEntry[]) => void;
  readonly ApplySnapshot: (snapshot: unknown) => void;
}

type Maker = new (options: object) => never;

type TypeName = 'RaftConfig' | 'Snapshot' | 'SnapshotMetadata' | 'ConfState' | 'HardState' | 'Message' | 'Entry';

interface Oracle {
  readonly newNode: (config: object) => TheirNode;
  readonly newStorage: () => Storage;
  readonly make: (name: TypeName, options: object) => never;
  /** Numbers to names and back, as TypeScript makes its enumerations. */
  readonly types: Readonly<Record<string | number, string | number>>;
  readonly states: Readonly<Record<number, string>>;
  readonly discardLogger: object;
}

/** @param folder where the package is */
export function loadOracle(folder: string): Oracle {
  const require = createRequire(path.join(folder, 'package.json'));
  const load = (name: string): Record<string, unknown> =>
    require(path.join(folder, 'node_modules/@coaty/consensus.raft/ported', name)) as Record<string, unknown>;
  const all = { ...load('raft'), ...load('raftpb/raft.pb') };
  const { RawNode } = load('rawnode') as { RawNode: { NewRawNode: (config: object) => TheirNode } };
  const { MemoryStorage } = load('storage') as { MemoryStorage: { NewMemoryStorage: () => Storage } };
  const { discardLogger } = load('logger') as { discardLogger: object };
  return {
    newNode: (config) => RawNode.NewRawNode(config),
    newStorage: () => MemoryStorage.NewMemoryStorage(),
    make: (name, options) => new (all[name] as Maker)(options),
    types: all['MessageType'] as Record<string | number, string | number>,
    states: all['StateType'] as Record<number, string>,
    discardLogger,
  };
}

export class TheirServer implements Server {
  private readonly storage: Storage;
  private node: TheirNode;
  private applied = 1;
  readonly committed: string[] = [];

  constructor(
    readonly id: number,
    private readonly setup: Setup,
    private readonly oracle: Oracle,
  ) {
    this.storage = oracle.newStorage();
    this.storage.ApplySnapshot(this.snapshot(1, 1));
    this.storage.SetHardState(oracle.make('HardState', { term: 1, vote: '', commit: 1 }));
    this.node = this.start();
  }

  private snapshot(term: number, index: number): never {
    const confState = this.oracle.make('ConfState', { voters: this.setup.voters.map(String) });
    const metadata = this.oracle.make('SnapshotMetadata', { confState, index, term });
    return this.oracle.make('Snapshot', { metadata });
  }

  private start(): TheirNode {
    const { preVote, checkQuorum, electionTicks, maxInflight, oneByOne } = this.setup;
    const huge = Number.MAX_SAFE_INTEGER;
    const node = this.oracle.newNode(
      this.oracle.make('RaftConfig', {
        ...{
          id: String(this.id),
          electionTick: electionTicks,
          heartbeatTick: 1,
          storage: this.storage,
          preVote,
          checkQuorum,
        },
        ...{ applied: this.applied, maxSizePerMsg: oneByOne ? 0 : huge, maxCommittedSizePerReady: huge },
        ...{ maxUncommittedEntriesSize: huge, maxInflightMsgs: maxInflight, logger: this.oracle.discardLogger },
      }),
    );
    node.raft.randomizedElectionTimeout = Infinity;
    return node;
  }

  restart(): void {
    this.node = this.start();
  }

  campaign(): void {
    this.node.campaign();
  }

  tick(): void {
    this.node.tick();
  }

  propose(text: string): void {
    this.node.propose(text);
  }

  transfer(target: number): void {
    this.node.transferLeader(String(target));
  }

  unreachable(id: number): void {
    this.node.reportUnreachable(String(id));
  }

  step(message: Message): void {
    const { from, to, term } = message;
    // There a wish to hand over comes from whoever is to lead.
    const sender = message.kind === 'forward-transfer' ? message.target : from;
    const head = { type: this.oracle.types[messageType(message)], from: String(sender), to: String(to), term };
    this.node.step(this.oracle.make('Message', { ...head, ...this.fieldsOf(message) }));
  }

  private fieldsOf(message: Message): object {
    switch (message.kind) {
      case 'append': {
        const { previous, entries, commit } = message;
        return {
          logTerm: previous.term,
          index: previous.index,
          commit,
          entries: entries.map((each) => this.entry(each)),
        };
      }
      case 'append-accepted':
        return { index: message.index };
      case 'append-rejected':
        return { index: message.index, reject: true, rejectHint: message.hint.index, logTerm: message.hint.term };
      case 'heartbeat':
        return { commit: message.commit };
      case 'request-vote':
        return {
          logTerm: message.last.term,
          index: message.last.index,
          ...(message.transfer ? { context: 'CampaignTransfer' } : {}),
        };
      case 'snapshot': {
        const { term, index } = message.snapshot;
        return { snapshot: this.snapshot(term, index) };
      }
      case 'vote':
        return { reject: !message.granted };
      case 'forward-proposals':
        return { entries: message.proposals.map((each) => this.entry(each)) };
      default:
        return {};
    }
  }

  private entry(entry: EntryContent & Partial<Entry>): never {
    const data = entry.kind === 'data' ? Buffer.from(entry.data).toString() : '';
    return this.oracle.make('Entry', { term: entry.term ?? 0, index: entry.index ?? 0, data });
  }

  settle(): readonly string[] {
    const said: string[] = [];
    while (this.node.hasReady()) {
      const ready = this.node.ready();
      if (!ready.hardState.isEmptyHardState()) this.storage.SetHardState(ready.hardState);
      this.storage.Append(ready.entries);
      for (const message of ready.messages) said.push(this.text(message));
      for (const { term, index, data } of ready.committedEntries) {
        this.applied = index;
        this.committed.push(`${term}/${index} ${textOf(data)}`);
      }
      this.node.advance(ready);
    }
    this.node.raft.randomizedElectionTimeout = Infinity;
    return said;
  }

  private text(message: TheirMessage): string {
    const { from, to, type, term, logTerm, index, commit, reject, rejectHint, entries } = message;
    const rejected = reject ? ` Rejected (Hint: ${rejectHint})` : '';
    const head = `${from}->${to} ${String(this.oracle.types[type])} Term:${term} Log:${logTerm}/${index}${rejected}${commit === 0 ? '' : ` Commit:${commit}`}`;
    const lines = entries.map((each) => `${each.term}/${each.index} EntryNormal ${JSON.stringify(textOf(each.data))}`);
    if (lines.length === 0) return head;
    if (lines.length === 1) return `${head} Entries:[${lines[0] ?? ''}]`;
    return [`${head} Entries:[`, ...lines.map((line) => `  ${line}`), ']'].join(' ');
  }

  describe(): string {
    const { state, term, vote, lead, raftLog } = this.node.raft;
    const last = `${raftLog.lastTerm()}/${raftLog.lastIndex()}`;
    return `${this.oracle.states[state] ?? '?'} term ${term} vote ${Number(vote)} leader ${Number(lead)} commit ${raftLog.committed} last ${last}`;
  }
}

const textOf = (data: unknown): string => (typeof data === 'string' ? data : '');
