/** The data directory's lock (FM-28): one hub at a time, and a dead one never in the way. Offline commands take it too. */
import path from 'node:path';
import { HubError } from '../../core/errors';
import { acquireLock, type FileLock } from '../../core/node/file-lock';

export const lockPath = (dataDir: string): string => path.join(dataDir, 'hub.lock');

/** @throws HubError `locked` when a live process holds it */
export async function lockDataDirectory(dataDir: string): Promise<FileLock> {
  // What a command leaves behind when it is killed must not be too open for the next start.
  process.umask(0o077);
  try {
    const what = `the data directory ${dataDir}`;
    return await acquireLock(lockPath(dataDir), { deadlineMs: 0, what, survivesPowerCut: true });
  } catch (error) {
    if (!(error instanceof HubError) || error.code !== 'locked') throw error;
    throw new HubError(
      'locked',
      `${error.message.replace(/ Wait until.*/, '')} Stop it first: ctx hub stop --data-dir ${dataDir}`,
      { cause: error },
    );
  }
}
