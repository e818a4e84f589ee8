/** Opens `entries.jsonl` at start: cuts a torn tail after saving it, refuses a damaged log, and fills the index. */
import path from 'node:path';
import { HubError } from '../../core/errors';
import type { DataFiles } from './data-directory';
import { isDiskFull, type Disk, type DiskFile } from './disk';
import { examineLog, type BadLine, type ExamineOptions, type Examined, type LogEnd } from './examine-log';
import { copyRange, readFully, writeFully } from './whole-file';

export interface RecoverOptions extends Omit<ExamineOptions, 'file'> {
  readonly disk: Disk;
  readonly files: DataFiles;
  /** Names the saved tail. */
  readonly now: Date;
  readonly warn: (message: string) => void;
  /** Verifies as much of the file as is plainly sound in some faster way. @returns where that ends */
  readonly ahead?: ((file: DiskFile) => Promise<LogEnd>) | undefined;
}

export interface RecoveredLog {
  readonly file: DiskFile;
  readonly end: LogEnd;
}

const COPY_BYTES = 1024 * 1024;

function refuseDamaged(files: DataFiles, bad: BadLine): never {
  const hint = bad.lineNumber === 1 ? ' Is it the log of another hub than hub.id says?' : '';
  throw new HubError(
    'bad_data',
    `${files.entries} is damaged: line ${bad.lineNumber} at byte ${bad.offset}: ${bad.reason}.${hint}\n` +
      'Nothing was changed. Copy the file back from a backup, or move the bad lines out of the way with:\n' +
      `  ctx hub repair --quarantine --data-dir ${files.folder}\n(add --dry-run to see first what would be lost)`,
  );
}

function refuseMismatch(files: DataFiles, reason: string, halfLine: boolean): never {
  throw new HubError(
    'bad_data',
    `${files.folder} holds files that do not belong together: ${reason}.\n` +
      'Nothing was changed. Restore both from the same backup, or accept entries.jsonl as it is with:\n' +
      `  ctx hub repair ${halfLine ? '--quarantine' : '--rebuild-meta'} --data-dir ${files.folder}`,
  );
}

async function freeName(disk: Disk, wanted: string): Promise<string> {
  let name = wanted;
  for (let n = 2; (await disk.facts(name)) !== undefined; n++) name = `${wanted}-${n}`;
  return name;
}

/** Keeps the bytes under a name of their own, durably. @throws when there is no room; then nothing is left behind */
async function saveTail(options: RecoverOptions, file: DiskFile, start: number, end: number): Promise<string> {
  const { disk, files, now } = options;
  const stamp = now.toISOString().replaceAll(/[-:]/g, '');
  const name = await freeName(disk, `${files.entries}.partial-${stamp}`);
  const saved = await disk.open(name, 'create');
  try {
    try {
      await copyRange(file, start, end, saved, 0);
      await saved.sync();
    } finally {
      await saved.close();
    }
    await disk.syncFolder(path.dirname(name));
  } catch (error) {
    await disk.remove(name).catch(() => undefined); // Its bytes are still in the log; the first error is told.
    throw error;
  }
  return name;
}

async function cutTail(options: RecoverOptions, file: DiskFile, found: Examined, bad: BadLine): Promise<void> {
  const { files } = options;
  const from = found.end.length;
  const length = found.fileBytes - from;
  let saved: string;
  try {
    saved = await saveTail(options, file, from, found.fileBytes);
    await file.truncate(from);
    await file.sync();
  } catch (error) {
    const full = isDiskFull(error);
    const why = error instanceof Error ? error.message : String(error);
    throw new HubError(
      full ? 'disk_full' : 'io_failed',
      `${files.entries} ends with ${length} bytes that were never acknowledged, at byte ${from}, and they ` +
        `cannot be saved: ${why}. ${full ? `Free at least ${length} bytes` : 'Check the disk'} and start again.`,
      { cause: error },
    );
  }
  options.warn(
    `${files.entries}: cut ${length} bytes at byte ${from} (line ${bad.lineNumber}: ${bad.reason}). ` +
      `They were never acknowledged and are kept in ${saved}.`,
  );
}

/**
 * After a crash nobody knows whether the pages behind the watermark ever reached the disk: a failed fsync leaves them
 * clean in memory. Writing them once more makes the fdatasync that follows mean what it says.
 */
async function rewriteTail(file: DiskFile, from: number, to: number): Promise<void> {
  for (let at = from; at < to;) {
    const bytes = await readFully(file, at, Math.min(COPY_BYTES, to - at));
    if (bytes.length === 0) break;
    await writeFully(file, bytes, at);
    at += bytes.length;
  }
  await file.sync();
}

async function settle(options: RecoverOptions, file: DiskFile): Promise<Examined> {
  const from = (await options.ahead?.(file)) ?? options.from;
  const found = await examineLog({ ...options, from, file });
  const { state } = found;
  if (state.kind === 'damaged') refuseDamaged(options.files, state.bad);
  if (state.kind === 'mismatch') refuseMismatch(options.files, state.reason, state.halfLine);
  if (state.kind === 'torn') await cutTail(options, file, found, state.bad);
  if (!options.closed) await rewriteTail(file, options.watermark.length, found.end.length);
  return found;
}

/**
 * @throws HubError `bad_data` for a damaged or foreign log, `disk_full` or `io_failed` when a torn tail cannot be saved; in
 *   each case nothing was changed
 */
export async function recoverLog(options: RecoverOptions): Promise<RecoveredLog> {
  const file = await options.disk.open(options.files.entries, 'update');
  try {
    const { end } = await settle(options, file);
    return { file, end };
  } catch (error) {
    await file.close();
    throw error;
  }
}
