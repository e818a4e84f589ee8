/**
 * `entries.jsonl` of the original hub: lines without client, received_at and digest. Gives each its place in the chain;
 * ids, content, timestamps and sequences stay as they are.
 */
import * as z from 'zod';
import type { Cursor } from '../../core/cursor';
import { ENTRY_TYPES, isEntryId, isTimestamp } from '../../core/entry';
import { HubError } from '../../core/errors';
import { lineDigest } from '../../core/line';
import { shapeFault } from '../../core/shape-fault';
import type { Gap } from './meta';
import { sha256 } from './sha256';

const entrySchema = z.looseObject({
  id: z.string().refine(isEntryId, 'has characters that no id may have'),
  type: z.enum(ENTRY_TYPES),
  content: z.string(),
  origin: z.string().regex(/^[^"\\\u0000-\u001f]{1,256}$/, 'has characters that no project may have'),
  timestamp: z.string().regex(/^[^"\\\u0000-\u001f]{0,64}$/),
  sequence: z.int().min(1),
});
type OriginalEntry = z.infer<typeof entrySchema>;

/** The client that all entries of the original are stamped with: it did not record any. */
export const ORIGINAL_CLIENT = 'original';

export interface ConvertOptions {
  /** For messages. */
  readonly file: string;
  readonly empty: Cursor;
  readonly now: Date;
}

export interface ConvertedLog {
  readonly bytes: Uint8Array;
  readonly lines: number;
  readonly end: Cursor;
  readonly gaps: readonly Gap[];
  readonly warning: string | undefined;
}

function parseLine(text: string): OriginalEntry | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const parsed = entrySchema.safeParse(value);
  return parsed.success ? parsed.data : shapeFault(parsed.error);
}

function receivedAt(timestamp: string, now: Date): string {
  return isTimestamp(timestamp) ? new Date(timestamp).toISOString() : now.toISOString();
}

/** Members that this version does not know are kept, where a later one would have put its own. */
function encode(entry: OriginalEntry, previous: string, now: Date): { text: string; digest: string } {
  const { id, type, content, origin, timestamp, sequence, ...others } = entry;
  const json = JSON.stringify(content);
  const head = `{"id":"${id}","type":"${type}",`;
  const stamps = { origin, client: ORIGINAL_CLIENT, timestamp, received_at: receivedAt(timestamp, now), sequence };
  const known = new Set([...Object.keys(stamps), 'digest']);
  const kept = Object.fromEntries(Object.entries(others).filter(([name]) => !known.has(name)));
  const tail = JSON.stringify({ ...stamps, ...kept }).slice(1, -1);
  const digest = lineDigest(sha256, previous, sequence, head, tail, sha256(json.slice(1, -1)));
  return { text: `${head}"content":${json},${tail},"digest":"${digest}"}\n`, digest };
}

class Converter {
  readonly lines: string[] = [];
  readonly gaps: Gap[] = [];
  end: Cursor;

  constructor(private readonly options: ConvertOptions) {
    this.end = options.empty;
  }

  add(entry: OriginalEntry): string | undefined {
    const expected = this.end.sequence + 1;
    const { sequence } = entry;
    if (sequence < expected) return `its sequence is ${sequence} where ${expected} or more belongs`;
    const { now } = this.options;
    if (sequence > expected) {
      this.gaps.push({ first: expected, last: sequence - 1, recorded_at: now.toISOString() });
    }
    const { text, digest } = encode(entry, this.end.digest, now);
    this.lines.push(text);
    this.end = { sequence, digest };
    return undefined;
  }
}

/** @throws HubError `bad_data` for a bad line that is not the last; a bad last line, which the original left after a crash, is left out */
export function convertOriginalLog(bytes: Uint8Array, options: ConvertOptions): ConvertedLog {
  const texts = Buffer.from(bytes).toString('utf8').split('\n');
  const converter = new Converter(options);
  let warning: string | undefined;
  for (const [at, text] of texts.entries()) {
    if (text.trim() === '') continue;
    const entry = parseLine(text);
    const reason = typeof entry === 'string' ? entry : converter.add(entry);
    if (reason === undefined) continue;
    const isLast = texts.slice(at + 1).every((later) => later.trim() === '');
    if (!isLast || typeof entry !== 'string') {
      throw new HubError(
        'bad_data',
        `${options.file} cannot be upgraded: line ${at + 1}: ${reason}. Correct that line.`,
      );
    }
    warning = `Its last line (${at + 1}) was cut short and is only in that copy.`;
  }
  const { lines, end, gaps } = converter;
  return { bytes: Buffer.from(lines.join('')), lines: lines.length, end, gaps, warning };
}
