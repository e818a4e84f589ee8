/** What every command does that works on a data directory itself: find it, and keep hubs away from it meanwhile. */
import fs from 'node:fs';
import { HubError } from '../../core/errors';
import { errnoOf } from '../../core/node/file-errors';
import { isDiskFull } from '../store/disk';
import { lockDataDirectory } from '../store/lock';

export function requireDataDirectory(dataDir: string): void {
  if (fs.existsSync(dataDir)) return;
  throw new HubError('usage', `There is no data directory ${dataDir}. Name another with --data-dir.`);
}

/** @throws HubError `locked` while a hub runs on it */
export async function withLock<T>(dataDir: string, work: () => Promise<T>): Promise<T> {
  requireDataDirectory(dataDir);
  const lock = await lockDataDirectory(dataDir);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

/** Disk faults of an offline command, in the words of the command line. */
export function asIoError(error: unknown, what: string): unknown {
  const errno = errnoOf(error);
  // Others, such as ERR_INVALID_ARG_TYPE, are bugs.
  if (error instanceof HubError || !(error instanceof Error) || errno === undefined || !/^E[A-Z0-9]+$/.test(errno)) {
    return error;
  }
  const [code, next] = isDiskFull(error)
    ? (['disk_full', ' Free some space and try again.'] as const)
    : (['io_failed', ''] as const);
  return new HubError(code, `${what}: ${error.message}.${next}`, { cause: error });
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}
