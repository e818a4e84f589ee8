/**
 * Copies a hub's data at one point of its log. The log only grows, so the copy is consistent while the hub runs; what was
 * copied is verified before meta.json, written last, makes it a data directory.
 */
import path from 'node:path';
import { HubError } from '../../core/errors';
import { NO_CLIENTS } from '../state/client-table';
import { checkClients, encodeClients, withoutAppliedIndex } from './clients-file';
import { dataFiles, type DataFiles } from './data-directory';
import { isDiskFull, type Disk } from './disk';
import { examineLog } from './examine-log';
import { emptyLog, requireMeta } from './inspect';
import { writeMeta, type Watermark } from './meta';
import { copyRange, readWhole, writeNew } from './whole-file';

export interface BackupOptions {
  readonly disk: Disk;
  readonly folder: string;
  /** Made by this; or there and empty. */
  readonly target: string;
  /** The end of what is copied: durable, and a line's end. */
  readonly point: Watermark;
  readonly onProgress?: ((doneBytes: number, allBytes: number) => void) | undefined;
}

export interface BackupReport {
  readonly entries: number;
  readonly bytes: number;
  readonly sequence: number;
}

async function makeTarget(disk: Disk, target: string): Promise<void> {
  const facts = await disk.facts(target);
  if (facts === undefined) {
    const parent = path.dirname(target);
    // Made silently, it might be the empty place of a disk that is not mounted.
    if ((await disk.facts(parent)) === undefined) {
      throw new HubError(
        'cannot_create',
        `There is no folder ${parent}. Make it first, or name another place for the backup.`,
      );
    }
    await disk.makeFolder(target);
    await disk.syncFolder(parent);
    return;
  }
  if (facts.kind === 'folder' && (await disk.list(target)).length === 0) return;
  throw new HubError('cannot_create', `${target} is there and not empty. Name a new folder for the backup.`);
}

async function copyLog(options: BackupOptions, from: DataFiles, to: DataFiles): Promise<void> {
  const { disk, point, onProgress } = options;
  const log = await disk.open(from.entries, 'read');
  try {
    const copy = await disk.open(to.entries, 'create');
    try {
      await copyRange(log, 0, point.length, copy, 0, (done) => onProgress?.(done / 2, point.length));
      await copy.sync();
    } finally {
      await copy.close();
    }
  } finally {
    await log.close();
  }
}

async function copySmall(disk: Disk, from: DataFiles, to: DataFiles): Promise<void> {
  const hubId = await readWhole(disk, from.hubId);
  if (hubId === undefined) throw new HubError('bad_data', `${from.hubId} is missing. Copy it back from a backup.`);
  await writeNew(disk, to.hubId, hubId);
  await checkClients(disk, from);
  const clients = await readWhole(disk, from.clients);
  const copy = clients === undefined ? encodeClients(NO_CLIENTS) : withoutAppliedIndex(from.clients, clients);
  await writeNew(disk, to.clients, copy);
}

/** @throws HubError `bad_data` when the log is damaged: such a copy is no backup */
export async function backUpData(options: BackupOptions): Promise<BackupReport> {
  const { disk, target, point, onProgress } = options;
  const from = dataFiles(options.folder);
  const to = dataFiles(target);
  // How far a Raft log was applied means nothing without that log.
  const meta = { ...(await requireMeta(disk, from)), raft: undefined, closed: true, watermark: point };
  await makeTarget(disk, target);
  try {
    await copyLog(options, from, to);
    await copySmall(disk, from, to);
    const file = await disk.open(to.entries, 'read');
    const empty = { ...emptyLog(meta.hub_id), length: 0, lines: 0 };
    const { state, end } = await examineLog({
      ...{ file, from: empty, watermark: point, closed: true, gaps: meta.gaps, onLines: () => undefined },
      onProgress: (done, all) => onProgress?.((all + done) / 2, all),
    }).finally(() => file.close());
    if (state.kind !== 'sound') {
      const verify = `ctx hub verify --data-dir ${options.folder}`;
      throw new HubError('bad_data', `The hub's log is damaged, no backup was made. See: ${verify}`);
    }
    await writeMeta(disk, to, meta);
    return { entries: end.lines, bytes: point.length, sequence: end.sequence };
  } catch (error) {
    await removeHalf(disk, to);
    if (error instanceof HubError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    const code = isDiskFull(error) ? 'disk_full' : 'io_failed';
    throw new HubError(code, `The backup to ${target} failed: ${why}. No file of it is left.`, { cause: error });
  }
}

/** Half a backup must not be taken for one. */
async function removeHalf(disk: Disk, to: DataFiles): Promise<void> {
  for (const file of [to.meta, to.entries, to.clients, to.hubId]) await disk.remove(file).catch(() => undefined);
}
