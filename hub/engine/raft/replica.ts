/**
 * Drives the consensus core of one node: does what its outputs say in the order they say it, one write at a time, applies
 * what is committed, and forgets what nobody needs any more. Knows entries and messages, not commands.
 */
import { HubError } from '../../../core/errors';
import type { ConfigurationChange } from '../../raft/configuration';
import { NOBODY, type Entry, type Snapshot } from '../../raft/entry';
import type { Message } from '../../raft/message';
import { DEFAULT_LIMITS } from '../../raft/options';
import type { Output, Persist } from '../../raft/output';
import type { ProposalResult } from '../../raft/proposals';
import { RawNode } from '../../raft/raw-node';
import type { RaftStatus } from '../../raft/status';
import type { Role } from '../../raft/state';
import type { RaftLog, Recovered } from '../../raft-log/raft-log';
import type { CommandResult } from '../../state/commands';
import {
  COMPACT_BYTES,
  ELECTION_TICKS,
  HEARTBEAT_TICKS,
  MAX_UNCOMMITTED_BYTES,
  SNAPSHOT_REPORT_MS,
  STALL_MS,
  TICK_MS,
} from './limits';
import { DiskRoom } from './disk-room';
import { MarkSchedule } from './mark-schedule';
import { Standing } from './standing';
import type { StateMachine } from './state-machine';
import { UnappliedTail } from './unapplied-tail';
import { WaitingReads } from './waiting-reads';

export interface ReplicaParts {
  readonly id: number;
  readonly log: RaftLog;
  readonly recovered: Recovered;
  readonly machine: StateMachine;
  readonly keepEntries: number;
  readonly send: (message: Message) => void;
  /** These are about to go: durable when it resolves. */
  readonly discard: (entries: readonly Entry[]) => Promise<void>;
  readonly applied: (entry: Entry, results: readonly CommandResult[]) => void;
  /** Role or leader changed. */
  readonly changed: () => void;
  readonly warn: (message: string) => void;
  /** The node must end: nothing it promises could be trusted. */
  readonly crash: (error: unknown) => void;
}

export class Replica {
  private readonly core: RawNode;
  /** What touches the state machine happens one after the other, in this order. */
  private readonly tasks: (() => Promise<void>)[] = [];
  private working: Promise<void> | undefined;
  /** So does what touches the Raft log. */
  private logTurn: Promise<void> = Promise.resolve();
  private persisting: Promise<void> | undefined;
  private ticker: NodeJS.Timeout | undefined;
  private lastSyncMs = 0;
  private syncBegan: number | undefined;
  private lastTick = performance.now();
  /** Takes nothing new any more, finishes what is under way. */
  private stopping = false;
  /** Nothing is written, applied or sent any more. */
  private readonly end = new AbortController();
  private roleNow: Role = 'follower';
  private leaderNow = NOBODY;
  /** Monotonic time since which there has been no leader; undefined = there is one. */
  private leaderlessSince: number | undefined = performance.now();
  private readonly reads: WaitingReads;
  private readonly tail: UnappliedTail;
  private bytesSinceCompaction = 0;
  private readonly room: DiskRoom;
  private readonly marks: MarkSchedule;
  private readonly standing: Standing;

  constructor(private readonly parts: ReplicaParts) {
    const { machine, recovered, id } = parts;
    const { index, configuration } = machine.now;
    this.tail = new UnappliedTail(recovered.entries, index);
    this.core = new RawNode(
      {
        id,
        electionTicks: ELECTION_TICKS,
        heartbeatTicks: HEARTBEAT_TICKS,
        random: Math.random,
        preVote: true,
        checkQuorum: true,
        readMode: 'safe',
        forwardProposals: false,
        stepDownOnRemoval: true,
        snapshot: () => machine.snapshot(),
        limits: { ...DEFAULT_LIMITS, maxUncommittedBytes: MAX_UNCOMMITTED_BYTES },
      },
      { ...recovered, configuration, applied: index },
    );
    this.reads = new WaitingReads(id);
    this.room = new DiskRoom(parts);
    this.standing = new Standing({
      isLeaderless: () => !this.stopping && this.leaderNow === NOBODY,
      stand: () => this.act((core) => core.campaign()),
      random: Math.random,
    });
    this.marks = new MarkSchedule(() => this.queueTask(() => this.mark()));
  }

  start(): void {
    const { machine, id } = this.parts;
    const { configuration } = machine.now;
    this.lastTick = performance.now();
    this.ticker = setInterval(() => this.tick(), TICK_MS);
    // Nobody else could lead: no reason to wait.
    if (configuration.voters.length === 1 && configuration.voters[0] === id) this.core.campaign();
    this.pump();
  }

