/**
 * Opens the clustered engine on a data directory: founds or joins a cluster at the first start, recovers log and state at
 * every later one, and connects the parts. The data directory's lock is held already.
 */
import fsp from 'node:fs/promises';
import * as z from 'zod';
import { HubError } from '../../../core/errors';
import { shapeFault } from '../../../core/shape-fault';
import type { Certificate } from '../../certificate';
import { durationText, type ClusterConfig } from '../../cluster-config';
import { PeerDoor, type PeerAnswer } from '../../peers/peer-door';
import { Peers } from '../../peers/peers';
import type { PeerIdentity } from '../../peers/proof';
import { LostEntriesError } from '../../raft/invariant';
import { HubState } from '../../state/hub-state';
import type { Disk } from '../../store/disk';
import { sha256 } from '../../store/sha256';
import type { Store } from '../../store/store';
import type { LogLine } from '../../store/log-reader';
import type { OpenedEngine } from '../log-engine';
import { Arrivals } from './arrivals';
import { Contacts } from './contacts';
import { BATCH_VERSION } from './command-batch';
import { ClusterAdmin, wishSchema } from './cluster-admin';
import { CURSOR_WAIT_MS, RANGE_BYTES } from './limits';
import { Discarded } from './discarded';
import type { FormingView } from './formation-door';
import { joinCluster, type JoinedNode } from './join';
import { lineFetcher } from './line-fetcher';
import { keepLost, withoutRepair } from './lost-node';
import { openData, type OpenedData } from './open-data';
import type { MemberInfo } from './node-info';
import { RaftEngine } from './raft-engine';
import { Replica } from './replica';
import { StateMachine } from './state-machine';

export interface RaftEngineOptions {
  readonly disk: Disk;
  readonly folder: string;
  readonly config: ClusterConfig;
  readonly host: string;
  readonly port: number;
  readonly certificate: () => Certificate | undefined;
  readonly version: string;
  readonly warn: (message: string) => void;
  /** How much of the log was read. */
  readonly onProgress?: (doneBytes: number, allBytes: number) => void;
  readonly forming?: FormingView;
  readonly crash: (error: unknown) => void;
  readonly signal: AbortSignal;
  /** Newest version of commands that this node says it understands. */
  readonly speaks?: number;
}

/** What a hub in a cluster has beside its engine. */
export interface ClusterParts {
  readonly door: PeerDoor;
  readonly admin: ClusterAdmin;
  readonly self: () => PeerIdentity;
  /** Of all members; clients may go to any. */
  readonly addresses: () => readonly string[];
  /** Addresses of the other members, the leader's first. */
  readonly elsewhere: () => readonly string[];
  /** Why no client's token can be trusted here now: this node has been without a leader for too long (FM-13). */
  readonly distrust: () => HubError | undefined;
  /** Called after clients were registered or revoked, wherever in the cluster. */
  readonly onClients: (listener: () => void) => void;
}

export interface OpenedRaftEngine extends OpenedEngine {
  readonly cluster: ClusterParts;
}

const linesSchema = z.object({ after: z.int().min(0), last: z.int().min(0) });

/** @throws HubError `invalid` */
function parsedRequest<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new HubError('invalid', `A peer sent a request that is not understood: ${shapeFault(parsed.error)}.`);
}

class OpenNode {
  private readonly lineListeners = new Set<(lines: readonly LogLine[]) => void>();
  private readonly clientListeners = new Set<() => void>();
  private readonly store: Store;
  private readonly machine: StateMachine;
  private readonly replica: Replica;
  private readonly peers: Peers;
  private readonly door: PeerDoor;
  private readonly admin: ClusterAdmin;
  private readonly engine: RaftEngine;
  private readonly state: HubState;
  private readonly discarded: Discarded;
  private readonly arrivals: Arrivals;
  private readonly contacts: Contacts;
  /** Newest version of commands that this node says it understands. */
  private readonly speaks: number;
  private closed = false;

