/** The hub as it ships, as a process of its own: started by `ctx hub start`, limits off, one client registered. */
import fs from 'node:fs';
import path from 'node:path';
import { startChild, type Child } from './children';
import { Deliveries } from './deliveries';
import { openHubListener } from './hub-listener';
import { HubSession } from './hub-session';
import type { FanOut } from './loops';
import { cpuSeconds } from './machine';
import type { HubSocket } from './hub-socket';

export const HUB_DURABILITY = 'hub: fdatasync before an answer';

export const CTX = path.resolve('dist/ctx.js');
const START_DEADLINE_MS = 120_000;
/** Rates and session counts as an operator may set them; what is checked per message stays on. */
const LIMITS_OFF = ['--no-rate-limit', '--max-sessions', '5000', '--max-sessions-per-token', '5000'];

export interface Hub {
  readonly child: Child;
  readonly port: number;
  readonly token: string;
  readonly openSession: () => Promise<HubSession>;
  readonly fanOut: (listeners: number) => Promise<FanOut>;
  readonly close: () => Promise<void>;
}

/** `node ctx hub start`, until it says where it listens. */
export async function launchHub(
  dataDir: string,
  nodeOptions: readonly string[] = [],
): Promise<{ child: Child; port: number }> {
  const args = [...nodeOptions, CTX, 'hub', 'start', '--port', '0', '--data-dir', dataDir, ...LIMITS_OFF];
  const home = path.dirname(dataDir);
  const child = await startChild('ctx hub', process.execPath, args, {
    cwd: home,
    env: { ...process.env, HOME: home, CTX_HOME: path.join(home, 'ctx-home') },
  });
  const port = Number((await child.says(/listening on ws:\/\/127\.0\.0\.1:(\d+)/, START_DEADLINE_MS))[1]);
  return { child, port };
}

export async function startHub(dataDir: string, nodeOptions: readonly string[] = []): Promise<Hub> {
  const { child, port } = await launchHub(dataDir, nodeOptions);
  const admin = await HubSession.open(port, fs.readFileSync(path.join(dataDir, 'admin.token'), 'utf8').trim());
  const answer = await admin.ask({ kind: 'register', project: 'bench', client: 'bench@loopback' });
  admin.close();
  if (answer.kind !== 'registered') throw new Error(`the hub answered ${answer.kind} to register`);
  const { token } = answer;
  const closing: (() => void)[] = [];
  const openSession = async (): Promise<HubSession> => {
    const session = await HubSession.open(port, token);
    closing.push(() => session.close());
    return session;
  };
  return {
    child,
    port,
    token,
    openSession,
    fanOut: async (listeners) => {
      const { fanOut, sockets } = await openFanOut({ child, port, token }, await openSession(), listeners);
      closing.push(() => {
        for (const socket of sockets) socket.close();
      });
      return fanOut;
    },
    close: async () => {
      for (const close of closing) close();
      await child.stop();
    },
  };
}

async function openFanOut(
  hub: Pick<Hub, 'child' | 'port' | 'token'>,
  session: HubSession,
  listeners: number,
): Promise<{ fanOut: FanOut; sockets: HubSocket[] }> {
  const deliveries = new Deliveries(listeners);
  const cursor = session.hello.head;
  const sockets: HubSocket[] = [];
  for (let i = 0; i < listeners; i += 1) {
    const onSequence = (sequence: number): void => deliveries.update(i, sequence - cursor.sequence);
    sockets.push(await openHubListener({ ...hub, cursor, onSequence }));
  }
  const fanOut: FanOut = {
    listeners,
    publish: (entries) => Promise.all(Array.from({ length: entries }, session.publish)),
    reached: (entries) => deliveries.reached(entries),
    cpuSeconds: () => cpuSeconds(hub.child.pid),
  };
  return { fanOut, sockets };
}
