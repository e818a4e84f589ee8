/**
 * A cluster of real `ctx hub` processes, each on a network place of its own, under writers and listeners; faults are put in
 * by number, and at the end everything that was said is held against every node's log. Bounded in time and count, and leaves
 * nothing behind.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { HubError } from '../../../core/errors';
import type { StatusInfo } from '../../../core/wire';
import { rejectedIds, statusOf, sameLogs, whoLeads } from '../cluster-clients';
import { secretFileIn } from '../cluster-processes';
import { checkHistory, type Listening } from '../history';
import { registerClient, startHub, type HubProcess } from '../hub-process';
import { ctx, tempDir, until, userEnv } from '../processes';
import { Listener } from './listener';
import { CUT, FREE, type LinkFaults, type Network, type NodePlace } from './network';
import { Writers } from './writers';

export interface LabNode {
  /** From 1; the same as in the network. */
  readonly number: number;
  readonly dataDir: string;
  /** For clients. */
  address: string;
  hub: HubProcess;
}

export interface LabOptions {
  readonly nodes: number;
  /** Places for nodes that come later. */
  readonly spare?: number;
  readonly network: (places: number) => Promise<Network>;
  /** The folder of a node's data, when it is not just a temporary one. */
  readonly folderOf?: (node: number) => string;
  readonly env?: (node: number) => Record<string, string>;
  readonly writers?: number;
  readonly pauseMs?: number;
}

const START_MS = 60_000;
const SETTLE_MS = 90_000;

export interface Concluded {
  readonly acknowledged: number;
  readonly refused: number;
  readonly unknown: number;
  readonly lines: number;
}

export class Lab {
  readonly nodes: LabNode[] = [];
  /** Publish all the time, once {@link open} is done. */
  writers = new Writers({ addresses: () => [], tokens: [], pauseMs: 0, mostEntries: 1 });
  private listeners: readonly Listener[] = [];
  private readonly folder = tempDir('ctx-lab');
  private readonly secretFile = secretFileIn(this.folder);
  /** Removed or frozen for good: clients do not go there. */
  private readonly gone = new Set<LabNode>();
  private token = '';
  /** What the last `ctx hub peer` that failed said. */
  private lastRefusal = '';

  private constructor(
    private readonly options: LabOptions,
    readonly network: Network,
  ) {}

