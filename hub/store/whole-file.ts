/** Small files as one piece: read whole, or replaced atomically and durably (temporary file, fsync, rename, folder fsync). */
import { errnoOf } from '../../core/node/file-errors';
import path from 'node:path';
import type { Disk, DiskFile } from './disk';

/** @throws the disk's error when it accepts no more bytes */
export async function writeFully(file: DiskFile, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const written = await file.write(done === 0 ? bytes : bytes.subarray(done), position + done);
    if (written === 0) throw Object.assign(new Error('the disk accepted no bytes'), { code: 'ENOSPC' });
    done += written;
  }
}

/** Reads `length` bytes, fewer when the file ends before. */
export async function readFully(file: DiskFile, position: number, length: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const read = await file.read(bytes.subarray(done), position + done);
    if (read === 0) break;
    done += read;
  }
  return bytes.subarray(0, done);
}

const COPY_BYTES = 1024 * 1024;

/** Copies bytes from one open file into another. @throws when the source ends before `end` */
export async function copyRange(
  from: DiskFile,
  start: number,
  end: number,
  to: DiskFile,
  position: number,
  onProgress?: (doneBytes: number) => void,
): Promise<void> {
  for (let at = start; at < end;) {
    const bytes = await readFully(from, at, Math.min(COPY_BYTES, end - at));
    if (bytes.length === 0) throw new Error(`the file ends at byte ${at}, before byte ${end}`);
    await writeFully(to, bytes, position + at - start);
    at += bytes.length;
    onProgress?.(at - start);
  }
}

/** @returns undefined when there is no such file */
export async function readWhole(disk: Disk, file: string): Promise<Uint8Array | undefined> {
  let handle: DiskFile;
  try {
    handle = await disk.open(file, 'read');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return await readFully(handle, 0, await handle.size());
  } finally {
    await handle.close();
  }
}

export async function removeIfThere(disk: Disk, file: string): Promise<void> {
  try {
    await disk.remove(file);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

async function closeAfter(file: DiskFile, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } finally {
    await file.close();
  }
}

/** Writes a file that must not be there yet and makes its bytes (not yet its name) durable; removes it when that fails. */
export async function writeNew(disk: Disk, file: string, bytes: Uint8Array): Promise<void> {
  const handle = await disk.open(file, 'create');
  try {
    await closeAfter(handle, async () => {
      await writeFully(handle, bytes, 0);
      await handle.sync();
    });
  } catch (error) {
    await disk.remove(file).catch(() => undefined); // The first error is the one to tell; a left-over is replaced next time.
    throw error;
  }
}

/** Why a replacement failed, and whether the new bytes may be there all the same. */
export class ReplaceError extends Error {
  override readonly name = 'ReplaceError';
  /** The errno behind it, as a file system's own errors carry it. */
  readonly code: string | undefined;
  constructor(
    readonly file: string,
    readonly stage: 'before' | 'after',
    cause: unknown,
  ) {
    super(`${file} could not be replaced: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.code = errnoOf(cause);
  }
}

/**
 * @throws ReplaceError with stage `before` = the old bytes are certainly still there; `after` = the name was changed, but
 *   whether that survives a power cut is unknown
 */
export async function replaceWhole(disk: Disk, file: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${file}.new`;
  try {
    await removeIfThere(disk, temporary);
    await writeNew(disk, temporary, bytes);
    await disk.rename(temporary, file);
  } catch (error) {
    await disk.remove(temporary).catch(() => undefined);
    throw new ReplaceError(file, 'before', error);
  }
  try {
    await disk.syncFolder(path.dirname(file));
  } catch (error) {
    throw new ReplaceError(file, 'after', error);
  }
}
