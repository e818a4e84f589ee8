/** A `sync`: one page of what lies after a cursor, bounded both in what is sent and in what is scanned for it. */
import type { Cursor } from '../../core/cursor';
import type { LogLine, LogReader } from '../store/log-reader';
import type { Feed } from './feed';
import { filtered, type LineFilter } from './line-filter';

export interface Page {
  readonly lines: readonly LogLine[];
  readonly cursor: Cursor;
  readonly more: boolean;
}

const READ_BYTES = 256 * 1024;
const PAGE_BYTES = 512 * 1024;
/** A filter may hold everything back: the page then comes empty, with its cursor moved on. */
const SCAN_BYTES = 4 * 1024 * 1024;

const bytesOf = (lines: readonly LogLine[]): number => lines.reduce((sum, line) => sum + line.bytes.length, 0);

/** @throws HubError `diverged` when one of the cursors is not of this log's history */
export async function readPage(
  feed: Feed,
  reader: LogReader,
  cursor: Cursor | undefined,
  to: Cursor | undefined,
  filter: LineFilter,
): Promise<Page> {
  const start = await feed.startingAt(cursor);
  const last = to === undefined ? reader.head().sequence : await feed.startingAt(to);
  let position = start;
  let end = cursor;
  let scanned = 0;
  let kept = 0;
  const lines: LogLine[] = [];
  while (position < last && scanned < SCAN_BYTES && kept < PAGE_BYTES) {
    const read = (await feed.read(position, READ_BYTES)).filter((line) => line.sequence <= last);
    const tip = read.at(-1);
    if (tip === undefined) break;
    const wanted = filtered(filter, read);
    lines.push(...wanted);
    scanned += bytesOf(read);
    kept += bytesOf(wanted);
    position = tip.sequence;
    end = { sequence: tip.sequence, digest: tip.digest };
  }
  return { lines, cursor: end ?? to ?? reader.head(), more: position < last };
}
