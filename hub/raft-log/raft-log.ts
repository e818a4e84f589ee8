/**
 * A node's Raft log and hard state on disk: numbered segments of checksummed records, one write at a time. A write is whole or
 * not there; a torn last one is cut at the next start, damage anywhere else is refused by name. After a failed fsync
 * nobody knows what is on disk: the node must end (FM-21).
 */
import path from 'node:path';
import { HubError } from '../../core/errors';
import type { Entry, HardState, LogPosition } from '../raft/entry';
import { isDiskFull, type Disk, type DiskFile } from '../store/disk';
import { readFully, writeFully } from '../store/whole-file';
import { encodeEntry } from './entry-codec';
import { encodeRecord, type LogRecord } from './record';
import { recoverSegments } from './recover';
import { encodeJson, type Recovered } from './replay';
import { RAFT_LOG_FORMAT, segmentPath, type Segment } from './segment';

export type { Recovered };

export interface RaftWrite {
  readonly hardState?: HardState | undefined;
  /** A snapshot was taken in: everything before it is void. */
  readonly restore?: LogPosition | undefined;
  /** The first one's index and everything above is replaced. */
  readonly entries: readonly Entry[];
  readonly sync: boolean;
}

export interface RaftLogOptions {
  readonly disk: Disk;
  readonly folder: string;
  readonly warn: (message: string) => void;
  readonly segmentBytes?: number;
  /** What it means that there is none; absent = one that is not there is made. */
  readonly gone?: (() => HubError) | undefined;
}

const SEGMENT_BYTES = 16 * 1024 * 1024;

export interface OpenedRaftLog {
  readonly log: RaftLog;
  readonly recovered: Recovered;
}

const because = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export class RaftLog {
  private fault: HubError | undefined;
  /** Of the last segment. */
  private durable: number;

  private constructor(
    private readonly options: RaftLogOptions,
    private readonly segments: Segment[],
    private file: DiskFile,
    private end: number,
    private hardState: HardState,
    private base: LogPosition,
  ) {
    this.durable = end;
  }

  /** @throws HubError `bad_data` for a damaged log, or as `gone` says; nothing was changed then */
  static async open(options: RaftLogOptions): Promise<OpenedRaftLog> {
    const { disk, folder, gone } = options;
    if ((await disk.facts(folder)) === undefined) {
      if (gone !== undefined) throw gone();
      await disk.makeFolder(folder);
      await disk.syncFolder(path.dirname(folder));
    }
    const { segments, recovered, durable } = await recoverSegments(options);
    const last = segments.at(-1);
    const { hardState, base } = recovered;
    if (last === undefined) {
      if (gone !== undefined) throw gone();
      const first = { number: 1, lastIndex: 0 };
      const { file, end } = await createSegment(options, first.number, hardState, base);
      return { log: new RaftLog(options, [first], file, end, hardState, base), recovered };
    }
    const file = await disk.open(segmentPath(folder, last.number), 'update');
    const end = await file.size();
    await rewriteEnd(file, durable, end);
    const log = new RaftLog(options, segments, file, end, hardState, base);
    return { log, recovered };
  }

  get failure(): string | undefined {
    return this.fault?.message;
  }

  /**
   * One at a time. Resolves when it is durable (`sync`), or handed to the system.
   * @throws HubError `disk_full`: the log is as before, the same write may be tried again; `store_failed`: the node must end
   */
  async write(write: RaftWrite): Promise<void> {
    if (this.fault !== undefined) throw this.fault;
    if (this.end > (this.options.segmentBytes ?? SEGMENT_BYTES)) await this.rotate(this.hardState, this.base);
    await this.append(recordsOf(write, this.hardState), write.sync);
    if (write.hardState !== undefined) this.hardState = write.hardState;
    if (write.restore !== undefined) this.base = write.restore;
    const segment = this.segments.at(-1);
    const last = write.entries.at(-1);
    if (segment !== undefined && last !== undefined) segment.lastIndex = Math.max(segment.lastIndex, last.index);
  }

  private async append(records: readonly LogRecord[], sync: boolean): Promise<void> {
    const bytes = Buffer.concat(records.map((record) => encodeRecord(this.durable, record)));
    try {
      await writeFully(this.file, bytes, this.end);
    } catch (error) {
      await this.rollBack(error);
      throw this.full(error);
    }
    if (sync) await this.sync();
    this.end += bytes.length;
    if (sync) this.durable = this.end;
  }

  private async sync(): Promise<void> {
    try {
      await this.file.sync();
    } catch (error) {
      throw this.fail('fdatasync failed', error);
    }
  }

  /** What was written in part must be gone before the same place is written again. */
  private async rollBack(reason: unknown): Promise<void> {
    try {
      await this.file.truncate(this.end);
      await this.file.sync();
    } catch (error) {
      throw this.fail(`a failed write (${because(reason)}) could not be taken back`, error);
    }
    if (!isDiskFull(reason)) throw this.fail('it cannot be written', reason);
  }

  private full(cause: unknown): HubError {
    const message = `The disk of ${this.options.folder} is full (${because(cause)}). Free space there.`;
    return new HubError('disk_full', message, { cause });
  }

  private fail(what: string, cause: unknown): HubError {
    const message = `The Raft log in ${this.options.folder}: ${what} (${because(cause)}). Check the disk, then start again.`;
    this.fault = new HubError('store_failed', message, { cause, outcome: 'unknown' });
    return this.fault;
  }

  /**
   * Forgets entries up to `base`, which the state machine durably holds: a new segment begins with it, then older segments
   * that hold nothing else are removed. @throws HubError like {@link write}
   */
  async compact(base: LogPosition): Promise<void> {
    if (this.fault !== undefined) throw this.fault;
    await this.rotate(this.hardState, base);
    this.base = base;
    const { disk, folder } = this.options;
    let removed = false;
    for (let first = this.segments[0]; first !== undefined && this.segments.length > 1; first = this.segments[0]) {
      if (first.lastIndex > base.index) break;
      await disk.remove(segmentPath(folder, first.number));
      this.segments.shift();
      removed = true;
    }
    // One that comes back after a power cut holds nothing that counts.
    if (removed) await disk.syncFolder(folder);
  }

  private async rotate(hardState: HardState, base: LogPosition): Promise<void> {
    // A segment that is not the last one must be whole at every later start.
    if (this.durable < this.end) await this.sync();
    const number = (this.segments.at(-1)?.number ?? 0) + 1;
    let made: { readonly file: DiskFile; readonly end: number };
    try {
      made = await createSegment(this.options, number, hardState, base);
    } catch (error) {
      throw isDiskFull(error) ? this.full(error) : this.fail('a new segment cannot be made', error);
    }
    await this.file.close();
    this.file = made.file;
    this.end = made.end;
    this.durable = made.end;
    this.segments.push({ number, lastIndex: 0 });
  }

  async close(): Promise<void> {
    if (this.fault === undefined && this.durable < this.end) await this.sync();
    await this.file.close();
  }
}