  constructor(
    private readonly options: RaftEngineOptions,
    private readonly node: JoinedNode,
    data: OpenedData,
  ) {
    const { warn, crash, config } = options;
    const { store, raft, state: cluster } = data;
    this.store = store;
    this.speaks = options.speaks ?? BATCH_VERSION;
    this.contacts = new Contacts({
      ...{ node, ownSpeaks: this.speaks },
      members: () => this.machine.now.members,
      leader: () => this.replica.leader,
      speaks: (id) => this.peers.speaks(id),
      trouble: (id) => this.peers.trouble(id),
    });
    this.state = new HubState({
      head: store.head,
      nextSequence: store.nextSequence,
      clients: store.initialClients,
      sha256,
    });
    this.machine = new StateMachine({
      ...{ store, state: this.state, cluster },
      fetchLines: lineFetcher(
        () => this.peers,
        () => this.contacts.others().map(({ id }) => id),
        warn,
        () => this.closed,
      ),
      onLines: (lines) => {
        for (const listener of this.lineListeners) listener(lines);
      },
      onClients: () => {
        for (const listener of this.clientListeners) listener();
      },
      onMembers: () => this.followMembers(),
    });
    this.peers = new Peers({
      secret: config.secret,
      self: this.self,
      speaks: this.speaks,
      undelivered: (to) => this.replica.undelivered(to),
      opened: () => this.engine.changed(),
      closed: (to) => this.replica.leaderGone(to),
    });
    this.discarded = new Discarded({
      ...{ folder: options.folder, warn, crash },
      caughtUp: async () => {
        const index = await this.replica.readIndex(CURSOR_WAIT_MS);
        return index !== undefined && (await this.replica.waitApplied(index, CURSOR_WAIT_MS));
      },
      known: async (ids) => new Set((await store.known(ids))?.keys()),
    });
    this.replica = new Replica({
      ...{ id: node.node, log: raft.log, recovered: raft.recovered, machine: this.machine, warn },
      keepEntries: config.keepEntries,
      send: (message) => this.peers.send(message),
      discard: (entries) => this.discarded.keep(entries, new Date()),
      applied: (entry, results) => this.engine.applied(entry, results),
      changed: () => this.roleChanged(),
      crash: (error) => this.end(error),
    });
    this.admin = new ClusterAdmin({
      ...{ replica: this.replica, machine: this.machine, self: this.self, secret: config.secret, warn },
      members: () => this.contacts.all(),
      info: () => this.info(),
      request: (to, name, body, timeoutMs) => this.peers.request(to, name, body, [], timeoutMs),
      trouble: (to) => this.peers.trouble(to),
      unreached: () => this.contacts.unreached(),
    });
    this.engine = new RaftEngine({
      ...{ replica: this.replica, machine: this.machine, nodeId: node.node, now: Date.now },
      head: () => this.state.head,
      request: (to, name, body, timeoutMs) => this.peers.request(to, name, body, [], timeoutMs),
      isConnected: (to) => this.peers.isOpen(to),
      oldest: () => this.contacts.oldest(),
      unreached: () => this.contacts.unreached(),
      handOver: async () => {
        await this.admin.handOver();
      },
      closeParts: () => this.close(),
    });
    this.arrivals = new Arrivals({ machine: this.machine, warn });
    this.door = this.openDoor();
    this.followMembers();
    this.replica.start();
    this.discarded.resume();
  }

  private openDoor(): PeerDoor {
    const { config, certificate, warn, crash } = this.options;
    return new PeerDoor({
      ...{ secret: config.secret, self: this.self, speaks: this.speaks, crash, warn },
      certificate: () => certificate()?.fingerprint ?? '',
      refusal: (peer) => this.contacts.refusal(peer),
      message: (message, { node }) => {
        if (this.arrivals.takes(message, node)) this.replica.step(message);
      },
      request: (name, body) => this.answer(name, body),
      closed: (peer) => this.replica.leaderGone(peer.node),
    });
  }

  private readonly self = (): PeerIdentity => {
    const { cluster, node, uid, address } = this.node;
    return { cluster, node, uid, address };
  };

  /** The replica has ended already: nothing is promised meanwhile. */
  private end(error: unknown): void {
    const { disk, folder, crash } = this.options;
    if (error instanceof LostEntriesError) keepLost(disk, folder, error).then(crash, crash);
    else crash(error);
  }

  private distrust(): HubError | undefined {
    const { maxAuthAgeMs } = this.options.config;
    if (this.replica.leaderlessMs <= maxAuthAgeMs) return undefined;
    return new HubError(
      'no_leader',
      `This node has had no leader for more than ${durationText(maxAuthAgeMs)} (--max-auth-age): it cannot know which tokens were revoked ` +
        'meanwhile, and answers no client. Go to another node.',
    );
  }

  private followMembers(): void {
    this.peers.follow(this.contacts.all());
  }

  private roleChanged(): void {
    this.engine.changed();
    // A leader that cannot write is in the way of those that can (FM-20).
    if (this.replica.role === 'leader' && this.replica.writeFault !== undefined) {
      this.admin.handOver().catch(this.options.crash);
    }
  }

  private async answer(name: string, body: unknown): Promise<PeerAnswer> {
    switch (name) {
      case 'info':
        return { body: await this.info() };
      case 'propose':
        return this.engine.takeForwarded(body);
      case 'admin':
        return { body: await this.admin.wish(parsedRequest(wishSchema, body)) };
      case 'lines':
        return this.lines(parsedRequest(linesSchema, body));
      default:
        throw new HubError('unsupported_version', `This node knows no request "${name}".`);
    }
  }

