/** Reads a journal (lines as in entries.jsonl) for `ctx hub import`: each entry with the origin and client it once had. */
import fs from 'node:fs';
import readline from 'node:readline';
import * as z from 'zod';
import { ENTRY_TYPES, META_KEYS, type StampedEntry } from '../../core/entry';
import { shapeFault } from '../../core/shape-fault';
import { ORIGINAL_CLIENT } from './original-log';

const stamp = z.string().regex(/^[^"\\\u0000-\u001f]{1,256}$/, 'is no name');

const importSchema = z.looseObject({
  id: z.string(),
  type: z.enum(ENTRY_TYPES),
  content: z.string(),
  origin: stamp,
  /** The original hub did not record it. */
  client: stamp.default(ORIGINAL_CLIENT),
  timestamp: z.string(),
  meta: z.strictObject(Object.fromEntries(META_KEYS.map((key) => [key, z.string().optional()]))).optional(),
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

/**
 * @param onRead told, line by line, how many bytes of the file have been read
 * @yields every line that is not empty, in order
 */
export async function* readImport(
  file: string,
  onRead: (bytes: number) => void,
): AsyncGenerator<ImportLine | BadImportLine> {
  const input = fs.createReadStream(file, 'utf8');
  const lines = readline.createInterface({ input, crlfDelay: Infinity });
  let lineNumber = 0;
  for await (const text of lines) {
    lineNumber++;
    onRead(input.bytesRead);
    if (text.trim() === '') continue;
    const entry = entryOf(text);
    yield typeof entry === 'string' ? { lineNumber, reason: entry } : { lineNumber, entry };
  }
}
