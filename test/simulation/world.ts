/** Servers, network, clients and faults in one virtual time, all from one seed. */
import {
  allMembers,
  allVoters,
  EMPTY_CONFIGURATION,
  isJoint,
  LEAVE_JOINT,
  type Configuration,
} from '../../hub/raft/configuration';
import type { Entry, Snapshot } from '../../hub/raft/entry';
import type { Message } from '../../hub/raft/message';
import type { DriverBug } from './bugs';
import type { SimulationSetup } from './configuration';
import { NO_SNAPSHOT } from './disk';
import { EventQueue } from './event-queue';
import { History } from './history';
import { SimulatedNetwork } from './network';
import { Random } from './random';
import { SimulatedServer, type ServerHost } from './server';

const PUBLISH_TIMEOUT_MS = 2_500;

export class World {
  readonly random: Random;
  readonly history = new History();
  readonly servers = new Map<number, SimulatedServer>();
  readonly network: SimulatedNetwork;
  readonly counts = new Map<string, number>();
  readonly lines: string[] = [];
  private readonly events = new EventQueue();
  private named = 0;
  private readonly host: ServerHost;

  constructor(
    readonly seed: number,
    readonly setup: SimulationSetup,
    bugs: ReadonlySet<DriverBug>,
    private readonly tracing: boolean,
  ) {
    this.random = new Random(seed);
    this.network = new SimulatedNetwork(this.random, setup.faults);
    this.host = {
      now: () => this.events.now,
      after: (ms, run) => this.events.after(ms, run),
      transmit: (message) => this.transmit(message),
      durableHolders: (configurations, entry) => this.durableHolders(configurations, entry),
      trace: (text) => this.trace(text),
      counted: (fault) => this.count(fault),
      random: this.random,
      history: this.history,
      setup,
      bugs,
    };
    const voters = Array.from({ length: setup.servers }, (_, at) => at + 1);
    const start: Snapshot = { ...NO_SNAPSHOT, term: 1, index: 1, configuration: { ...EMPTY_CONFIGURATION, voters } };
    for (const id of voters) this.add(id, start);
  }

  get now(): number {
    return this.events.now;
  }

  trace(text: () => string): void {
    if (this.tracing) this.lines.push(`${this.now.toFixed(0).padStart(7)} ${text()}`);
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  after(ms: number, run: () => void): void {
    this.events.after(ms, run);
  }

  run(ms: number): void {
    this.events.runUntil(this.now + ms);
  }

  /** Runs until the condition holds. Returns whether it did within the time. */
  runUntil(condition: () => boolean, maxMs: number): boolean {
    const end = this.now + maxMs;
    while (!condition()) {
      if (this.now >= end) return false;
      this.run(50);
    }
    return true;
  }

  add(id: number, start: Snapshot = NO_SNAPSHOT): SimulatedServer {
    const server = new SimulatedServer(id, start, this.host);
    this.servers.set(id, server);
    server.start();
    return server;
  }

  server(id: number): SimulatedServer {
    const server = this.servers.get(id);
    if (server === undefined) throw new Error(`there is no server ${id}`);
    return server;
  }

  get everyone(): readonly SimulatedServer[] {
    return [...this.servers.values()];
  }

  /** The leader of the highest term, of those that think they lead. */
  leader(): SimulatedServer | undefined {
    const term = (server: SimulatedServer): number => server.core?.status().term ?? 0;
    return this.everyone.filter(({ isLeader }) => isLeader).sort((a, b) => term(b) - term(a))[0];
  }

  private transmit(message: Message): void {
    this.trace(() => `${message.from}->${message.to} ${describe(message)}`);
    for (const ms of this.network.arrivals(message)) {
      this.events.after(ms, () => this.servers.get(message.to)?.receive(message));
    }
  }

  private durableHolders(configurations: readonly Configuration[], entry: Entry): ReadonlyMap<number, boolean> {
    return new Map(
      configurations.flatMap(allVoters).map((id) => {
        const durable = this.servers.get(id)?.disk.durableState();
        if (durable === undefined) return [id, false];
        const { snapshot, entries } = durable;
        const held = entries[entry.index - snapshot.index - 1]?.term === entry.term;
        return [id, held || entry.index <= snapshot.index];
      }),
    );
  }

  /** A client publishes at some server; now and then it tries one again whose outcome it does not know. */
  publish(server = this.random.oneOf(this.everyone), named?: string): string {
    const unsure = [...this.history.publishes.values()].filter(
      ({ maybe, sequence, open }) => maybe && sequence === undefined && open === 0,
    );
    const again = this.random.chance(0.4) ? this.random.oneOf(unsure) : undefined;
    const id = named ?? again?.id ?? `p${(this.named += 1)}`;
    const publish = this.history.begin(id, this.now);
    this.trace(() => `client publishes ${id} at ${server?.id ?? 0}`);
    if (server?.up === true) server.publish(publish, PUBLISH_TIMEOUT_MS);
    return id;
  }

  read(server = this.random.oneOf(this.everyone)): void {
    if (server?.up === true) server.read(`r${(this.named += 1)}`);
  }

  /** All faults end. */
  heal(): void {
    this.trace(() => 'everything heals');
    this.network.heal();
    this.network.calm = true;
    for (const server of this.servers.values()) {
      server.start();
      if (server.journal === undefined) continue;
      Object.assign(server.journal, { full: false, slow: false, nextSyncFails: false, delaySyncMs: 0 });
    }
  }

  /** I10: after healing all members agree and a publish succeeds. Returns whether that is so now. */
  converged(publishId: string): boolean {
    const leader = this.leader();
    const status = leader?.core?.status();
    if (leader === undefined || status === undefined) return false;
    const members = allMembers(status.configuration);
    for (const server of this.servers.values()) {
      if (!members.includes(server.id)) server.stop(false);
      else server.start();
    }
    if (isJoint(status.configuration)) {
      leader.changeMembers(LEAVE_JOINT);
      return false;
    }
    if (this.history.publishes.get(publishId)?.sequence === undefined) return false;
    return members.every((id) => this.servers.get(id)?.machine.index === leader.machine.index);
  }

  checkFinal(): void {
    const members = this.leader()?.core?.status().configuration ?? EMPTY_CONFIGURATION;
    for (const id of allMembers(members)) {
      const { machine, discardFiles } = this.server(id);
      this.history.checkFinal(id, machine.ids, discardFiles.rejected.ids);
    }
  }
}

const UNSHOWN = new Set(['from', 'to', 'configuration']);

function describe(message: Message): string {
  return JSON.stringify(message, (key, value: unknown) => {
    if (value instanceof Uint8Array) return new TextDecoder().decode(value);
    return UNSHOWN.has(key) ? undefined : value;
  });
}
