/**
 * Whole-file writes that are seen completely or not at all, also after a power cut: temporary file, fsync, rename,
 * fsync of the directory. Never writes through a symbolic link and never over a file marked read-only.
 */
import { randomBytes } from 'node:crypto';
import fs, { type Stats } from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { HubError } from '../errors';
import { errnoOf, fileError } from './file-errors';
import { isMarkedReadOnly, isWindows, replaceFile, syncDirectory } from './platform';

export interface AtomicWriteOptions {
  /** Mode of a file that is new (before umask), default 0o666. An existing file keeps its mode. */
  readonly mode?: number;
  /** Sets {@link mode} on an existing file too: for secrets. */
  readonly forceMode?: boolean;
  /**
   * The caller holds a lock on the file: the temporary file gets a fixed name, so that one left behind by a killed
   * process is used up by the next write instead of lying around for ever.
   */
  readonly lockHeld?: boolean;
  /**
   * What the file was when it was read (`undefined` = missing). An editor knows nothing of our locks: if it saved in the
   * meantime nothing is written and the error's code is `locked`.
   */
  readonly expected?: { readonly stats: Stats | undefined };
}

/** What stands at `file` now. @throws HubError `cannot_create` when it must not be replaced. */
async function existingFile(file: string): Promise<Stats | undefined> {
  let stats: Stats;
  try {
    stats = await fsp.lstat(file);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const refuse = (why: string): never => {
    throw new HubError('cannot_create', `Cannot write ${file}: ${why}`);
  };
  if (stats.isSymbolicLink()) refuse('it is a symbolic link. Put a real file in its place.');
  if (!stats.isFile()) refuse('it is not a file. Move what is there out of the way.');
  if (isMarkedReadOnly(stats.mode)) refuse('it is marked read-only. Make it writable (chmod u+w) and try again.');
  await fsp.access(file, fsp.constants.W_OK);
  return stats;
}

/** Owner and mode of the replaced file carry over (as far as this user may), so that `sudo` takes nothing from anyone. */
async function keepOwnerAndMode(handle: fsp.FileHandle, before: Stats, options: AtomicWriteOptions): Promise<void> {
  if (isWindows) return;
  if (process.getuid?.() === 0 && (before.uid !== 0 || before.gid !== 0)) await handle.chown(before.uid, before.gid);
  await handle.chmod(options.forceMode === true && options.mode !== undefined ? options.mode : before.mode & 0o7777);
}

function isSame(a: Stats | undefined, b: Stats | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.ino === b.ino && a.size === b.size && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs;
}

/** @throws HubError `locked` when another program wrote the file since it was read */
function checkExpected(file: string, options: AtomicWriteOptions): void {
  if (options.expected === undefined) return;
  const now = fs.lstatSync(file, { throwIfNoEntry: false });
  if (isSame(now, options.expected.stats)) return;
  throw new HubError('locked', `${file} was changed by another program at the same moment. Try again.`);
}

async function writeTemporary(
  temporary: string,
  data: string | Uint8Array,
  before: Stats | undefined,
  options: AtomicWriteOptions,
): Promise<void> {
  // Exclusive: a link planted under the temporary name is never followed.
  const handle = await fsp.open(temporary, 'wx', options.mode ?? 0o666);
  try {
    await handle.writeFile(data);
    if (before !== undefined) await keepOwnerAndMode(handle, before, options);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Replaces or creates `file`. After it resolves the new text is durable; when it rejects the old text stands untouched.
 * @throws HubError `cannot_create` (link, folder, read-only, no permission), `disk_full`, `io_failed`
 */
export async function writeFileAtomic(
  file: string,
  data: string | Uint8Array,
  options: AtomicWriteOptions = {},
): Promise<void> {
  const dir = path.dirname(file);
  const tag = options.lockHeld === true ? 'ctx' : randomBytes(6).toString('hex');
  const temporary = path.join(dir, `.${path.basename(file)}.${tag}.tmp`);
  try {
    const before = await existingFile(file);
    if (options.lockHeld === true) await fsp.rm(temporary, { force: true });
    try {
      await writeTemporary(temporary, data, before, options);
      await replaceFile(temporary, file, () => checkExpected(file, options));
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') await fsp.rm(temporary, { force: true }).catch(() => undefined);
      throw error;
    }
    await syncDirectory(dir);
  } catch (error) {
    throw fileError(error, 'write', file);
  }
}
