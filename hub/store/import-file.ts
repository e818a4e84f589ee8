/** Reads a journal (lines as in entries.jsonl) for `ctx hub import`: each entry with the origin and client it once had. */
import fs from 'node:fs';
import * as z from 'zod';
import { LF } from '../../core/characters';
import { ENTRY_TYPES, type StampedEntry } from '../../core/entry';
import { metaSchema, stampSchema } from '../../core/entry-schema';
import { shapeFault } from '../../core/shape-fault';
import { ORIGINAL_CLIENT } from './original-log';
import { MAX_LINE_BYTES } from './scan-lines';

const importSchema = z.looseObject({
  id: z.string(),
  type: z.enum(ENTRY_TYPES),
  content: z.string(),
  origin: stampSchema,
  /** The original hub did not record it. */
  client: stampSchema.default(ORIGINAL_CLIENT),
  timestamp: z.string(),
  meta: metaSchema.optional(),
  supersedes: z.string().optional(),
});

const redactedSchema = z.union([z.looseObject({ content: z.null() }), z.looseObject({ type: z.literal('redaction') })]);

export interface ImportLine {
  /** From 1. */
  readonly lineNumber: number;
  readonly entry: StampedEntry;
}

export interface BadImportLine {
  readonly lineNumber: number;
  readonly reason: string;
}

function entryOf(text: string): StampedEntry | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  if (redactedSchema.safeParse(value).success) {
    return 'it is redacted: there is nothing to import';
  }
  const parsed = importSchema.safeParse(value);
  if (!parsed.success) return shapeFault(parsed.error);
  const { id, type, content, origin, client, timestamp, meta, supersedes } = parsed.data;
  return {
    ...{ id, type, content, origin, client, timestamp },
    ...(meta === undefined ? {} : { meta: meta }),
    ...(supersedes === undefined ? {} : { supersedes }),
  };
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function lineOf(bytes: Uint8Array, lineNumber: number): ImportLine | BadImportLine | undefined {
  let text: string;
  try {
    text = decoder.decode(bytes); // Without a byte order mark, which an editor may have put first.
  } catch {
    return { lineNumber, reason: 'it is not valid UTF-8' };
  }
  if (text.trim() === '') return undefined;
  const entry = entryOf(text);
  return typeof entry === 'string' ? { lineNumber, reason: entry } : { lineNumber, entry };
}

/** A line of a file that is being read, which may come in pieces. Of one that is too long only the length is kept. */
class PiecedLine {
  private pieces: Uint8Array[] = [];
  private length = 0;

  add(piece: Uint8Array): void {
    this.length += piece.length;
    if (this.length <= MAX_LINE_BYTES) this.pieces.push(piece);
    else this.pieces = [];
  }

  /** The next line begins. @returns this one; undefined = it is empty */
  end(lineNumber: number): ImportLine | BadImportLine | undefined {
    const { pieces, length } = this;
    this.pieces = [];
    this.length = 0;
    if (length > MAX_LINE_BYTES) {
      return { lineNumber, reason: `it is ${length} bytes long, more than any entry` };
    }
    return lineOf(Buffer.concat(pieces), lineNumber);
  }
}

/**
 * @param onRead told, piece by piece, how many bytes of the file have been read
 * @yields every line that is not empty, in order
 */
export async function* readImport(
  file: string,
  onRead: (bytes: number) => void,
): AsyncGenerator<ImportLine | BadImportLine> {
  const input = fs.createReadStream(file) as AsyncIterable<Buffer>;
  const line = new PiecedLine();
  let lineNumber = 1;
  let read = 0;
  for await (const bytes of input) {
    read += bytes.length;
    onRead(read);
    let start = 0;
    for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, start)) {
      line.add(bytes.subarray(start, end));
      const found = line.end(lineNumber++);
      if (found !== undefined) yield found;
      start = end + 1;
    }
    line.add(bytes.subarray(start));
  }
  const last = line.end(lineNumber);
  if (last !== undefined) yield last;
}
