/** Real clusters of the built `ctx` for black-box tests: three or more node processes on free ports of this machine. */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { startHub, type HubProcess } from './hub-process';
import { removeTempDirs, tempDir } from './processes';

export interface ClusterNode {
  readonly address: string;
  readonly dataDir: string;
  /** The latest process. */
  hub: HubProcess;
  /** Starts it again on its data directory. */
  readonly restart: () => Promise<HubProcess>;
}

export interface TestCluster {
  readonly nodes: readonly ClusterNode[];
  readonly secretFile: string;
  readonly folder: string;
}

export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = net.createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

export function secretFileIn(folder: string): string {
  const file = path.join(folder, 'cluster.secret');
  fs.writeFileSync(file, `${'5ec2e7'.repeat(10)}\n`, { mode: 0o600 });
  return file;
}

export interface NodeOptions {
  readonly dataDir: string;
  readonly port: number;
  /** All addresses of the first cluster; absent on later starts. */
  readonly peers?: readonly string[];
  readonly advertise?: string;
  readonly secretFile: string;
  readonly args?: readonly string[];
  readonly env?: Record<string, string>;
}

export function startNode({
  dataDir,
  port,
  peers,
  advertise,
  secretFile,
  args = [],
  env = {},
}: NodeOptions): Promise<HubProcess> {
  const own = advertise ?? `ws://127.0.0.1:${port}`;
  const first = peers === undefined ? [] : ['--peers', peers.join(','), '--advertise', own];
  return startHub({
    dataDir,
    args: ['--port', String(port), '--cluster-secret-file', secretFile, '--no-rate-limit', ...first, ...args],
    env,
    deadlineMs: 60_000,
  });
}

/** @param env of each node, by its folder */
export async function startCluster(
  count: number,
  args: readonly string[] = [],
  env: (folder: string) => Record<string, string> = () => ({}),
): Promise<TestCluster> {
  const folder = tempDir('ctx-cluster');
  const secretFile = secretFileIn(folder);
  const ports = await freePorts(count);
  const scheme = args.includes('--tls-self-signed') ? 'wss' : 'ws';
  const peers = ports.map((port) => `${scheme}://127.0.0.1:${port}`);
  const nodes = await Promise.all(
    ports.map(async (port, at): Promise<ClusterNode> => {
      const dataDir = path.join(folder, `node-${at + 1}`, 'data');
      fs.mkdirSync(path.dirname(dataDir));
      const common = { dataDir, port, secretFile, args, env: env(path.dirname(dataDir)) };
      const hub = await startNode({ ...common, peers, advertise: `${scheme}://127.0.0.1:${port}` });
      const node: ClusterNode = {
        address: hub.address,
        dataDir,
        hub,
        restart: async () => (node.hub = await startNode(common)),
      };
      return node;
    }),
  );
  return { nodes, secretFile, folder };
}

/** For a `describe`: a cluster that its tests share, and that ends with them. */
export function sharedCluster(count: number): TestCluster {
  let started: TestCluster | undefined;
  const cluster = (): TestCluster => {
    if (started === undefined) throw new Error('the cluster is there once `before` has run');
    return started;
  };
  before(async () => {
    started = await startCluster(count);
  });
  after(async () => {
    await Promise.all((started?.nodes ?? []).map(({ hub }) => hub.kill9()));
    removeTempDirs();
  });
  return {
    get nodes() {
      return cluster().nodes;
    },
    get secretFile() {
      return cluster().secretFile;
    },
    get folder() {
      return cluster().folder;
    },
  };
}

export const logOf = (node: Pick<ClusterNode, 'dataDir'>): Buffer =>
  fs.readFileSync(path.join(node.dataDir, 'entries.jsonl'));
