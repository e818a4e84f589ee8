/**
 * Opens plain files only. What a checked-out repository can plant in a file's place (a link that leads out of the project,
 * a pipe that never ends, a device) is refused, instead of being followed, waited for or swallowed whole.
 */
import type { Stats } from 'node:fs';
import fsp from 'node:fs/promises';
import { HubError } from '../errors';
import { errnoOf, fileError } from './file-errors';
import { NO_FOLLOW, NO_WAIT } from './platform';

/** Far above what anybody writes or a mirror keeps in a file that is read whole; a bound on memory. */
const MAX_WHOLE_BYTES = 256 * 1024 * 1024;

/** @throws HubError `cannot_create` for what is no plain file */
function checkPlain(file: string, stats: Stats): void {
  if (stats.isDirectory()) throw new HubError('cannot_create', `Cannot read ${file}: a folder is in the way. Move it.`);
  if (!stats.isFile()) throw new HubError('cannot_create', `${file} is not a file. Move what is there out of the way.`);
}

/** @throws HubError `too_large` */
function checkSize(file: string, { size }: Stats): void {
  if (size <= MAX_WHOLE_BYTES) return;
  throw new HubError('too_large', `${file} has ${size} bytes; more than ${MAX_WHOLE_BYTES} are not read. Shorten it.`);
}

/**
 * @param flags of open(2), such as `O_RDONLY`; the file's own kind decides before anything is read or written
 * @throws HubError as above; what open(2) throws otherwise
 */
export async function openPlainFile(
  file: string,
  flags: number,
  mode?: number,
): Promise<{ readonly handle: fsp.FileHandle; readonly stats: Stats }> {
  const handle = await fsp.open(file, flags | NO_FOLLOW | NO_WAIT, mode);
  try {
    const stats = await handle.stat();
    checkPlain(file, stats);
    return { handle, stats };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

export interface PlainFile {
  readonly bytes: Buffer;
  readonly stats: Stats;
}

/** @returns `undefined` when it is not there. @throws HubError `cannot_create`, `too_large`, `io_failed` */
export async function readPlainFile(file: string): Promise<PlainFile | undefined> {
  try {
    const { handle, stats } = await openPlainFile(file, fsp.constants.O_RDONLY);
    try {
      checkSize(file, stats);
      return { stats, bytes: await handle.readFile() };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw fileError(error, 'read', file);
  }
}

/** Writes all of it: on a disk that becomes full a write takes what fits, and only the next one says why. */
async function writeAllAt(handle: fsp.FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/**
 * Durable when it resolves. What a failed write left behind is taken back: nobody was told that it is there. Where even that
 * fails, whoever writes or opens the file next cuts it.
 */
export async function writeAtEnd(handle: fsp.FileHandle, bytes: Uint8Array, end: number): Promise<void> {
  try {
    await writeAllAt(handle, bytes, end);
    await handle.datasync();
  } catch (error) {
    await handle.truncate(end).catch(() => undefined);
    throw error;
  }
}