/**
 * What an earlier life left in the cache may be promised already, and a failed fsync leaves lost pages clean in memory:
 * written once more, the sync that follows means what it says.
 */
async function rewriteEnd(file: DiskFile, from: number, end: number): Promise<void> {
  if (end > from) await writeFully(file, await readFully(file, from, end - from), from);
  await file.sync();
}

/**
 * In an order in which any beginning of them is true: the term before the entries that came with it, the commit index behind
 * what it counts. Until those are there, other entries may stand at their indexes.
 */
function recordsOf({ hardState, restore, entries }: RaftWrite, onDisk: HardState): readonly LogRecord[] {
  const content: readonly LogRecord[] = [
    ...(restore === undefined ? [] : [{ type: 'restore' as const, payload: encodeJson(restore) }]),
    ...entries.map((entry) => ({ type: 'entry' as const, payload: encodeEntry(entry) })),
  ];
  if (hardState === undefined) return content;
  const kept = restore === undefined ? (entries[0]?.index ?? Infinity) - 1 : onDisk.commit;
  const commit = Math.min(hardState.commit, kept);
  return [
    hardStateRecord({ ...hardState, commit }),
    ...content,
    ...(commit === hardState.commit ? [] : [hardStateRecord(hardState)]),
  ];
}

const hardStateRecord = (hardState: HardState): LogRecord => ({ type: 'hard-state', payload: encodeJson(hardState) });

async function createSegment(
  { disk, folder }: RaftLogOptions,
  number: number,
  hardState: HardState,
  base: LogPosition,
): Promise<{ readonly file: DiskFile; readonly end: number }> {
  const records: readonly LogRecord[] = [
    { type: 'header', payload: Buffer.from(JSON.stringify({ format: RAFT_LOG_FORMAT })) },
    { type: 'base', payload: encodeJson(base) },
    hardStateRecord(hardState),
  ];
  const bytes = Buffer.concat(records.map((record) => encodeRecord(0, record)));
  const name = segmentPath(folder, number);
  const file = await disk.open(name, 'create');
  try {
    await writeFully(file, bytes, 0);
    await file.sync();
    await disk.syncFolder(folder);
    return { file, end: bytes.length };
  } catch (error) {
    await file.close();
    await disk.remove(name).catch(() => undefined); // The first error is told; an empty segment is cut at the next start.
    throw error;
  }
}
