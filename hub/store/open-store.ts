/** Opens a data directory: makes it when it is new, refuses files that do not belong together, recovers the log. */
import { crc32 } from 'node:zlib';
import { HubError } from '../../core/errors';
import { emptyLogDigest, ID_START, splitLine } from '../../core/line';
import { emptyTables, readCheckpoint, type Checkpoint, type Tables } from './checkpoint';
import { digestText } from './check-line';
import { openClients } from './clients-file';
import { holdsAnything, prepareDataDirectory, readHubId, writeHubId, type DataFiles } from './data-directory';
import type { Disk, DiskFile } from './disk';
import type { LogEnd } from './examine-log';
import { LogFile } from './log-file';
import { LogRanges } from './log-ranges';
import { DATA_FORMAT, readMeta, writeMeta, type Meta } from './meta';
import { recoverLog } from './recover-log';
import { sha256 } from './sha256';
import { Store } from './store';
import { upgradeOriginal } from './upgrade-original';
import type { StretchCheckers } from './stretch-checkers';
import { verifyAhead } from './verify-ahead';
import { verifyBehind } from './verify-behind';
import { readFully, writeNew } from './whole-file';

export interface StoreOptions {
  readonly folder: string;
  readonly disk: Disk;
  /** Wall clock, ms. */
  readonly now: () => number;
  readonly warn: (message: string) => void;
  /** A log up to this long is read whole at start; of a longer one the checkpoint is believed first. */
  readonly fullVerifyBytes?: number;
  readonly onProgress?: ((doneBytes: number, allBytes: number) => void) | undefined;
  /** A cluster's log decides who may connect: `clients.json` edited by hand is refused. */
  readonly refuseClientEdits?: boolean | undefined;
  /** What takes part in verifying so many bytes; absent = this thread alone. */
  readonly checkersFor?: ((bytes: number) => StretchCheckers | undefined) | undefined;
}

/** About half a second of reading. */
const FULL_VERIFY_BYTES = 64 * 1024 * 1024;

async function createFiles(disk: Disk, files: DataFiles, now: Date): Promise<Meta> {
  const hubId = (await readHubId(disk, files)) ?? (await writeHubId(disk, files));
  if ((await disk.facts(files.entries)) === undefined) {
    await writeNew(disk, files.entries, new Uint8Array(0));
    await disk.syncFolder(files.folder);
  }
  const watermark = { sequence: 0, length: 0, digest: emptyLogDigest(hubId, sha256) };
  const created_at = now.toISOString();
  const meta: Meta = { format: DATA_FORMAT, hub_id: hubId, created_at, closed: true, watermark, gaps: [] };
  // Last: a directory with meta.json is complete, one without has never been used.
  await writeMeta(disk, files, meta);
  return meta;
}

async function refuseHalf(disk: Disk, files: DataFiles): Promise<void> {
  if (!(await holdsAnything(disk, files))) return;
  const entries = await disk.facts(files.entries);
  throw new HubError(
    'bad_data',
    `${files.meta} is missing, but ${files.folder} has been in use (entries.jsonl has ${entries?.size ?? 0} bytes). ` +
      `Copy it back from a backup, or make it anew with: ctx hub repair --rebuild-meta --data-dir ${files.folder}`,
  );
}

async function checkIdentity(disk: Disk, files: DataFiles, meta: Meta): Promise<void> {
  const hubId = await readHubId(disk, files);
  const repair = `ctx hub repair --rebuild-meta --data-dir ${files.folder}`;
  if (hubId === undefined) {
    throw new HubError('bad_data', `${files.hubId} is missing. Copy it back from a backup, or run: ${repair}`);
  }
  if (hubId !== meta.hub_id) {
    throw new HubError(
      'bad_data',
      `${files.meta} is of another hub: it says ${meta.hub_id}, hub.id says ${hubId}. Copy the right one back, or run: ${repair}`,
    );
  }
  if ((await disk.facts(files.entries)) !== undefined) return;
  const { sequence, length } = meta.watermark;
  throw new HubError(
    'bad_data',
    `${files.entries} is missing: it is behind meta.json by ${sequence} entries (${length} bytes). Copy it back from a ` +
      `backup. To go on without them: ${repair}`,
  );
}

async function openFiles(options: StoreOptions): Promise<{ files: DataFiles; meta: Meta; edited: boolean }> {
  const { disk } = options;
  const files = await prepareDataDirectory(disk, options.folder);
  let found = await readMeta(disk, files);
  if (found.kind === 'original') {
    await upgradeOriginal({ disk, files, now: new Date(options.now()), warn: options.warn });
    found = await readMeta(disk, files);
  }
  if (found.kind !== 'meta') {
    await refuseHalf(disk, files);
    return { files, meta: await createFiles(disk, files, new Date(options.now())), edited: false };
  }
  await checkIdentity(disk, files, found.meta);
  return { files, meta: found.meta, edited: found.edited };
}

