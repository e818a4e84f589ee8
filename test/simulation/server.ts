/** One simulated server: the real core, driven as the hub will drive it, on a simulated disk and network. */
import type { Configuration, ConfigurationChange } from '../../hub/raft/configuration';
import type { Entry, Snapshot } from '../../hub/raft/entry';
import type { Message } from '../../hub/raft/message';
import { DEFAULT_LIMITS } from '../../hub/raft/options';
import type { Output, Persist } from '../../hub/raft/output';
import { RawNode } from '../../hub/raft/raw-node';
import { UnappliedTail } from '../../hub/engine/raft/unapplied-tail';
import type { DriverBug } from './bugs';
import type { SimulationSetup } from './configuration';
import { DiscardFiles, Discards } from './discards';
import { replay, SimulatedDisk } from './disk';
import { idOf, type History, type Publish } from './history';
import { Journal } from './journal';
import { Random } from './random';
import { StateMachine } from './state-machine';

const TICK_MS = 100;
const ELECTION_TICKS = 10;
const SNAPSHOT_REPORT_MS = 1_000;

export interface ServerHost {
  readonly now: () => number;
  readonly after: (ms: number, run: () => void) => void;
  readonly transmit: (message: Message) => void;
  readonly durableHolders: (configurations: readonly Configuration[], entry: Entry) => ReadonlyMap<number, boolean>;
  readonly trace: (text: () => string) => void;
  readonly counted: (fault: string) => void;
  readonly random: Random;
  readonly history: History;
  readonly setup: SimulationSetup;
  readonly bugs: ReadonlySet<DriverBug>;
}

interface Waiter {
  readonly publish: Publish;
  /** Where the leader appended it; unknown for one that was passed on. */
  readonly at: { readonly term: number; readonly index: number } | undefined;
}

export class SimulatedServer {
  readonly disk = new SimulatedDisk();
  readonly discardFiles = new DiscardFiles();
  core: RawNode | undefined;
  journal: Journal | undefined;
  machine: StateMachine;
  private configuration: Configuration;
  /** The one before: a leader may have committed by it what follows a change, before it applied the change. */
  private earlier: Configuration;
  private life = 0;
  private waiters: Waiter[] = [];
  private readonly reading = new Map<string, { floor: number; index: number | undefined }>();
  private tail = new UnappliedTail([], 0);
  private discards: Discards | undefined;
  private caughtUp: { readonly key: string; readonly then: () => void } | undefined;
  private asked = 0;
  /** Its own, so that discards do not change what else a seed does. */
  private readonly discardRandom: Random;
  private compacting = false;
  private leading = false;
  private readonly tickMs: number;

  constructor(
    readonly id: number,
    start: Snapshot,
    private readonly host: ServerHost,
  ) {
    const first = start.index > 0;
    if (first) this.disk.write([{ kind: 'snapshot', snapshot: start }]);
    this.disk.sync();
    this.configuration = start.configuration;
    this.earlier = start.configuration;
    this.machine = new StateMachine(true);
    this.discardRandom = new Random(host.setup.servers * 1_000 + id);
    this.tickMs = host.setup.faults.clockSkew ? TICK_MS * (0.8 + 0.45 * host.random.next()) : TICK_MS;
  }

  get up(): boolean {
    return this.core !== undefined;
  }

  get isLeader(): boolean {
    return this.leading;
  }

  private has(bug: DriverBug): boolean {
    return this.host.bugs.has(bug);
  }

  /** Runs unless the process ended in the meantime. */
  private later(ms: number, run: () => void): void {
    const { life } = this;
    this.host.after(ms, () => {
      if (life === this.life) run();
    });
  }

  start(): void {
    if (this.up) return;
    const { hardState, snapshot, entries, valid } = replay(this.disk.records);
    if (!this.has('keeps-torn-tail')) this.disk.cut(valid);
    if (!this.has('no-sync-on-recovery')) this.disk.sync();
    if (!this.has('no-folder-sync')) this.disk.syncFolder();
    this.host.history.remembers(this.id, hardState);
    this.life += 1;
    this.machine = StateMachine.from(snapshot, !this.has('no-dedup'));
    this.configuration = snapshot.configuration;
    this.earlier = snapshot.configuration;
    this.compacting = false;
    this.leading = false;
    this.journal = new Journal(this.disk, {
      later: (ms, run) => this.later(ms, run),
      random: this.host.random,
      bugs: this.host.bugs,
      syncFailed: () => this.stop(false),
      counted: this.host.counted,
      cut: (gone) => this.host.history.cuts(this.id, gone, (id) => this.discardFiles.holdsDurably(id)),
    });
    this.tail = new UnappliedTail(entries, snapshot.index);
    this.discards = this.openDiscards();
    this.discards.settleLater();
    const base = { term: snapshot.term, index: snapshot.index };
    this.core = new RawNode(this.options(), {
      hardState,
      configuration: snapshot.configuration,
      base,
      entries,
      applied: base.index,
    });
    this.host.trace(() => `${this.id} starts: term ${hardState.term}, log ${base.index}+${entries.length}`);
    this.later(this.host.random.between(1, TICK_MS), () => this.tick());
    this.pump();
  }

