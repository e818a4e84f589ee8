/** Reads a Raft log's segments at start: cuts a torn last write, refuses damage anywhere else. */
import { HubError } from '../../core/errors';
import type { Disk } from '../store/disk';
import { readWhole } from '../store/whole-file';
import { decodeEntry } from './entry-codec';
import { findRecord, readRecord, type ReadRecord } from './record';
import { Replay, unreadable, type Recovered } from './replay';
import { RAFT_LOG_FORMAT, segmentNumbers, segmentPath, type Segment } from './segment';

/** Header, base, hard state: what a segment begins with. */
const HEAD_RECORDS = 3;

export interface RecoveredSegments {
  readonly segments: Segment[];
  /** Up to here the last segment is certainly durable. */
  readonly durable: number;
  readonly recovered: Recovered;
}

export interface RecoverSegmentsOptions {
  readonly disk: Disk;
  readonly folder: string;
  readonly warn: (message: string) => void;
  /** Nothing is changed: what would be cut is passed over. */
  readonly lookOnly?: boolean;
}

interface ReadSegment {
  readonly records: readonly ReadRecord[];
  /** First byte after the last whole record. */
  readonly end: number;
  readonly bytes: Buffer;
}

function readSegment(bytes: Buffer): ReadSegment {
  const records: ReadRecord[] = [];
  let end = 0;
  for (let record = readRecord(bytes, 0); record !== undefined; record = readRecord(bytes, end)) {
    records.push(record);
    end = record.end;
  }
  return { records, end, bytes };
}

function damaged(file: string, offset: number): never {
  throw unreadable(`${file} is damaged at byte ${offset}`);
}

function checkFormat(file: string, first: ReadRecord | undefined): void {
  if (first?.type !== 'header') damaged(file, 0);
  const { format } = JSON.parse(Buffer.from(first.payload).toString('utf8')) as { format?: unknown };
  if (format === RAFT_LOG_FORMAT) return;
  throw new HubError('unsupported_version', `${file} was written by a newer hub. Update ctx.`);
}

/** Only what was not durable yet may be torn; a later record may prove that this place was. */
async function cutTorn(options: RecoverSegmentsOptions, file: string, read: ReadSegment): Promise<void> {
  const { bytes, end } = read;
  if (end === bytes.length) return;
  for (let next = findRecord(bytes, end); next !== undefined; next = findRecord(bytes, next.end)) {
    if (next.durable > end) damaged(file, end);
  }
  if (options.lookOnly === true) return;
  const handle = await options.disk.open(file, 'update');
  try {
    await handle.truncate(end);
    await handle.sync();
  } finally {
    await handle.close();
  }
  options.warn(`${file}: cut ${bytes.length - end} bytes at byte ${end}, the rest of a write that was never promised.`);
}

/** @throws HubError `bad_data` */
export async function recoverSegments(options: RecoverSegmentsOptions): Promise<RecoveredSegments> {
  const { disk, folder } = options;
  const replay = new Replay();
  const segments: Segment[] = [];
  let durable = 0;
  const numbers = segmentNumbers(await disk.list(folder));
  for (const number of numbers) {
    const file = segmentPath(folder, number);
    const read = readSegment(Buffer.from((await readWhole(disk, file)) ?? new Uint8Array(0)));
    const isLast = number === numbers.at(-1);
    if (!isLast && read.end < read.bytes.length) damaged(file, read.end);
    if (isLast) {
      // A segment whose making was cut short holds nothing yet.
      if (read.records.length < HEAD_RECORDS && findRecord(read.bytes, read.end) === undefined) {
        if (options.lookOnly === true) break;
        await disk.remove(file);
        await disk.syncFolder(folder);
        break;
      }
      await cutTorn(options, file, read);
    }
    checkFormat(file, read.records[0]);
    for (const record of read.records) replay.add(record);
    durable = read.records.at(-1)?.durable ?? 0;
    segments.push({ number, lastIndex: lastIndexOf(read.records) });
  }
  return { segments, durable, recovered: replay.result(folder) };
}

function lastIndexOf(records: readonly ReadRecord[]): number {
  return records.reduce(
    (highest, { type, payload }) => (type === 'entry' ? Math.max(highest, decodeEntry(payload).index) : highest),
    0,
  );
}
