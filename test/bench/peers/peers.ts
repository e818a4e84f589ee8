/** Which peers are on this machine. `npm run bench:peers` installs them; the bench itself never installs anything. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

export interface Peers {
  readonly redis: string | undefined;
  readonly etcd: string | undefined;
  readonly nats: { readonly command: string; readonly version: string; readonly syncsAlways: boolean } | undefined;
}

const OWN = path.resolve('test-output/peers');
const INSTALL = 'npm run bench:peers';

const isThere = (command: string): boolean => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;

function findNats(): Peers['nats'] {
  for (const command of [path.join(OWN, 'nats-server'), 'nats-server']) {
    if (command !== 'nats-server' && !fs.existsSync(command)) continue;
    const { stdout, status } = spawnSync(command, ['--version'], { encoding: 'utf8' });
    const match = status === 0 ? /v(\d+)\.(\d+)\.\d+/.exec(stdout) : null;
    if (match === null) continue;
    const [version, major, minor] = match;
    const syncsAlways = Number(major) > 2 || Number(minor) >= 10;
    return { command, version, syncsAlways };
  }
  return undefined;
}

export function findPeers(): Peers {
  return {
    redis: isThere('redis-server') ? 'redis-server' : undefined,
    etcd: isThere('etcd') ? 'etcd' : undefined,
    nats: findNats(),
  };
}

export const NO_REDIS = `redis-server is not installed (${INSTALL})`;
export const NO_ETCD = `etcd is not installed (${INSTALL})`;

/** Why JetStream cannot be compared with at equal durability; `undefined` = it can. */
export function noJetStream(peers: Peers): string | undefined {
  if (peers.nats === undefined) return `nats-server is not installed (${INSTALL})`;
  if (peers.nats.syncsAlways) return undefined;
  return `nats-server ${peers.nats.version} cannot sync every message, 2.10 can (${INSTALL} builds one where Go is installed)`;
}

export const describePeers = ({ redis, etcd, nats }: Peers): string =>
  [
    `Redis ${redis === undefined ? 'missing' : 'present'}`,
    `etcd ${etcd === undefined ? 'missing' : 'present'}`,
    `NATS ${nats === undefined ? 'missing' : nats.version}`,
  ].join(', ');
