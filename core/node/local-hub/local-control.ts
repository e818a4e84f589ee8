/** The other end of local control: finds the running hub of a data directory by hub.json and asks it. Never signals anyone. */
import * as z from 'zod';
import { HubError, type ErrorCode } from '../../errors';
import { REQUEST_TIMEOUT_MS } from '../../limits';
import { errnoOf } from '../file-errors';
import { copiedFrom } from '../file-lock';
import { hubLockPath } from '../hub-lock';
import { isProcessAlive, processStartTime } from '../platform';
import { fromWireError, type WireError } from '../../wire';
import { readHubFile, type HubFile } from './hub-file';
import { httpRequest, type HttpAnswer } from './http-request';
import { instanceOf } from './instance';

export type LocalHub =
  | { readonly kind: 'running'; readonly file: HubFile; readonly degraded: boolean }
  /** A node that waits to become part of a cluster, for what its file says: it can be ended. */
  | { readonly kind: 'waiting'; readonly file: HubFile; readonly why: string }
  /** Its process lives but does not answer on its port. */
  | { readonly kind: 'silent'; readonly file: HubFile }
  | { readonly kind: 'stopped' };

const healthSchema = z.object({ ok: z.boolean(), degraded: z.boolean(), instance: z.string() });
export type HealthAnswer = z.infer<typeof healthSchema>;

export function parseHealth(text: string): HealthAnswer | undefined {
  try {
    return healthSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** What answers at the address is the hub of this data directory only if it knows the nonce. */
export async function findLocalHub(dataDir: string): Promise<LocalHub> {
  const file = readHubFile(dataDir);
  if (file === undefined) return { kind: 'stopped' };
  // What runs is another folder's: whoever stops or changes it means this one.
  if ((await copiedFrom(hubLockPath(dataDir))) !== undefined) return { kind: 'stopped' };
  try {
    const answer = await httpRequest(localUrl(file, '/healthz'), { timeoutMs: REQUEST_TIMEOUT_MS, ...pinned(file) });
    const health = parseHealth(answer.body);
    if (health?.instance !== instanceOf(file.nonce)) return { kind: 'stopped' };
    if (!health.ok) return { kind: 'waiting', file, why: file.waiting ?? 'It does not serve yet' };
    return { kind: 'running', file, degraded: health.degraded };
  } catch (error) {
    // A dead hub leaves its file behind, a live one may be stuck or about to end.
    return mayBeAlive(file, error) && readHubFile(dataDir)?.nonce === file.nonce
      ? { kind: 'silent', file }
      : { kind: 'stopped' };
  }
}

function mayBeAlive(file: HubFile, error: unknown): boolean {
  if (!isProcessAlive(file.pid)) return false;
  const startTime = processStartTime(file.pid);
  if (startTime !== undefined && file.process_start !== undefined) return startTime === file.process_start;
  return errnoOf(error) !== 'ECONNREFUSED';
}

/** @throws HubError `unreachable` when none is running, or the hub's own error */
export async function askLocalHub(
  dataDir: string,
  action: string,
  parameters: object = {},
  timeoutMs = REQUEST_TIMEOUT_MS,
): Promise<unknown> {
  const hub = await findLocalHub(dataDir);
  if (hub.kind === 'waiting')
    throw new HubError('unreachable', `The node on ${dataDir} does not serve yet. ${hub.why}.`);
  if (hub.kind !== 'running') throw notRunning(dataDir);
  return answered(await controlRequest(hub.file, action, parameters, timeoutMs));
}

export function notRunning(dataDir: string): HubError {
  return new HubError(
    'unreachable',
    `No hub is running on ${dataDir}. Start one (ctx hub start), or name another --data-dir or --addr.`,
  );
}

export function controlRequest(
  file: HubFile,
  action: string,
  parameters: object,
  timeoutMs = REQUEST_TIMEOUT_MS,
): Promise<HttpAnswer> {
  return httpRequest(localUrl(file, `/v1/control/${action}`), {
    method: 'POST',
    body: JSON.stringify(parameters),
    token: file.control_token,
    timeoutMs,
    ...pinned(file),
  });
}

/** Details, with the control secret. */
export function statusRequest(file: HubFile): Promise<HttpAnswer> {
  return httpRequest(localUrl(file, '/v1/status'), {
    token: file.control_token,
    timeoutMs: REQUEST_TIMEOUT_MS,
    ...pinned(file),
  });
}

function answered(answer: HttpAnswer): unknown {
  const value: unknown = JSON.parse(answer.body);
  if (answer.status === 200) return value;
  const { error } = value as { error?: WireError<ErrorCode> };
  if (error === undefined) throw new HubError('internal', `The hub answered HTTP ${answer.status}.`);
  throw fromWireError(error);
}

function pinned(file: HubFile): { readonly fingerprint?: string } {
  return file.fingerprint === undefined ? {} : { fingerprint: file.fingerprint };
}

/** A hub that listens on all addresses is asked on the loopback one. */
function localUrl(file: HubFile, path: string): string {
  const url = new URL(file.address.replace(/^ws/, 'http'));
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1';
  if (url.hostname === '[::]') url.hostname = '[::1]';
  url.pathname = path;
  return url.href;
}
