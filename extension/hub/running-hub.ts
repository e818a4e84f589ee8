/**
 * Finds the hub of a data directory: what `hub.json` says, believed only when the process behind the port proves to be the
 * one that wrote it (`/healthz` answers with the hash of its nonce). Knows no editor.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from '../../core/node/file-errors';

export interface HubFile {
  readonly pid: number;
  readonly startedAt: string;
  readonly nonce: string;
  /** Such as `ws://127.0.0.1:9900`. */
  readonly address: string;
  readonly port: number;
  readonly version: string;
}

export interface RunningHub extends HubFile {
  /** It runs and answers, but something is wrong with it. */
  readonly degraded: boolean;
}

/** A hub may be busy with its disk for a while; one that is gone refuses at once. */
const HEALTH_TIMEOUT_MS = 5_000;

function parseHubFile(text: string): HubFile | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // Cut by a crash, or not ours: as good as absent.
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { pid, started_at: startedAt, nonce, address, port, version } = value as Record<string, unknown>;
  if (typeof pid !== 'number' || typeof port !== 'number' || typeof version !== 'string') return undefined;
  if (typeof startedAt !== 'string' || typeof nonce !== 'string' || typeof address !== 'string') return undefined;
  return { pid, startedAt, nonce, address, port, version };
}

/** What the last hub of this data directory wrote about itself; it may be dead. */
export async function readHubFile(dataDir: string): Promise<HubFile | undefined> {
  try {
    return parseHubFile(await fs.readFile(path.join(dataDir, 'hub.json'), 'utf8'));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function health(hub: HubFile): Promise<{ instance: unknown; degraded: unknown } | undefined> {
  const url = `${hub.address.replace(/^ws/, 'http')}/healthz`;
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) });
    return (await answer.json()) as { instance: unknown; degraded: unknown };
  } catch {
    return undefined; // Nobody there, or somebody else: both mean that our hub is not there.
  }
}

export async function findRunningHub(dataDir: string): Promise<RunningHub | undefined> {
  const hub = await readHubFile(dataDir);
  if (hub === undefined) return undefined;
  const answer = await health(hub);
  const instance = createHash('sha256').update(hub.nonce).digest('hex').slice(0, 16);
  return answer?.instance === instance ? { ...hub, degraded: answer.degraded === true } : undefined;
}