  private openDiscards(): Discards {
    return new Discards({
      ...{ server: this.id, files: this.discardFiles, random: this.discardRandom },
      ...{ bugs: this.host.bugs, history: this.host.history, counted: this.host.counted },
      later: (ms, run) => this.later(ms, run),
      isFull: () => this.journal?.full ?? false,
      known: () => this.machine.ids,
      whenCaughtUp: (then) => {
        if (this.caughtUp !== undefined) this.reading.delete(this.caughtUp.key);
        const key = `verdict ${this.id} ${this.life} ${(this.asked += 1)}`;
        this.caughtUp = { key, then };
        this.read(key);
      },
    });
  }

  private options() {
    const { setup, random } = this.host;
    const { preVote, checkQuorum, stepDownOnRemoval, forwardProposals, maxAppendBytes, maxInflightMessages } = setup;
    return {
      id: this.id,
      electionTicks: ELECTION_TICKS,
      heartbeatTicks: 1,
      random: () => random.next(),
      preVote,
      checkQuorum,
      readMode: 'safe' as const,
      forwardProposals,
      stepDownOnRemoval,
      snapshot: () => this.snapshot(),
      limits: { ...DEFAULT_LIMITS, maxAppendBytes, maxInflightMessages },
    };
  }

  private snapshot(): Snapshot {
    const { term, index } = this.machine;
    return { term, index, configuration: this.configuration, data: this.machine.encode() };
  }

  /** The process ends; with a power cut its cache goes too. */
  stop(powerCut: boolean): void {
    if (!this.up) return;
    this.host.trace(() => `${this.id} ${powerCut ? 'loses power' : 'is killed'}`);
    this.life += 1;
    this.core = undefined;
    this.journal?.abandon();
    this.leading = false;
    for (const { publish } of this.waiters) this.end(publish, 'unknown');
    this.waiters = [];
    this.reading.clear();
    this.caughtUp = undefined;
    if (!powerCut) return;
    this.disk.powerCut(this.host.random);
    this.discardFiles.powerCut(this.discardRandom);
  }

  private tick(): void {
    this.core?.tick();
    this.pump();
    this.later(this.tickMs, () => this.tick());
  }

  receive(message: Message): void {
    if (this.core === undefined) return;
    this.core.step(message);
    this.pump();
  }

  /** Any call on the core, followed by what comes out. */
  act<T>(call: (core: RawNode) => T): T | undefined {
    if (this.core === undefined) return undefined;
    const result = call(this.core);
    this.pump();
    return result;
  }

  changeMembers(change: ConfigurationChange): void {
    this.act((core) => core.proposeChange(change));
  }

  private pump(): void {
    while (this.core?.hasOutput() === true) this.handle(this.core.takeOutput());
  }

  private handle(output: Output): void {
    if (output.softState !== undefined) this.roleChanged(output.softState.role === 'leader');
    const { now, persist, afterPersist } = output;
    const early = this.has('sends-before-persisting');
    if (early) for (const message of afterPersist.messages) this.send(message, true);
    if (persist !== undefined) {
      this.keepThenWrite(persist, () => {
        this.tail.wrote(persist, this.machine.index);
        if (persist.hardState !== undefined && persist.mustSync) this.checkRemembered();
        if (persist.snapshot !== undefined) this.install(persist.snapshot);
        this.core?.persisted(persist.number);
        if (!early) for (const message of afterPersist.messages) this.send(message, true);
        this.applyAll(afterPersist.apply);
        this.pump();
      });
    }
    for (const message of now.messages) this.send(message, false);
    this.applyAll(now.apply);
    for (const { read, index } of now.reads) {
      const waiting = this.reading.get(read);
      if (waiting !== undefined) waiting.index = index;
    }
    this.answerReads();
  }

  private keepThenWrite(persist: Persist, done: () => void): void {
    const unkept = this.has('snapshot-discards-unkept') && persist.snapshot !== undefined;
    const gone = (unkept ? [] : this.tail.lostTo(persist)).flatMap((entry) => idOf(entry) ?? []);
    const write = (): void => this.journal?.persist(persist, done);
    if (!this.has('discards-before-keeping')) this.discards?.keep(gone, write);
    else {
      write();
      this.discards?.keep(gone, () => undefined);
    }
  }

  private checkRemembered(): void {
    this.host.history.remembers(this.id, this.disk.durableState().hardState);
  }

  private roleChanged(leading: boolean): void {
    if (leading) this.host.history.leads(this.id, this.core?.status().term ?? 0);
    if (this.leading && !leading && this.has('refuses-what-it-does-not-know')) {
      for (const { publish } of this.waiters) this.end(publish, 'refused');
      this.waiters = [];
    }
    this.leading = leading;
  }