/** Whether the log still has the lines that the checkpoint ends with, every byte of them. */
async function fitsLog(disk: Disk, files: DataFiles, { lines, end }: Checkpoint): Promise<boolean> {
  if (lines.count === 0) return true;
  const last = lines.block(lines.blockCount - 1);
  const start = lines.offsetOf(lines.count - 1) - last.offset;
  const file = await disk.open(files.entries, 'read');
  try {
    const bytes = await readFully(file, last.offset, last.endOffset - last.offset);
    if (crc32(bytes) !== last.crc) return false;
    const parts = splitLine(bytes, start, bytes.length - 1);
    return typeof parts !== 'string' && digestText(bytes, parts) === end.digest;
  } finally {
    await file.close();
  }
}

/** @returns undefined when there is none worth believing */
async function usableCheckpoint(options: StoreOptions, files: DataFiles, meta: Meta): Promise<Checkpoint | undefined> {
  const { disk } = options;
  const size = (await disk.facts(files.entries))?.size ?? 0;
  if (size <= (options.fullVerifyBytes ?? FULL_VERIFY_BYTES)) return undefined;
  const checkpoint = await readCheckpoint(disk, files, meta.hub_id);
  if (checkpoint === undefined || checkpoint.end.length > size) return undefined;
  return (await fitsLog(disk, files, checkpoint)) ? checkpoint : undefined;
}

/** Side by side, up to the watermark at most: what lies behind it is not yet known to be whole. */
async function aheadOf(
  { checkersFor, onProgress }: StoreOptions,
  file: DiskFile,
  { watermark, gaps }: Meta,
  { lines, ids }: Tables,
  from: LogEnd,
): Promise<LogEnd> {
  const to = watermark.length;
  const checkers = checkersFor?.(to - from.length);
  if (checkers === undefined) return from;
  try {
    return await verifyAhead({
      file,
      from,
      to,
      gaps,
      seed: ids.seed,
      checkers,
      onFacts: (bytes, { lengths, prints }) => {
        const first = lines.count;
        prints.forEach((print, i) => ids.addPrint(print, first + i));
        lines.append(bytes, lengths);
      },
      onProgress: (done) => onProgress?.(done, to),
    });
  } finally {
    await checkers.close();
  }
}

interface OpenLog extends Tables {
  readonly log: LogFile;
  readonly end: LogEnd;
}

async function openLog(
  options: StoreOptions,
  files: DataFiles,
  meta: Meta,
  tables: Tables,
  from: LogEnd,
): Promise<OpenLog> {
  const { lines, ids } = tables;
  const { disk, warn, onProgress } = options;
  const { watermark, closed, gaps } = meta;
  const { file, end } = await recoverLog({
    disk,
    files,
    from,
    watermark,
    closed,
    gaps,
    now: new Date(options.now()),
    warn,
    onProgress,
    ahead: (file) => aheadOf(options, file, meta, tables, from),
    onLines: (bytes, found) => {
      found.forEach((parts, i) => ids.addAt(bytes, parts.start + ID_START, parts.idEnd, lines.count + i));
      const lengths = found.map((parts, i) => (found[i + 1]?.start ?? bytes.length) - parts.start);
      lines.append(bytes, lengths);
    },
  });
  return { log: new LogFile(file, files.entries, end.length), lines, ids, end };
}

async function closingOnError<T>(log: LogFile, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await log.close();
    throw error;
  }
}

/** @throws HubError that says why the hub must not start, and what to do */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { disk, warn } = options;
  const { files, meta, edited } = await openFiles(options);
  const empty: LogEnd = { sequence: 0, digest: emptyLogDigest(meta.hub_id, sha256), length: 0, lines: 0 };
  const checkpoint = await usableCheckpoint(options, files, meta);
  const opened = await openLog(options, files, meta, checkpoint ?? emptyTables(), checkpoint?.end ?? empty);
  const { log, lines, ids, end } = opened;
  if (edited) warn(`${files.meta} was changed by others since the hub wrote it. It fits the log and counts as it is.`);
  const clients = await closingOnError(log, () =>
    openClients({
      disk,
      files,
      now: new Date(options.now()),
      warn,
      refuseEdits: options.refuseClientEdits,
    }),
  );
  const ranges = new LogRanges({ log, lines, ids, gaps: meta.gaps, onDamage: warn });
  const behind =
    checkpoint === undefined
      ? undefined
      : verifyBehind({ log, lines, ranges, from: empty, gaps: meta.gaps, blocks: checkpoint.lines.blockCount });
  const checkpointLength = checkpoint?.end.length ?? 0;
  return new Store({ disk, files, meta, log, lines, ids, ranges, end, clients, warn, checkpointLength, behind });
}
