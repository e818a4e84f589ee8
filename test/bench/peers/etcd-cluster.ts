/** etcd as a peer, three members with their default settings, or with election times of one's own. */
import http2 from 'node:http2';
import { accepts, freePort, pause, startChild, type Child } from '../children';
import { untilStored } from '../hub-cluster';
import { payload } from '../payload';
import { put } from './etcd';

export const ETCD_CLUSTER = 'etcd, 3 members';
export const ETCD_CLUSTER_DURABILITY = 'etcd: fdatasync on two of three before an answer';

const LEADER_DEADLINE_MS = 30_000;

interface Member {
  readonly port: number;
  readonly args: readonly string[];
  child: Child;
}

export class EtcdCluster {
  #members: Member[] = [];
  #number = 0;
  readonly #sessions: http2.ClientHttp2Session[] = [];

  private constructor(
    readonly command: string,
    readonly folder: string,
  ) {}

  static async start(command: string, folder: string, more: readonly string[] = []): Promise<EtcdCluster> {
    const cluster = new EtcdCluster(command, folder);
    await cluster.#start(more);
    return cluster;
  }

  async #start(more: readonly string[]): Promise<void> {
    const ports = await Promise.all([0, 1, 2].map(async () => [await freePort(), await freePort()] as const));
    const peer = (port: number): string => `http://127.0.0.1:${port}`;
    const all = ports.map(([, port], at) => `m${at}=${peer(port)}`).join(',');
    this.#members = await Promise.all(
      ports.map(async ([port, peerPort], at): Promise<Member> => {
        const urls = ['--listen-client-urls', peer(port), '--advertise-client-urls', peer(port)];
        const peers = ['--listen-peer-urls', peer(peerPort), '--initial-advertise-peer-urls', peer(peerPort)];
        const dir = ['--name', `m${at}`, '--data-dir', `${this.folder}/m${at}`, '--initial-cluster', all];
        const args = [...dir, ...urls, ...peers, '--log-level', 'error', ...more];
        return { port, args, child: await this.#launch(args) };
      }),
    );
    for (const { child, port } of this.#members) await accepts(child, port);
  }

  #launch(args: readonly string[]): Promise<Child> {
    return startChild('etcd', this.command, args, { cwd: this.folder });
  }

  async #leader(): Promise<Member> {
    const end = performance.now() + LEADER_DEADLINE_MS;
    while (performance.now() < end) {
      for (const member of this.#members) if (await leads(member.port).catch(() => false)) return member;
      await pause(20);
    }
    throw new Error('etcd has no leader');
  }

  #session(port: number): http2.ClientHttp2Session {
    const session = http2.connect(`http://127.0.0.1:${port}`);
    session.on('error', () => undefined);
    this.#sessions.push(session);
    return session;
  }

  #put(session: http2.ClientHttp2Session): Promise<void> {
    this.#number += 1;
    return put(session, `entries/${this.#number}`, payload(this.#number));
  }

  /** Publishes at the leader. */
  async publisher(): Promise<() => Promise<void>> {
    const session = this.#session((await this.#leader()).port);
    return () => this.#put(session);
  }

  /** Kills the leader and puts at another member until that is acknowledged. @returns seconds; the member is back afterwards */
  async failover(): Promise<number> {
    const leader = await this.#leader();
    const other = this.#members.find((member) => member !== leader);
    if (other === undefined) throw new Error('a cluster of one');
    const session = this.#session(other.port);
    await this.#put(session);
    const began = performance.now();
    process.kill(leader.child.pid, 'SIGKILL');
    const seconds = await untilStored(() => this.#put(session), began);
    await leader.child.stop();
    leader.child = await this.#launch(leader.args);
    await accepts(leader.child, leader.port);
    return seconds;
  }

  async close(): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    await Promise.all(this.#members.map(({ child }) => child.stop()));
  }
}

async function leads(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/v3/maintenance/status`, { method: 'POST', body: '{}' });
  const { header, leader } = (await answer.json()) as { header?: { member_id?: string }; leader?: string };
  return leader !== undefined && leader !== '0' && leader === header?.member_id;
}
