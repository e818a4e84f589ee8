/** How a node is started as part of a cluster: flags in, one checked value out. */
import path from 'node:path';
import { HubError } from '../core/errors';
import { isLoopbackHost, parseHubAddress } from '../core/hub-address';
import { readSmallFile } from '../core/node/small-file';
import { DEFAULT_KEEP_ENTRIES, MAX_NODES } from './engine/raft/limits';

export interface ClusterFlags {
  readonly peers?: string;
  readonly advertise?: string;
  readonly clusterSecretFile?: string;
  readonly raftKeepEntries?: string;
  readonly maxAuthAge?: string;
}

export interface ClusterConfig {
  /** This node's own address, as the others reach it; undefined on later starts. */
  readonly advertise: string | undefined;
  /** All addresses of the first cluster; empty on later starts. */
  readonly peers: readonly string[];
  readonly secret: string;
  readonly keepEntries: number;
  /** Without a leader for longer than this, a node trusts no client's token any more: it may have been revoked (FM-13). */
  readonly maxAuthAgeMs: number;
}

const MIN_SECRET_CHARACTERS = 32;
export const DEFAULT_MAX_AUTH_AGE_MS = 10 * 60_000;
const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000 } as const;

function durationOf(text: string, flag: string): number {
  const [, digits, unit] = /^([1-9]\d{0,5})([smh])$/.exec(text) ?? [];
  if (digits !== undefined && unit !== undefined) return Number(digits) * UNIT_MS[unit as keyof typeof UNIT_MS];
  throw new HubError('usage', `${flag} must be a time such as 30s, 10m or 1h, not "${text}".`);
}

/** As it would be given to a flag. */
export function durationText(ms: number): string {
  const unit = ms % UNIT_MS.h === 0 ? 'h' : ms % UNIT_MS.m === 0 ? 'm' : 's';
  return `${ms / UNIT_MS[unit]}${unit}`;
}

function secretOf(file: string): string {
  const secret = readSmallFile(file).trim();
  if (secret.length >= MIN_SECRET_CHARACTERS) return secret;
  throw new HubError(
    'config',
    `${file} must hold at least ${MIN_SECRET_CHARACTERS} characters, the same on all nodes. Make one: openssl rand -hex 32`,
  );
}

/** Why nobody on another machine could reach a node that listens there, in words; a tunnel or proxy may stand before it. */
export function unreachableHint(host: string, address: string, peers: readonly string[]): string | undefined {
  const hostOf = (url: string): string => parseHubAddress(url).host;
  const own = hostOf(address);
  if (isLoopbackHost(own)) {
    const other = peers.find((each) => !isLoopbackHost(hostOf(each)));
    if (other === undefined) return undefined;
    return `${other} cannot reach this node at ${address} from another machine. Give --advertise, and --host, an address of this machine.`;
  }
  if (!isLoopbackHost(host)) return undefined;
  return (
    `listening on ${host} only, but the other nodes go to ${address}. Give --host ${own}, or --host 0.0.0.0, ` +
    'unless a tunnel or proxy on this machine leads here.'
  );
}

/** The address of a node is where others go: all addresses of a machine are none. */
function nodeAddress(text: string, secure: boolean): string {
  const { url, host } = parseHubAddress(text, secure);
  if (host !== '0.0.0.0' && host !== '::') return url;
  throw new HubError('usage', `"${text}" is no address that other nodes can go to. Name one of that machine's own.`);
}

/** @throws HubError `usage`, `config`; undefined when the hub is to stand alone */
export function clusterOf(flags: ClusterFlags, cwd: string, secure: boolean): ClusterConfig | undefined {
  const { peers, advertise, clusterSecretFile, raftKeepEntries, maxAuthAge } = flags;
  if (clusterSecretFile === undefined) {
    if (peers === undefined && advertise === undefined) return undefined;
    throw new HubError('usage', 'A node of a cluster needs --cluster-secret-file, the same on all nodes.');
  }
  const own = advertise === undefined ? undefined : nodeAddress(advertise, secure);
  const all = (peers ?? '').split(',').filter((each) => each.trim() !== '');
  const addresses = [...new Set(all.map((each) => nodeAddress(each, secure)))].sort();
  if (addresses.length > 0 && own !== undefined && !addresses.includes(own)) addresses.push(own);
  if (addresses.length > MAX_NODES) throw new HubError('usage', `A cluster has at most ${MAX_NODES} nodes.`);
  const keep = raftKeepEntries === undefined ? DEFAULT_KEEP_ENTRIES : Number(raftKeepEntries);
  if (!Number.isSafeInteger(keep) || keep < 1)
    throw new HubError('usage', '--raft-keep-entries must be a whole number above 0.');
  return {
    advertise: own,
    peers: addresses.sort(),
    secret: secretOf(path.resolve(cwd, clusterSecretFile)),
    keepEntries: keep,
    maxAuthAgeMs: maxAuthAge === undefined ? DEFAULT_MAX_AUTH_AGE_MS : durationOf(maxAuthAge, '--max-auth-age'),
  };
}
