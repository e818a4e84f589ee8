/** A real hub process of the built `ctx` for black-box tests, and clients registered at it. */
import fs from 'node:fs';
import path from 'node:path';
import { openSession } from '../../core/node/hub-session';
import { start, tempDir, userEnv, type Finished, type Running } from './processes';

export interface HubProcess {
  /** `ws://127.0.0.1:PORT`. */
  readonly address: string;
  readonly port: number;
  readonly adminToken: string;
  readonly dataDir: string;
  readonly process: Running;
  /** SIGTERM, and waits for the end. */
  readonly stop: () => Promise<Finished>;
  /** SIGKILL, and waits for the end. */
  readonly kill9: () => Promise<Finished>;
}

export interface HubProcessOptions {
  /** Default: a new one below a temporary folder. */
  readonly dataDir?: string;
  /** More arguments of `ctx hub start`. */
  readonly args?: readonly string[];
  readonly env?: Record<string, string>;
  readonly deadlineMs?: number;
  readonly wrap?: readonly string[];
  /** Another build's `ctx.js`. */
  readonly program?: string;
}

export async function startHub(options: HubProcessOptions = {}): Promise<HubProcess> {
  const dataDir = options.dataDir ?? path.join(tempDir('ctx-hub'), 'data');
  const home = path.dirname(dataDir);
  const args = ['hub', 'start', '--port', '0', '--data-dir', dataDir, ...(options.args ?? [])];
  const running = start(args, {
    cwd: home,
    env: userEnv(home, options.env),
    ...(options.wrap === undefined ? {} : { wrap: options.wrap }),
    ...(options.program === undefined ? {} : { program: options.program }),
  });
  const [, address = '', port = ''] = await running.says(
    /^ctx hub listening on (wss?:\/\/\S+:(\d+))$[\s\S]*^Data directory: /m,
    options.deadlineMs,
  );
  const end = (signal: NodeJS.Signals) => (): Promise<Finished> => {
    running.process.kill(signal);
    return running.finished;
  };
  return {
    address,
    port: Number(port),
    adminToken: fs.readFileSync(path.join(dataDir, 'admin.token'), 'utf8').trim(),
    dataDir,
    process: running,
    stop: end('SIGTERM'),
    kill9: end('SIGKILL'),
  };
}

export interface RegisteredClient {
  readonly token: string;
  readonly clientId: string;
  readonly hub: string;
}

/** A client token for a project, registered with the hub's admin token. */
export async function registerClient(
  hub: Pick<HubProcess, 'address' | 'adminToken'>,
  project: string,
  client = 'tester@here',
): Promise<RegisteredClient> {
  const session = await openSession({ address: hub.address, token: hub.adminToken });
  try {
    return await session.register(project, client);
  } finally {
    await session.close();
  }
}
