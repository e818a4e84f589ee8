/** The data directory's lock (FM-28): one hub at a time, and a dead one never in the way. Offline commands take it too. */
import path from 'node:path';
import { HubError } from '../../core/errors';
import { acquireLock, copiedFrom, type FileLock } from '../../core/node/file-lock';
import { hubLockPath } from '../../core/node/hub-lock';

/** To stop what the lock names would stop the hub of another folder. */
function copyInUse(dataDir: string, original: string, cause: unknown): HubError {
  return new HubError(
    'locked',
    `${dataDir} is a copy of ${original}, made while a hub ran there: it may hold half of what was written, and no second hub of that ` +
      `id may run beside the first. Make a copy that is whole with: ctx hub backup <dir> --data-dir ${original}. Only when that hub has ` +
      'ended for good, remove hub.lock and hub.json from the copy and start it.',
    { cause },
  );
}

/** @throws HubError `locked` when a live process holds it */
export async function lockDataDirectory(dataDir: string): Promise<FileLock> {
  // What a command leaves behind when it is killed must not be too open for the next start.
  process.umask(0o077);
  try {
    const what = `the data directory ${dataDir}`;
    return await acquireLock(hubLockPath(dataDir), { deadlineMs: 0, what, survivesPowerCut: true });
  } catch (error) {
    if (!(error instanceof HubError) || error.code !== 'locked') throw error;
    const original = await copiedFrom(hubLockPath(dataDir));
    if (original !== undefined) throw copyInUse(dataDir, path.dirname(original), error);
    throw new HubError(
      'locked',
      `${error.message.replace(/ Wait until.*/, '')} Stop it first: ctx hub stop --data-dir ${dataDir}`,
      { cause: error },
    );
  }
}
