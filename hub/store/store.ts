/**
 * The hub's store: opens a data directory, makes batches durable, reads the log. An engine drives it; one append is under
 * way at a time.
 */
import { randomInt } from 'node:crypto';
import type { Cursor } from '../../core/cursor';
import { HubError } from '../../core/errors';
import { emptyLogDigest } from '../../core/line';
import type { ClientTable } from '../state/client-table';
import type { KnownEntry, PlannedLine } from '../state/hub-state';
import { readClients, writeClients } from './clients-file';
import { prepareDataDirectory, readHubId, writeHubId, type DataFiles } from './data-directory';
import type { Disk } from './disk';
import { IdTable } from './id-table';
import { LineTable } from './line-table';
import { LogFile } from './log-file';
import { LogRanges } from './log-ranges';
import type { LogLine } from './log-reader';
import { DATA_FORMAT, readMeta, writeMeta, type Meta } from './meta';
import { recoverLog } from './recover-log';
import { sha256 } from './sha256';
import { ReplaceError, writeNew } from './whole-file';

export interface StoreOptions {
  readonly folder: string;
  readonly disk: Disk;
  /** Wall clock, ms. */
  readonly now: () => number;
  readonly warn: (message: string) => void;
  readonly onProgress?: (doneBytes: number, allBytes: number) => void;
}

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
  const entries = await disk.facts(files.entries);
  const used = (entries?.size ?? 0) > 0 || (await disk.facts(files.clients)) !== undefined;
  if (!used) return;
  throw new HubError(
    'bad_data',
    `${files.meta} is missing, but ${files.folder} has been in use (entries.jsonl has ${entries?.size ?? 0} bytes). ` +
      `Copy it back from a backup, or make it anew with: ctx hub repair --rebuild-meta --data-dir ${files.folder}`,
  );
}

async function checkIdentity(disk: Disk, files: DataFiles, meta: Meta): Promise<void> {
  const hubId = await readHubId(disk, files);
  const entries = await disk.facts(files.entries);
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
  if (entries === undefined) {
    const { sequence, length } = meta.watermark;
    throw new HubError(
      'bad_data',
      `${files.entries} is missing: it is behind meta.json by ${sequence} entries (${length} bytes). Copy it back from a backup. ` +
        `To go on without them: ${repair}`,
    );
  }
}

async function openFiles(options: StoreOptions): Promise<{ files: DataFiles; meta: Meta }> {
  const { disk } = options;
  const files = await prepareDataDirectory(disk, options.folder);
  const found = await readMeta(disk, files);
  if (found.kind === 'original') throw new HubError('bad_data', `${files.meta} is of the original hub.`);
  if (found.kind === 'missing') {
    await refuseHalf(disk, files);
    return { files, meta: await createFiles(disk, files, new Date(options.now())) };
  }
  await checkIdentity(disk, files, found.meta);
  return { files, meta: found.meta };
}

export async function openStore(options: StoreOptions): Promise<Store> {
  const { disk } = options;
  const { files, meta } = await openFiles(options);
  const { table } = await readClients(disk, files);
  const lines = new LineTable();
  const ids = new IdTable(randomInt(2 ** 32));
  const recovered = await recoverLog({
    disk,
    files,
    empty: { sequence: 0, digest: emptyLogDigest(meta.hub_id, sha256) },
    watermark: meta.watermark,
    closed: meta.closed,
    gaps: meta.gaps,
    now: new Date(options.now()),
    warn: options.warn,
    onLine: (line, length) => {
      ids.add(line.id, lines.count);
      lines.add(length);
    },
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
  });
  const log = new LogFile(recovered.file, files.entries, recovered.goodBytes);
  const ranges = new LogRanges(log, lines, ids, meta.gaps);
  return new Store(disk, files, meta, log, ranges, recovered.head, table);
}

export class Store {
  constructor(
    private readonly disk: Disk,
    readonly files: DataFiles,
    private meta: Meta,
    private readonly log: LogFile,
    private readonly ranges: LogRanges,
    private committed: Cursor,
    readonly initialClients: ClientTable,
  ) {}

  get hubId(): string {
    return this.meta.hub_id;
  }

  /** End of the log. */
  get head(): Cursor {
    return this.committed;
  }

  get failure(): string | undefined {
    return this.log.failure;
  }

  /**
   * Makes a batch of lines durable. @returns them as readers get them
   * @throws HubError see {@link LogFile.append}
   */
  async append(planned: readonly PlannedLine[]): Promise<readonly LogLine[]> {
    await this.noteOpen();
    const batch = Buffer.from(`${planned.map((line) => line.text).join('\n')}\n`);
    await this.log.append(batch);
    let at = 0;
    return planned.map(({ id, sequence, type, digest }) => {
      const end = batch.indexOf(0x0a, at);
      const bytes = batch.subarray(at, end);
      this.ranges.add(id, end + 1 - at);
      at = end + 1;
      this.committed = { sequence, digest };
      return { sequence, type, digest, bytes };
    });
  }

  /** From the first append on, meta.json must not claim that the log ends at the watermark. */
  private async noteOpen(): Promise<void> {
    if (!this.meta.closed || this.failure !== undefined) return;
    await this.replaceMeta({ ...this.meta, closed: false });
  }

  private replaceMeta(meta: Meta): Promise<void> {
    return this.replacing('meta.json', async () => {
      await writeMeta(this.disk, this.files, meta);
      this.meta = meta;
    });
  }

  replaceClients(table: ClientTable): Promise<void> {
    if (this.failure !== undefined) {
      return Promise.reject(new HubError('store_failed', this.failure, { outcome: 'unknown' }));
    }
    return this.replacing('clients.json', () => writeClients(this.disk, this.files, table));
  }

  private async replacing(name: string, replace: () => Promise<void>): Promise<void> {
    try {
      await replace();
    } catch (error) {
      if (!(error instanceof ReplaceError)) throw error;
      if (error.stage === 'after') throw this.log.fail(`${name} may or may not have been replaced`, error.cause);
      throw new HubError('disk_full', `Nothing was changed: ${error.message}. Free space on the hub's disk.`, {
        cause: error,
      });
    }
  }

  /** Moves the floor that recovery never cuts below up to the end of the log. */
  async markWater(closed: boolean): Promise<void> {
    const watermark = { ...this.committed, length: this.log.length };
    if (this.failure !== undefined) return;
    if (watermark.length === this.meta.watermark.length && closed === this.meta.closed) return;
    await this.replaceMeta({ ...this.meta, closed, watermark });
  }

  known(ids: readonly string[]): Promise<ReadonlyMap<string, KnownEntry | HubError>> | undefined {
    return this.ranges.known(ids);
  }

  readAfter(sequence: number, maxBytes: number): Promise<readonly LogLine[]> {
    return this.ranges.readAfter(sequence, maxBytes);
  }

  async knows(cursor: Cursor): Promise<boolean> {
    if (cursor.sequence === 0) return cursor.digest === emptyLogDigest(this.hubId, sha256);
    if (cursor.sequence === this.committed.sequence) return cursor.digest === this.committed.digest;
    return (await this.ranges.digestAt(cursor.sequence)) === cursor.digest;
  }

  /** Closes the files; after a clean stop the watermark is the end of the log. */
  async close(): Promise<void> {
    try {
      await this.markWater(true);
    } finally {
      await this.log.close();
    }
  }
}