  get role(): Role {
    return this.roleNow;
  }

  get leader(): number {
    return this.leaderNow;
  }

  /** For how long there has been no leader. */
  get leaderlessMs(): number {
    return this.leaderlessSince === undefined ? 0 : performance.now() - this.leaderlessSince;
  }

  get appliedIndex(): number {
    return this.parts.machine.now.index;
  }

  /** How long the last write that had to be durable took, or the one under way takes already. */
  get syncMs(): number {
    const { lastSyncMs, syncBegan } = this;
    return syncBegan === undefined ? lastSyncMs : Math.max(lastSyncMs, performance.now() - syncBegan);
  }

  /** Why this node cannot write now, in words. */
  get writeFault(): string | undefined {
    return this.room.fault ?? this.parts.log.failure;
  }

  status(): RaftStatus {
    return this.core.status();
  }

  private get closed(): boolean {
    return this.end.signal.aborted;
  }

  private tick(): void {
    const now = performance.now();
    const stalledMs = now - this.lastTick - TICK_MS;
    this.lastTick = now;
    if (stalledMs > STALL_MS) this.parts.warn(`This process stood still for ${Math.round(stalledMs)} ms.`);
    this.act((core) => core.tick());
  }

  private act<T>(call: (core: RawNode) => T): T {
    const result = call(this.core);
    this.pump();
    return result;
  }

  step(message: Message): void {
    if (this.stopping) return;
    try {
      this.act((core) => core.step(message));
    } catch (error) {
      this.failed(error);
    }
  }

  propose(data: Uint8Array): ProposalResult {
    return this.act((core) => core.propose(data));
  }

  proposeChange(change: ConfigurationChange): ProposalResult {
    return this.act((core) => core.proposeChange(change));
  }

  transferLeadership(target: number): void {
    this.act((core) => core.transferLeadership(target));
  }

  undelivered(node: number): void {
    if (!this.stopping) this.act((core) => core.reportUnreachable(node));
  }

  /** The leader's connection closed: its process is gone, and waiting for its silence would only cost time (P10). */
  leaderGone(node: number): void {
    if (this.stopping || this.leaderNow !== node || this.roleNow !== 'follower') return;
    this.act((core) => core.forgetLeader());
    this.standing.begin();
  }

  /** @returns the index from which on a read is current; undefined = there is no leader that a majority follows */
  readIndex(timeoutMs: number): Promise<number | undefined> {
    if (this.stopping) return Promise.resolve(undefined);
    return this.reads.ask(timeoutMs, (key) => this.act((core) => core.askRead(key)));
  }

  /** @returns whether it was within the time */
  waitApplied(index: number, timeoutMs: number): Promise<boolean> {
    const isApplied = this.appliedIndex >= index;
    return isApplied || this.stopping ? Promise.resolve(isApplied) : this.reads.waitApplied(index, timeoutMs);
  }

  private pump(): void {
    while (!this.closed && this.core.hasOutput()) this.handle(this.core.takeOutput());
  }

  private handle(output: Output): void {
    const { softState, now, persist, afterPersist } = output;
    if (persist !== undefined) {
      const done = this.persist(persist, afterPersist).catch((error: unknown) => this.failed(error));
      this.persisting = done;
      void done.then(() => {
        if (this.persisting === done) this.persisting = undefined;
      });
    }
    for (const message of now.messages) this.send(message);
    this.applyAll(now.apply);
    for (const { read, index } of now.reads) this.reads.answer(read, index);
    if (softState === undefined) return;
    this.roleNow = softState.role;
    this.leaderNow = softState.leader;
    this.leaderlessSince = this.leaderNow === NOBODY ? (this.leaderlessSince ?? performance.now()) : undefined;
    this.parts.changed();
  }

  private async persist(persist: Persist, after: Output['afterPersist']): Promise<void> {
    const { hardState, snapshot, entries, mustSync, number } = persist;
    const gone = this.tail.lostTo(persist);
    if (gone.length > 0) await this.room.until(() => this.parts.discard(gone));
    if (snapshot !== undefined) await this.install(snapshot);
    const restore = snapshot === undefined ? undefined : { term: snapshot.term, index: snapshot.index };
    const began = performance.now();
    if (mustSync) this.syncBegan = began;
    await this.room.until(() => this.inLogTurn((log) => log.write({ hardState, restore, entries, sync: mustSync })));
    if (mustSync) this.lastSyncMs = performance.now() - began;
    this.syncBegan = undefined;
    if (this.closed) return;
    this.tail.wrote(persist, this.appliedIndex);
    for (const entry of entries) if (entry.kind === 'data') this.bytesSinceCompaction += entry.data.length;
    this.core.persisted(number);
    for (const message of after.messages) this.send(message);
    this.applyAll(after.apply);
    this.pump();
  }

