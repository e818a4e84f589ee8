/** `ctx hub status` (FM-66): of this machine's hub by its data directory, or of any address; the answer can be an exit code. */
import type { Command } from 'commander';
import { HubError } from '../../core/errors';
import { parseHubAddress } from '../../core/hub-address';
import { REQUEST_TIMEOUT_MS } from '../../core/limits';
import { parseStatus, type StatusInfo } from '../../core/wire';
import { dataDirOf } from '../config';
import { httpRequest } from '../../core/node/local-hub/http-request';
import { socketTrouble } from '../../core/node/socket-trouble';
import { findLocalHub, notRunning, parseHealth, statusRequest } from '../../core/node/local-hub/local-control';
import {
  ADDR_FLAG,
  CA_FLAG,
  FINGERPRINT_FLAG,
  TOKEN_FILE_FLAG,
  tokenFrom,
  trustFrom,
  type RemoteFlags,
} from './admin-access';
import type { PeerRow } from '../peer-row';
import { askPeers, peerTable } from './peer';
import { DATA_DIR_FLAG, jsonAnswer, type HubCommandContext } from './context';

interface Flags extends RemoteFlags {
  readonly dataDir?: string;
  readonly json?: boolean;
  readonly exitCode?: boolean;
  readonly watch?: boolean;
}

/** `waiting`: a node that does not belong to a cluster yet. */
export type HubState = 'healthy' | 'degraded' | 'waiting' | 'stopped';

interface Report {
  readonly state: HubState;
  /** Where it was looked for. */
  readonly where: string;
  /** Only for those who may know. */
  readonly status?: StatusInfo | undefined;
  /** Of its certificate, as clients pin it; known on the hub's own machine. */
  readonly fingerprint?: string | undefined;
  /** Every node of the cluster, when it is part of one. */
  readonly peers?: readonly PeerRow[] | undefined;
  /** Why it counts as stopped. */
  readonly error?: HubError;
  /** What it waits for. */
  readonly waiting?: string | undefined;
}

/** With `--watch`. */
const WATCH_MS = 2_000;
const EXIT: Readonly<Record<HubState, number>> = { healthy: 0, degraded: 1, waiting: 1, stopped: 3 };

function statusOf(body: string): StatusInfo {
  return parseStatus((JSON.parse(body) as { status?: unknown }).status);
}

function stateOf(isDegraded: boolean): HubState {
  return isDegraded ? 'degraded' : 'healthy';
}

async function localReport(dataDir: string): Promise<Report> {
  const hub = await findLocalHub(dataDir);
  if (hub.kind === 'stopped') return { state: 'stopped', where: dataDir, error: notRunning(dataDir) };
  if (hub.kind === 'silent') {
    const { pid, address } = hub.file;
    const message = `Process ${pid}, the hub of ${dataDir}, does not answer on ${address}. Look at its log.`;
    return { state: 'stopped', where: dataDir, error: new HubError('unreachable', message) };
  }
  if (hub.kind === 'waiting') return { state: 'waiting', where: dataDir, waiting: hub.why };
  const status = statusOf((await statusRequest(hub.file)).body);
  const { fingerprint } = hub.file;
  const peers = status.engine === 'raft' ? await askPeers(dataDir) : undefined;
  const isWhole = peers?.every(({ reachable, why }) => reachable && why === undefined) ?? true;
  const state = stateOf(status.problems.length > 0 || !isWhole);
  return { state, where: status.address, status, fingerprint, peers };
}

async function remoteReport(address: string, flags: Flags, context: HubCommandContext): Promise<Report> {
  const trust = trustFrom(context.io, flags);
  const { url } = parseHubAddress(address, trust.ca !== undefined || trust.fingerprint !== undefined);
  const base = url.replace(/^ws/, 'http');
  const options = { timeoutMs: REQUEST_TIMEOUT_MS, ...trust };
  let answer;
  try {
    answer = await httpRequest(`${base}/healthz`, options);
  } catch (error) {
    const message = `No hub answers at ${url}: ${socketTrouble(error, url)}. Check the address, that the hub runs, and the firewall between.`;
    return { state: 'stopped', where: url, error: new HubError('unreachable', message, { cause: error }) };
  }
  const health = parseHealth(answer.body);
  if (health === undefined) {
    const message = `What answers at ${url} is no ctx hub (HTTP ${answer.status}).`;
    return { state: 'stopped', where: url, error: new HubError('unreachable', message) };
  }
  if (!health.ok) return { state: 'waiting', where: url, waiting: 'It does not serve yet' };
  const token = await tokenFrom(context.io, flags);
  const state = stateOf(health.degraded);
  if (token === undefined) return { state, where: url };
  const detailed = await httpRequest(`${base}/v1/status`, { ...options, token });
  if (detailed.status === 401) throw new HubError('unauthenticated', `The hub at ${url} does not accept the token.`);
  return { state, where: url, status: statusOf(detailed.body) };
}