  private async lines({ after, last }: { after: number; last: number }): Promise<PeerAnswer> {
    const lines = await this.store.readAfter(after, RANGE_BYTES);
    return { body: {}, parts: lines.filter(({ sequence }) => sequence <= last).map(({ bytes }) => bytes) };
  }

  private async info(): Promise<MemberInfo> {
    const { replica, machine, node, options } = this;
    const { term, commit, followers } = replica.status();
    const { bavail, bsize } = await fsp.statfs(options.folder);
    const fault = replica.writeFault;
    return {
      ...{
        state: 'member',
        cluster: node.cluster,
        hub: this.store.hubId,
        node: node.node,
        uid: node.uid,
        address: node.address,
      },
      ...{ version: options.version, members: [...this.contacts.all()], voters: [...machine.now.configuration.voters] },
      role: replica.role === 'leader' ? 'leader' : 'follower',
      ...{ leader: replica.leader, term, commit, applied: machine.now.index },
      sequence: this.state.head.sequence,
      free_bytes: bavail * bsize,
      sync_ms: replica.syncMs,
      ...(fault === undefined ? {} : { write_fault: fault }),
      matches: [...followers].map(([id, { match, recentlyActive }]) => ({ id, match, active: recentlyActive })),
    };
  }

  /** A cursor ahead of this node is foreign only if this node has everything that was committed. */
  private async knows(cursor: { readonly sequence: number; readonly digest: string }): Promise<boolean> {
    if (cursor.sequence <= this.state.head.sequence) return this.store.knows(cursor);
    const index = await this.replica.readIndex(CURSOR_WAIT_MS);
    if (index !== undefined && (await this.replica.waitApplied(index, CURSOR_WAIT_MS))) return this.store.knows(cursor);
    throw new HubError(
      'no_leader',
      `This node has not caught up to sequence ${cursor.sequence} yet. Try again, or another one.`,
    );
  }

  private problems(): readonly string[] {
    const { replica, machine, store, node } = this;
    const problems = [...store.problems];
    if (replica.writeFault !== undefined) problems.push(replica.writeFault);
    if (this.discarded.fault !== undefined) problems.push(this.discarded.fault);
    const refused = this.arrivals.faultOf(replica.leader);
    if (refused !== undefined) problems.push(refused);
    if (replica.leader === 0) {
      const unreached = this.contacts.unreached();
      const why = unreached === '' ? '' : ` Now ${unreached}.`;
      problems.push(`There is no leader: writes are refused until a majority is in contact.${why}`);
    }
    const distrust = this.distrust();
    if (distrust !== undefined) problems.push(distrust.message);
    const { members, configuration, index } = machine.now;
    if (index === 0) problems.push('This node has just joined, and waits for what the cluster holds.');
    else if (!members.some(({ id }) => id === node.node)) {
      problems.push('This node was removed from the cluster. Stop it, or empty its data directory and add it again.');
    } else if (!configuration.voters.includes(node.node))
      problems.push('This node is catching up and does not vote yet.');
    return problems;
  }

  private async close(): Promise<void> {
    this.closed = true;
    this.admin.close();
    try {
      await this.replica.close();
    } finally {
      // Whatever the disk did: nobody is kept waiting for this node.
      await this.discarded.close();
      this.door.close();
      this.peers.close();
      await this.store.close();
    }
  }

  async ready(): Promise<void> {
    const { commit } = this.replica.status();
    await this.replica.waitApplied(commit, 60_000);
  }

  opened(): OpenedRaftEngine {
    const { state, store } = this;
    return {
      engine: this.engine,
      reader: {
        hubId: store.hubId,
        head: () => state.head,
        readAfter: (sequence, maxBytes) => store.readAfter(sequence, maxBytes),
        knows: (cursor) => this.knows(cursor),
        onCommit: (listener) => {
          this.lineListeners.add(listener);
          return () => void this.lineListeners.delete(listener);
        },
      },
      clients: { find: (id) => state.client(id), list: () => state.clients.records },
      problems: () => this.problems(),
      durableEnd: () => store.durableEnd,
      cluster: {
        door: this.door,
        admin: this.admin,
        self: this.self,
        addresses: () => this.contacts.all().map(({ address }) => address),
        elsewhere: () => this.contacts.others().map(({ address }) => address),
        distrust: () => this.distrust(),
        onClients: (listener) => void this.clientListeners.add(listener),
      },
    };
  }
}

/** @throws HubError that says why the node must not start, and what to do */
export async function openRaftEngine(options: RaftEngineOptions): Promise<OpenedRaftEngine> {
  const node = await joinCluster(options);
  const data = await openData(options).catch((error: unknown) => {
    throw withoutRepair(error);
  });
  try {
    const open = new OpenNode(options, node, data);
    await open.ready();
    return open.opened();
  } catch (error) {
    await data.store.close();
    throw error;
  }
}