  /** Entries handed out before the snapshot are applied before it. */
  private async install(snapshot: Snapshot): Promise<void> {
    const { signal } = this.end;
    let ended: () => void = () => undefined;
    // When the node ends first, its turn never comes.
    const ending = new Promise<never>((_, reject) => {
      ended = () => reject(new HubError('going_away', 'The node is stopping.'));
    });
    signal.addEventListener('abort', ended);
    const installed = new Promise<void>((resolve, reject) => {
      this.queueTask(() => this.room.until(() => this.parts.machine.install(snapshot)).then(resolve, reject));
    });
    try {
      await Promise.race([installed, ending]);
    } finally {
      signal.removeEventListener('abort', ended);
    }
    this.reads.applied(this.appliedIndex);
  }

  private inLogTurn(work: (log: RaftLog) => Promise<void>): Promise<void> {
    const turn = this.logTurn.then(() => work(this.parts.log));
    this.logTurn = turn.catch(() => undefined); // Whoever asked for the work is told.
    return turn;
  }

  /** Whatever could not be done, nothing may be built on it: neither promises nor what would be applied next. */
  private failed(error: unknown): void {
    if (this.closed) return;
    this.end.abort();
    if (!this.stopping) return this.parts.crash(error);
    this.parts.warn(`Not finished at the stop: ${error instanceof Error ? error.message : String(error)}`);
  }

  private send(message: Message): void {
    if (message.kind === 'snapshot') {
      setTimeout(() => {
        if (!this.closed) this.act((core) => core.reportSnapshot(message.to, true));
      }, SNAPSHOT_REPORT_MS);
    }
    this.parts.send(message);
  }

  private applyAll(entries: readonly Entry[]): void {
    for (const entry of entries) this.queueTask(() => this.applyOne(entry));
  }

  private queueTask(task: () => Promise<void>): void {
    this.tasks.push(task);
    this.working ??= this.work();
  }

  private async work(): Promise<void> {
    try {
      // Not in the middle of an output: everything it asks for is taken in first.
      await Promise.resolve();
      for (let task = this.tasks.shift(); task !== undefined && !this.closed; task = this.tasks.shift()) await task();
    } catch (error) {
      this.failed(error);
    }
    // In the same turn as the last look at the tasks: one that comes later begins anew, and waits for nobody.
    this.working = undefined;
  }

  private async applyOne(entry: Entry): Promise<void> {
    const { machine } = this.parts;
    if (entry.kind === 'configuration') machine.changeMembers(entry, entry.change, this.core.applyChange(entry.change));
    let results: readonly CommandResult[] = [];
    await this.room.until(async () => {
      results = await machine.apply(entry);
    });
    if (this.closed) return;
    this.core.applied(entry.index);
    this.tail.applied(entry.index);
    this.parts.applied(entry, results);
    this.reads.applied(this.appliedIndex);
    this.marks.touch();
    this.pump();
    if (this.isCompactionDue()) await this.mark();
  }

  private isCompactionDue(): boolean {
    const held = this.appliedIndex - this.core.status().firstIndex;
    return held > 2 * this.parts.keepEntries || this.bytesSinceCompaction > COMPACT_BYTES;
  }

  /** Makes the state machine durable, then forgets what lies far enough below that. */
  private async mark(): Promise<void> {
    try {
      await this.parts.machine.mark(false);
      if (this.isCompactionDue()) await this.compact();
    } catch (error) {
      if (!(error instanceof HubError) || error.code !== 'disk_full') throw error;
      this.parts.warn(`The watermark was not written: ${error.message}`);
    }
  }

  private async compact(): Promise<void> {
    const keep = this.bytesSinceCompaction > COMPACT_BYTES ? 0 : this.parts.keepEntries;
    const index = this.parts.machine.durable - keep;
    const term = this.core.termAt(index);
    if (term === undefined) return;
    await this.inLogTurn((log) => log.compact({ term, index }));
    this.core.compact(index);
    this.bytesSinceCompaction = 0;
    this.pump();
  }

  /** After this nothing is sent, written or applied any more. */
  async close(): Promise<void> {
    clearInterval(this.ticker);
    this.standing.stop();
    this.marks.close();
    this.stopping = true;
    this.room.stop();
    this.reads.close();
    while (this.persisting !== undefined || this.working !== undefined) {
      await Promise.all([this.persisting, this.working]);
    }
    this.end.abort();
    try {
      await this.parts.machine.mark(true);
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      this.parts.warn(`The watermark was not written at the stop: ${error.message}`);
    }
    await this.parts.log.close();
  }
}