function asText(report: Report): string {
  const { status, waiting } = report;
  if (waiting !== undefined) return `Hub at ${report.where}: not part of a cluster yet. ${waiting}\n`;
  if (status === undefined) {
    const hint = report.state === 'stopped' ? '' : ' (details need a token: --token-file)';
    return `Hub at ${report.where}: ${report.state === 'stopped' ? 'not running' : report.state}${hint}\n`;
  }
  const rows: readonly (readonly [string, string])[] = [
    ['Hub', `${status.address}  ${report.state}`],
    ['Hub id', status.hub],
    ['Version', `${status.version}, engine ${status.engine}${status.engine === 'file' ? '' : `, ${status.role}`}`],
    ['Sequence', String(status.head.sequence)],
    ['Sessions', `${status.sessions}, of these listening ${status.listeners}`],
    ['Clients', `${status.clients} registered`],
    ...(status.data_dir === undefined ? [] : [['Data', status.data_dir] as const]),
    ...(report.fingerprint === undefined ? [] : [['TLS', `certificate ${report.fingerprint} (SHA-256)`] as const]),
    ['Process', `${status.pid}, since ${status.started_at}`],
    ...status.problems.map((problem) => ['Problem', problem] as const),
  ];
  const table = report.peers === undefined ? '' : `\n${peerTable(report.peers)}`;
  return rows.map(([name, value]) => `${`${name}:`.padEnd(10)} ${value}\n`).join('') + table;
}

async function status(flags: Flags, context: HubCommandContext): Promise<void> {
  if (flags.watch !== true) return statusOnce(flags, context);
  const { signal } = context.io;
  while (!signal.aborted) {
    await statusOnce(flags, context);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, WATCH_MS);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

async function statusOnce(flags: Flags, context: HubCommandContext): Promise<void> {
  const { io } = context;
  const report =
    flags.addr === undefined
      ? await localReport(dataDirOf(flags.dataDir, io))
      : await remoteReport(flags.addr, flags, context);
  // A script that asks for an exit code wants an answer, not an error.
  if (report.error !== undefined && flags.exitCode !== true) throw report.error;
  if (report.error !== undefined) io.stderr(`ctx: ${report.error.message}\n`);
  const { state, where } = report;
  const { status: details, fingerprint } = report;
  const { peers, waiting } = report;
  const members = { state, address: details?.address ?? where, status: details, fingerprint, peers, waiting };
  io.stdout(flags.json === true ? jsonAnswer('hub_status', members) : asText(report));
  if (flags.exitCode === true) context.exit.code = EXIT[state];
}

const EXAMPLES = `
Exit codes with --exit-code: 0 healthy, 1 degraded or not part of a cluster yet, 3 not running.

Examples:
  $ ctx hub status                                this machine's hub
  $ ctx hub status --addr hub.example.org:9900    healthy or not, without a token
  $ ctx hub status --exit-code > /dev/null        for monitoring
`;

export function addStatusCommand(hub: Command, context: HubCommandContext): void {
  hub
    .command('status')
    .description('how a hub is doing')
    .option(...DATA_DIR_FLAG)
    .option(...ADDR_FLAG)
    .option(...TOKEN_FILE_FLAG)
    .option(...CA_FLAG)
    .option(...FINGERPRINT_FLAG)
    .option('--json', 'print one JSON line')
    .option('--exit-code', 'answer by exit code too')
    .option('--watch', 'again every 2 seconds, until interrupted')
    .addHelpText('after', EXAMPLES)
    .action((flags: Flags) => status(flags, context));
}