  private send(message: Message, held: boolean): void {
    const anew = held && this.has('stamps-late-replies-anew');
    const sent = anew ? { ...message, term: this.core?.status().term ?? message.term } : message;
    if (sent.kind === 'vote') this.host.history.sends(sent, this.disk.durableState().hardState);
    if (sent.kind === 'snapshot') {
      // Nobody says whether it arrived: after a while the leader probes again.
      this.later(SNAPSHOT_REPORT_MS, () => this.act((core) => core.reportSnapshot(sent.to, true)));
    }
    this.host.transmit(sent);
  }

  private install(snapshot: Snapshot): void {
    this.host.counted('snapshot installed');
    this.earlier = this.configuration;
    this.configuration = snapshot.configuration;
    if (this.has('snapshot-without-state')) this.machine.index = snapshot.index;
    else this.machine.restore(snapshot);
    this.settle((waiter) => waiter.at !== undefined && waiter.at.index <= snapshot.index, 'unknown');
  }

  private applyAll(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.host.history.applies(this.id, entry);
      if (entry.kind === 'configuration') {
        this.earlier = this.configuration;
        this.configuration = this.core?.applyChange(entry.change) ?? this.configuration;
      }
      const sequence = this.machine.apply(entry);
      this.core?.applied(entry.index);
      this.tail.applied(entry.index);
      this.acknowledge(entry, sequence);
    }
    if (entries.length > 0) this.compactIfDue();
  }

  private acknowledge(entry: Entry, sequence: number | undefined): void {
    const mine: Waiter[] = [];
    this.waiters = this.waiters.filter((waiter) => {
      const here =
        waiter.at === undefined
          ? this.machine.ids[(sequence ?? 0) - 1] === waiter.publish.id
          : waiter.at.index === entry.index;
      if (here) mine.push(waiter);
      return !here;
    });
    for (const { publish, at } of mine) {
      const same = at === undefined || at.term === entry.term || this.has('acknowledges-by-index');
      if (!same) this.end(publish, 'unknown');
      else this.acknowledgeOne(publish, entry, sequence ?? this.machine.ids.length);
    }
  }

  private acknowledgeOne(publish: Publish, entry: Entry, sequence: number): void {
    const { history } = this.host;
    const either = [this.configuration, this.earlier];
    history.isDurable(entry, either, this.host.durableHolders(either, entry));
    history.acknowledges(publish, sequence);
    this.host.trace(() => `${this.id} acknowledges ${publish.id} at ${sequence}`);
    publish.open -= 1;
  }

  private end(publish: Publish, outcome: 'unknown' | 'refused'): void {
    publish.open -= 1;
    if (outcome === 'unknown') publish.maybe = true;
  }

  private settle(which: (waiter: Waiter) => boolean, outcome: 'unknown' | 'refused'): void {
    for (const waiter of this.waiters.filter(which)) this.end(waiter.publish, outcome);
    this.waiters = this.waiters.filter((waiter) => !which(waiter));
  }

  publish(publish: Publish, timeoutMs: number): void {
    publish.open += 1;
    const result = this.core?.propose(new TextEncoder().encode(publish.id));
    if (result === undefined || result.kind === 'dropped') this.end(publish, 'refused');
    else if (result.kind === 'forwarded') this.wait({ publish, at: undefined }, timeoutMs);
    else if (this.has('acknowledges-at-append')) {
      const entry: Entry = { ...result, kind: 'data', data: new TextEncoder().encode(publish.id) };
      this.acknowledgeOne(publish, entry, this.machine.ids.length + 1);
    } else this.wait({ publish, at: result }, timeoutMs);
    this.pump();
  }

  private wait(waiter: Waiter, timeoutMs: number): void {
    this.waiters.push(waiter);
    this.later(timeoutMs, () => this.settle((each) => each === waiter, 'unknown'));
  }

  read(key: string): void {
    const floor = this.host.history.highestAcknowledged;
    if (this.has('reads-without-asking')) return this.answerRead(key, floor);
    this.reading.set(key, { floor, index: undefined });
    this.act((core) => core.askRead(key));
  }

  private answerReads(): void {
    for (const [key, { floor, index }] of this.reading) {
      if (index === undefined || this.machine.index < index) continue;
      this.reading.delete(key);
      this.answerRead(key, floor);
    }
  }

  private answerRead(key: string, floor: number): void {
    this.host.history.answersRead(this.id, floor, this.machine.ids.length);
    if (this.caughtUp?.key === key) this.caughtUp.then();
  }

  /** Nothing waits for its verdict. */
  get isJudged(): boolean {
    return !this.up || this.discardFiles.pending.ids.length === 0;
  }

  private compactIfDue(): void {
    const { compactEvery } = this.host.setup;
    const first = this.core?.status().firstIndex ?? 0;
    if (this.compacting || this.machine.index - first + 1 < compactEvery) return;
    this.compacting = true;
    const snapshot = this.snapshot();
    this.journal?.compact(snapshot, () => {
      this.compacting = false;
      this.core?.compact(snapshot.index);
    });
  }
}
