/** What a hub is started with: flags in, one checked value out. */
import fs from 'node:fs';
import path from 'node:path';
import { HubError } from '../core/errors';
import { isLoopbackHost, parseHubAddress } from '../core/hub-address';
import { DEFAULT_PORT } from '../core/limits';
import { ctxHome } from '../core/node/ctx-home';
import type { ProgramIo } from '../core/program';
import type { TlsConfig } from './certificate';
import { clusterOf, type ClusterConfig } from './cluster-config';
import { DEFAULT_LIMITS, type ServerLimits } from './limits';
import { hostLiteral, type WebGuard } from './server/web-guard';

/** As commander hands them over: what is absent was not given. */
export interface StartFlags {
  readonly port?: string;
  readonly host?: string;
  readonly insecure?: boolean;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsSelfSigned?: boolean;
  readonly dataDir?: string;
  readonly publicHost?: readonly string[];
  readonly allowOrigin?: readonly string[];
  readonly maxSessions?: string;
  readonly maxSessionsPerToken?: string;
  readonly publishBurst?: string;
  readonly publishRate?: string;
  /** commander: false when `--no-rate-limit` was given. */
  readonly rateLimit?: boolean;
  readonly peers?: string;
  readonly advertise?: string;
  readonly clusterSecretFile?: string;
  readonly raftKeepEntries?: string;
  readonly approveRegistrations?: boolean;
  readonly maxAuthAge?: string;
}

export interface HubConfig {
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  /** Open to a network in clear. */
  readonly insecure: boolean;
  readonly tls: TlsConfig | undefined;
  readonly guard: WebGuard;
  readonly limits: ServerLimits;
  /** Who registers reads nothing until the operator approves it (FM-41). */
  readonly approveRegistrations: boolean;
  /** Set when the hub is a node of a cluster. */
  readonly cluster: ClusterConfig | undefined;
}

function wholeNumber(text: string | undefined, flag: string, fallback: number, min: number, max: number): number {
  if (text === undefined) return fallback;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new HubError('usage', `${flag} must be a whole number from ${min} to ${max}, not "${text}".`);
}

function originOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && url.origin !== 'null' && url.origin === text) return text;
  throw new HubError('usage', `--allow-origin must be a web origin such as https://app.example.org, not "${text}".`);
}

function limitsOf(flags: StartFlags): ServerLimits {
  const large = 1_000_000;
  const burst = wholeNumber(flags.publishBurst, '--publish-burst', DEFAULT_LIMITS.publishBurst, 1, large);
  return {
    maxSessions: wholeNumber(flags.maxSessions, '--max-sessions', DEFAULT_LIMITS.maxSessions, 1, large),
    maxSessionsPerToken: wholeNumber(
      flags.maxSessionsPerToken,
      '--max-sessions-per-token',
      DEFAULT_LIMITS.maxSessionsPerToken,
      1,
      large,
    ),
    publishBurst: flags.rateLimit === false ? 0 : burst,
    publishPerSecond: wholeNumber(flags.publishRate, '--publish-rate', DEFAULT_LIMITS.publishPerSecond, 1, large),
    publishBytesPerDay: DEFAULT_LIMITS.publishBytesPerDay,
  };
}

function tlsOf(flags: StartFlags, host: string, cwd: string): TlsConfig | undefined {
  const { tlsCert, tlsKey, tlsSelfSigned, publicHost = [] } = flags;
  if (tlsSelfSigned === true) {
    if (tlsCert !== undefined || tlsKey !== undefined) {
      throw new HubError('usage', 'Give either --tls-self-signed, or --tls-cert and --tls-key.');
    }
    return { kind: 'self-signed', names: isWildcard(host) ? publicHost : [host, ...publicHost] };
  }
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new HubError('usage', 'A certificate needs its key: give both --tls-cert and --tls-key.');
  }
  return { kind: 'files', certFile: path.resolve(cwd, tlsCert), keyFile: path.resolve(cwd, tlsKey) };
}

/** All addresses of the machine, which is no name for a certificate. */
const isWildcard = (host: string): boolean => host === '0.0.0.0' || host === '::';

/** The data directory of a command: the flag, or the user's own; where it really is, when a link leads there. */
export function dataDirOf(flag: string | undefined, io: Pick<ProgramIo, 'env' | 'cwd'>): string {
  // An unset variable in a script, most likely; the current folder is certainly not meant.
  if (flag === '') throw new HubError('usage', '--data-dir must not be empty.');
  const named = flag === undefined ? path.join(ctxHome(io.env), 'hub-data') : path.resolve(io.cwd, flag);
  try {
    return fs.realpathSync(named);
  } catch {
    return named; // Not there yet, or not readable: whoever opens it says so.
  }
}

/** @throws HubError `usage` for a flag, `config` for an address that would be open to a network without protection (S01) */
export function hubConfig(flags: StartFlags, io: Pick<ProgramIo, 'env' | 'cwd'>): HubConfig {
  const host = flags.host ?? '127.0.0.1';
  const insecure = flags.insecure ?? false;
  if (host === '') throw new HubError('usage', '--host must not be empty.');
  const tls = tlsOf(flags, host, io.cwd);
  const isOpen = !isLoopbackHost(host) && tls === undefined;
  if (isOpen && !insecure) {
    throw new HubError(
      'config',
      `Refusing to listen on ${host}: without TLS, tokens and entries would cross the network in clear. ` +
        'Give --tls-self-signed, or --tls-cert and --tls-key; or --insecure if the network itself is private.',
    );
  }
  const cluster = clusterOf(flags, io.cwd, tls !== undefined);
  const ownNames = cluster?.advertise === undefined ? [] : [parseHubAddress(cluster.advertise).host];
  return {
    dataDir: dataDirOf(flags.dataDir, io),
    host,
    port: wholeNumber(flags.port, '--port', DEFAULT_PORT, 0, 65_535),
    insecure: isOpen,
    tls,
    guard: {
      hosts: new Set([host, ...ownNames, ...(flags.publicHost ?? [])].map(hostLiteral)),
      origins: new Set((flags.allowOrigin ?? []).map(originOf)),
    },
    limits: limitsOf(flags),
    approveRegistrations: flags.approveRegistrations ?? false,
    cluster,
  };
}
