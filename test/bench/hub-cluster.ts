/** Three hubs as they ship, as one cluster: processes of their own on this machine, limits off, one client registered. */
import fs from 'node:fs';
import path from 'node:path';
import { freePort, pause, startChild, type Child } from './children';
import { CTX } from './hub';
import { HubSession } from './hub-session';

const START_DEADLINE_MS = 60_000;
const PAUSE_MS = 5;
const TRY_MS = 25;
const STORED_DEADLINE_MS = 60_000;
const LIMITS_OFF = ['--no-rate-limit', '--max-sessions', '5000', '--max-sessions-per-token', '5000'];

interface Node {
  readonly port: number;
  readonly dataDir: string;
  child: Child;
}

export class HubCluster {
  #nodes: readonly Node[] = [];
  #token = '';
  readonly #secretFile: string;

  private constructor(readonly folder: string) {
    this.#secretFile = path.join(folder, 'cluster.secret');
  }

  static async start(folder: string): Promise<HubCluster> {
    const cluster = new HubCluster(folder);
    await cluster.#start();
    return cluster;
  }

  async #start(): Promise<void> {
    fs.writeFileSync(this.#secretFile, `${'5ec2e7'.repeat(10)}\n`, { mode: 0o600 });
    const ports = [await freePort(), await freePort(), await freePort()];
    const peers = ports.map((port) => `ws://127.0.0.1:${port}`);
    this.#nodes = await Promise.all(
      ports.map(async (port, at): Promise<Node> => {
        const home = path.join(this.folder, `node-${at + 1}`);
        fs.mkdirSync(home);
        const dataDir = path.join(home, 'data');
        const founding = ['--peers', peers.join(','), '--advertise', `ws://127.0.0.1:${port}`];
        return { port, dataDir, child: await this.#launch(port, dataDir, founding) };
      }),
    );
    const leader = await this.#leader(this.#nodes);
    const admin = await HubSession.open(leader.port, adminToken(leader));
    const answer = await admin.ask({ kind: 'register', project: 'bench', client: 'bench@loopback' });
    admin.close();
    if (answer.kind !== 'registered') throw new Error(`the hub answered ${answer.kind} to register`);
    this.#token = answer.token;
  }

  async #launch(port: number, dataDir: string, more: readonly string[] = []): Promise<Child> {
    const home = path.dirname(dataDir);
    const where = ['--port', String(port), '--data-dir', dataDir, '--cluster-secret-file', this.#secretFile];
    const args = [CTX, 'hub', 'start', ...where, ...LIMITS_OFF, ...more];
    const env = { ...process.env, HOME: home, CTX_HOME: path.join(home, 'ctx-home') };
    const child = await startChild('ctx hub', process.execPath, args, { cwd: home, env });
    await child.says(/listening on ws:\/\/127\.0\.0\.1:\d+/, START_DEADLINE_MS);
    return child;
  }

  async #leader(among: readonly Node[]): Promise<Node> {
    const end = performance.now() + START_DEADLINE_MS;
    while (performance.now() < end) {
      for (const node of among) {
        const role = await roleOf(node).catch(() => undefined);
        if (role === 'leader') return node;
      }
      await pause(PAUSE_MS);
    }
    throw new Error('the cluster has no leader');
  }

  /** A session with the leader. */
  async openSession(): Promise<HubSession> {
    return HubSession.open((await this.#leader(this.#nodes)).port, this.#token);
  }

  /** Kills the leader and publishes at another node until that is acknowledged. @returns seconds; the node is back afterwards */
  async failover(): Promise<number> {
    const leader = await this.#leader(this.#nodes);
    const other = this.#nodes.find((node) => node !== leader);
    if (other === undefined) throw new Error('a cluster of one');
    const session = await HubSession.open(other.port, this.#token);
    await session.publish();
    const began = performance.now();
    process.kill(leader.child.pid, 'SIGKILL');
    const seconds = await untilStored(session.publish, began);
    session.close();
    await leader.child.stop();
    leader.child = await this.#launch(leader.port, leader.dataDir);
    return seconds;
  }

  async close(): Promise<void> {
    await Promise.all(this.#nodes.map(({ child }) => child.stop()));
  }
}

const adminToken = ({ dataDir }: Node): string => fs.readFileSync(path.join(dataDir, 'admin.token'), 'utf8').trim();

async function roleOf(node: Node): Promise<string> {
  const session = await HubSession.open(node.port, adminToken(node));
  const answer = await session.ask({ kind: 'status' });
  session.close();
  return answer.kind === 'status' && answer.status.problems.length === 0 ? answer.status.role : 'unknown';
}

/**
 * Tries every few milliseconds, without waiting for the tries before: some servers keep a request without a leader until their own
 * deadline. @returns seconds from `began` to the first that was stored
 */
export function untilStored(publish: () => Promise<unknown>, began: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let failure: unknown;
    const end = (): void => {
      clearInterval(timer);
      clearTimeout(deadline);
    };
    const attempt = (): void => {
      publish().then(
        () => {
          end();
          resolve((performance.now() - began) / 1000);
        },
        (error: unknown) => (failure = error),
      );
    };
    const timer = setInterval(attempt, TRY_MS);
    const deadline = setTimeout(() => {
      end();
      reject(new Error('nothing was stored any more', { cause: failure }));
    }, STORED_DEADLINE_MS);
    attempt();
  });
}
