/**
 * The replicated state machine: applies committed Raft entries to the hub's state and store, the same on every node. Its
 * log file is made durable lazily, together with how far the Raft log was applied; what lies behind is applied again.
 */
import type { Cursor } from '../../../core/cursor';
import type { ConfigurationChange, Configuration } from '../../raft/configuration';
import type { Entry, Snapshot } from '../../raft/entry';
import { publishedIds, type CommandResult } from '../../state/commands';
import type { HubState, KnownEntry, PlannedLine } from '../../state/hub-state';
import { HubError } from '../../../core/errors';
import type { LogLine } from '../../store/log-reader';
import type { Store } from '../../store/store';
import {
  changedMembers,
  decodeSnapshot,
  encodeSnapshot,
  type ClusterState,
  type RaftMark,
  type SnapshotProgress,
} from './cluster';
import { decodeBatch, type CommandBatch } from './command-batch';

export interface StateMachineParts {
  readonly store: Store;
  readonly state: HubState;
  readonly cluster: ClusterState;
  /** Reads committed lines after a cursor from some other node, at most up to `last`, checked. */
  readonly fetchLines: (after: Cursor, last: number) => Promise<readonly PlannedLine[]>;
  readonly onLines: (lines: readonly LogLine[]) => void;
  readonly onClients: () => void;
  readonly onMembers: (cluster: ClusterState) => void;
}

export class StateMachine {
  private cluster: ClusterState;
  /** Batches this node proposed itself need not be decoded again. */
  private readonly own = new Map<number, { readonly data: Uint8Array; readonly batch: CommandBatch }>();
  private durableIndex: number;

  constructor(private readonly parts: StateMachineParts) {
    this.cluster = parts.cluster;
    this.durableIndex = parts.cluster.index;
  }

  get now(): ClusterState {
    return this.cluster;
  }

  /** Entries up to here need not be applied again after a power cut. */
  get durable(): number {
    return this.durableIndex;
  }

  remember(index: number, data: Uint8Array, batch: CommandBatch): void {
    this.own.set(index, { data, batch });
  }

  /** Only when the change was given to the core. */
  changeMembers(entry: Entry, change: ConfigurationChange, configuration: Configuration): void {
    this.cluster = changedMembers({ ...this.cluster, term: entry.term, index: entry.index }, change, configuration);
    this.parts.onMembers(this.cluster);
  }

  /** @returns one result per command of the entry */
  async apply(entry: Entry): Promise<readonly CommandResult[]> {
    if (entry.kind === 'data') return this.applyBatch(entry, entry.data);
    this.moveTo(entry);
    return [];
  }

  private moveTo({ term, index }: Entry): void {
    this.cluster = { ...this.cluster, term, index };
  }

  private async applyBatch(entry: Entry, data: Uint8Array): Promise<readonly CommandResult[]> {
    const { index } = entry;
    const known = this.own.get(index);
    this.own.delete(index);
    const batch = known?.data === data ? known.batch : decodeBatch(data);
    const { store, state } = this.parts;
    const plan = state.plan(batch.commands, batch.receivedAt, await this.known(batch));
    const lines = plan.lines.length > 0 ? await store.append(plan.lines, true) : [];
    // clients.json may be ahead of the watermark: an old registration must not undo a later revocation, not even for a moment.
    const isNews = index > (state.clients.appliedIndex ?? 0);
    if (plan.clients !== undefined && isNews) await store.replaceClients({ ...plan.clients, appliedIndex: index });
    const clientsBefore = state.clients;
    // In one step: a snapshot taken now or a moment later fits its index.
    plan.commit();
    this.moveTo(entry);
    if (plan.clients !== undefined) {
      state.adopt(plan.head, isNews ? { ...plan.clients, appliedIndex: index } : clientsBefore);
      this.parts.onClients();
    }
    if (lines.length > 0) this.parts.onLines(lines);
    return plan.results;
  }

  private async known(batch: CommandBatch): Promise<(id: string) => KnownEntry | HubError | undefined> {
    const found = await this.parts.store.known(publishedIds(batch.commands));
    return (id) => {
      const entry = found?.get(id);
      // A node that cannot read its own log must not decide otherwise than the others.
      if (entry instanceof HubError) throw entry;
      return entry;
    };
  }

  snapshot(): Snapshot {
    const { term, index, configuration, members, nextId } = this.cluster;
    const { head, clients } = this.parts.state;
    return {
      term,
      index,
      configuration,
      data: encodeSnapshot({ members, nextId, head, clients }),
    };
  }

  /** Brings log and clients to where the snapshot is, durably. */
  async install(snapshot: Snapshot): Promise<void> {
    const { store, state } = this.parts;
    const { members, nextId, head, clients } = decodeSnapshot(snapshot.data);
    // From here on lines and clients are not of the Raft log, which a start compares them with.
    await this.mark(false, 'begun');
    await this.catchUp(head);
    await store.replaceClients(clients);
    state.adopt(head, clients);
    this.own.clear();
    const { term, index, configuration } = snapshot;
    this.cluster = { term, index, configuration, members, nextId };
    await this.mark(false, 'installed');
    this.parts.onClients();
    this.parts.onMembers(this.cluster);
  }

  private async catchUp(head: Cursor): Promise<void> {
    const { store, state, fetchLines, onLines } = this.parts;
    while (state.head.sequence < head.sequence) {
      const planned = await fetchLines(state.head, head.sequence);
      const last = planned.at(-1);
      if (last === undefined) throw new HubError('unreachable', 'A peer sent an empty range of the log.');
      const lines = await store.append(planned, true);
      state.adopt({ sequence: last.sequence, digest: last.digest });
      onLines(lines);
    }
    if (state.head.digest === head.digest) return;
    throw new HubError(
      'bad_data',
      `This node's log is another history than the cluster's at sequence ${head.sequence}. Empty its data directory and add it again.`,
    );
  }

  /** Makes log, clients and how far the Raft log was applied durable, together. */
  async mark(closed: boolean, snapshot?: SnapshotProgress): Promise<void> {
    const cluster = this.cluster;
    const clients = this.parts.state.clients.version;
    const mark: RaftMark = { ...cluster, clients, ...(snapshot === undefined ? {} : { snapshot }) };
    await this.parts.store.markWater(closed, mark);
    this.durableIndex = cluster.index;
  }
}