  static async open(options: LabOptions): Promise<Lab> {
    const lab = new Lab(options, await options.network(options.nodes + (options.spare ?? 0)));
    try {
      await lab.begin();
      return lab;
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  private async begin(): Promise<void> {
    const { nodes, writers = 6, pauseMs = 4 } = this.options;
    const numbers = Array.from({ length: nodes }, (_, at) => at + 1);
    const peers = numbers.map((number) => this.place(number).advertise);
    const started = await Promise.all(numbers.map((number) => this.start(number, { peers })));
    this.nodes.push(...started);
    const leader = await this.leader();
    const clients = Array.from({ length: writers }, (_, at) => `writer-${at}`);
    const tokens = await Promise.all(clients.map((name) => registered(leader, 'alpha', name)));
    this.token = await registered(leader, 'beta', 'listener');
    const addresses = (): readonly string[] => this.members.map(({ address }) => address);
    this.writers = new Writers({ addresses, tokens, pauseMs, mostEntries: 4 });
    this.listeners = [0, 1].map((at) => new Listener(`listener-${at}`, this.token, addresses, at));
    this.writers.start();
    await this.writers.more(50);
  }

  place(number: number): NodePlace {
    const place = this.network.places[number - 1];
    assert.ok(place !== undefined, `the network has no place ${number}`);
    return place;
  }

  get members(): readonly LabNode[] {
    return this.nodes.filter((node) => !this.gone.has(node));
  }

  node(number: number): LabNode {
    const node = this.nodes.find((each) => each.number === number);
    assert.ok(node !== undefined, `there is no node ${number}`);
    return node;
  }

  others(...not: readonly LabNode[]): readonly LabNode[] {
    return this.members.filter((node) => !not.includes(node));
  }

  /** The one that leads, among these. */
  leader(among: readonly LabNode[] = this.members): Promise<LabNode> {
    return whoLeads(among, START_MS);
  }

  /** One that follows. */
  async follower(): Promise<LabNode> {
    const [follower] = this.others(await this.leader());
    assert.ok(follower !== undefined);
    return follower;
  }

  dataDirOf(number: number): string {
    const folder = this.options.folderOf?.(number) ?? path.join(this.folder, `node-${number}`);
    fs.mkdirSync(folder, { recursive: true });
    return path.join(folder, 'data');
  }

  /** A process of a node, on whatever its data directory holds. */
  async process(
    number: number,
    { peers, program }: { peers?: readonly string[]; program?: string } = {},
  ): Promise<HubProcess> {
    const { host, port, advertise, wrap } = this.place(number);
    const isOpen = host === '127.0.0.1' ? [] : ['--insecure'];
    const founding = peers === undefined ? [] : ['--peers', peers.join(','), '--advertise', advertise];
    const cluster = ['--cluster-secret-file', this.secretFile, '--no-rate-limit', '--raft-keep-entries', '200'];
    return startHub({
      dataDir: this.dataDirOf(number),
      args: ['--host', host, '--port', String(port), ...isOpen, ...cluster, ...founding],
      env: this.options.env?.(number) ?? {},
      wrap,
      ...(program === undefined ? {} : { program }),
      deadlineMs: START_MS,
    });
  }

  private async start(number: number, options: { peers?: readonly string[] } = {}): Promise<LabNode> {
    const hub = await this.process(number, options);
    return { number, dataDir: this.dataDirOf(number), address: hub.address, hub };
  }

  /** SIGKILL. */
  async kill(...nodes: readonly LabNode[]): Promise<void> {
    const ends = await Promise.all(nodes.map(({ hub }) => hub.kill9()));
    for (const { signal } of ends) assert.equal(signal, 'SIGKILL');
  }

  /** SIGTERM; the leader hands over first. */
  async stop(node: LabNode): Promise<void> {
    assert.equal((await node.hub.stop()).code, 0);
  }

  async restart(node: LabNode, program?: string): Promise<void> {
    node.hub = await this.process(node.number, program === undefined ? {} : { program });
  }

  /** SIGSTOP, and it stands still. */
  async freeze(...nodes: readonly LabNode[]): Promise<void> {
    for (const { hub } of nodes) {
      hub.process.process.kill('SIGSTOP');
      await until('it stands still', () => stateOf(hub) === 'T');
    }
  }

  async thaw(...nodes: readonly LabNode[]): Promise<void> {
    for (const { hub } of nodes) {
      hub.process.process.kill('SIGCONT');
      await until('it runs', () => stateOf(hub) !== 'T');
    }
  }

  async link(from: LabNode, to: LabNode, faults: LinkFaults): Promise<void> {
    await this.network.link(from.number, to.number, faults);
  }

  /** Both directions between every two of the different groups. */
  async part(...groups: readonly (readonly LabNode[])[]): Promise<void> {
    await this.between(groups, (from, to) => this.link(from, to, CUT));
  }

  async everyLink(faults: LinkFaults): Promise<void> {
    await this.between(
      this.nodes.map((node) => [node]),
      (from, to) => this.link(from, to, faults),
    );
  }

  async heal(): Promise<void> {
    await this.everyLink(FREE);
  }

  private async between(
    groups: readonly (readonly LabNode[])[],
    each: (from: LabNode, to: LabNode) => Promise<void>,
  ): Promise<void> {
    for (const group of groups) {
      for (const other of groups) {
        if (group === other) continue;
        for (const from of group) for (const to of other) await each(from, to);
      }
    }
  }

  /** Waits until the network really did something to what that node sent to that one. */
  async faultSeen(from: LabNode, to: LabNode, atLeast = 1): Promise<void> {
    const before = await this.network.injected(from.number, to.number);
    await until(
      `something from node ${from.number} to node ${to.number} is lost or late`,
      async () => (await this.network.injected(from.number, to.number)) >= before + atLeast,
      SETTLE_MS,
    );
  }

  /** Runs `ctx hub peer …` at a node, on its side of the network. @returns what it printed; undefined when it failed */
  async peer(at: LabNode, ...args: readonly string[]): Promise<string | undefined> {
    const home = path.dirname(at.dataDir);
    const { wrap } = this.place(at.number);
    const command = ['hub', 'peer', ...args, '--data-dir', at.dataDir];
    const { code, stdout, stderr } = await ctx(command, { cwd: home, env: userEnv(home), wrap });
    if (code !== 0) this.lastRefusal = stderr;
    return code === 0 ? stdout : undefined;
  }

  /** Starts a node on the next free place, and has it added, asked of any of these. */
  async join(number: number, asked: () => readonly LabNode[] = () => this.members): Promise<LabNode> {
    const { advertise } = this.place(number);
    const peers = [advertise, ...this.members.map((each) => this.place(each.number).advertise)];
    const starting = this.start(number, { peers });
    starting.catch(() => undefined); // Told below, when it is waited for.
    let at = 0;
    await until(
      `node ${number} is added`,
      async () => {
        const nodes = asked();
        const node = nodes[at++ % nodes.length];
        return node !== undefined && (await this.peer(node, 'add', advertise)) !== undefined;
      },
      SETTLE_MS,
    ).catch(this.explain);
    const node = await starting;
    this.nodes.push(node);
    return node;
  }

  /** It is no member any more, and nobody goes there. */
  async remove(node: LabNode, asked: () => readonly LabNode[] = () => this.others(node)): Promise<void> {
    const { advertise } = this.place(node.number);
    let at = 0;
    await until(
      `node ${node.number} is removed`,
      async () => {
        const nodes = asked();
        const one = nodes[at++ % nodes.length];
        if (one === undefined) return false;
        const rows = await this.peer(one, 'list', '--json');
        if (rows !== undefined && !rows.includes(`"${advertise}"`)) return true;
        await this.peer(one, 'remove', advertise);
        return false;
      },
      SETTLE_MS,
    ).catch(this.explain);
    this.gone.add(node);
  }

  private readonly explain = (error: unknown): never => {
    throw new Error(`the last refusal was: ${this.lastRefusal}`, { cause: error });
  };

  status(node: LabNode): Promise<StatusInfo> {
    return statusOf(node);
  }

  /** Of all members, as that node knows them. */
  async addresses(node: LabNode): Promise<readonly string[]> {
    const { peers } = JSON.parse((await this.peer(node, 'list', '--json')) ?? '{"peers":[]}') as {
      peers: readonly { address: string }[];
    };
    return peers.map(({ address }) => address);
  }

  /** Everything is whole again, all nodes get the same log, and the history is held against it. */
  async conclude(): Promise<Concluded> {
    await this.heal();
    await this.leader();
    await this.writers.more(100, SETTLE_MS);
    await this.writers.stop();
    const bytes = await sameLogs(this.members, SETTLE_MS);
    const lines = bytes
      .toString()
      .split('\n')
      .slice(0, -1)
      .map((text) => {
        const { id, sequence } = JSON.parse(text) as { id: string; sequence: number };
        return { id, sequence, text };
      });
    const listeners = await this.heardAll(lines.length);
    const { operations } = this.writers;
    const logs = this.members.map(({ number }) => ({ node: `node-${number}`, lines }));
    const rejected = this.members.map((node) => ({ node: `node-${node.number}`, ids: rejectedIds(node) }));
    assert.deepEqual(checkHistory({ operations, logs, listeners, rejected }), []);
    const told = (kind: string): number => operations.filter((each) => each.told.kind === kind).length;
    return { acknowledged: told('ok'), refused: told('refused'), unknown: told('unknown'), lines: lines.length };
  }

  private async heardAll(count: number): Promise<readonly Listening[]> {
    await until('listeners have everything', () => this.listeners.every(({ seen }) => seen.length >= count), SETTLE_MS);
    return Promise.all(this.listeners.map((listener) => listener.stop()));
  }

  /** Ends everything, whatever state it is in. */
  async close(): Promise<void> {
    await Promise.all([this.writers.stop(), ...this.listeners.map((listener) => listener.stop())]);
    await Promise.all(
      this.nodes.map(({ hub }) => {
        // A frozen process ends only by force.
        hub.process.process.kill('SIGKILL');
        return hub.process.finished;
      }),
    );
    await this.network.close();
  }
}

/** On a busy machine a cluster that has just begun may be late: then it says so, and is asked again. */
function registered({ hub }: LabNode, project: string, name: string): Promise<string> {
  return until(
    `${name} is registered`,
    async () => {
      try {
        return (await registerClient(hub, project, name)).token;
      } catch (error) {
        if (error instanceof HubError && error.code === 'no_leader') return undefined;
        throw error;
      }
    },
    START_MS,
  );
}

/** As Linux says it: R, S, D, T (stopped), Z. */
function stateOf(hub: HubProcess): string | undefined {
  const stat = fs.readFileSync(`/proc/${String(hub.process.process.pid)}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2)[0];
}
