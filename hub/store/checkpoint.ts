/**
 * `entries.index`: the tables of the index as they were at some end of the log, so that a long log need not be read whole
 * before the hub serves. A mere cache: deleted, old or wrong, it is left aside and written again.
 */
import { randomInt } from 'node:crypto';
import * as z from 'zod';
import { DIGEST_PATTERN } from '../../core/line';
import type { DataFiles } from './data-directory';
import type { Disk } from './disk';
import type { LogEnd } from './examine-log';
import { IdTable } from './id-table';
import { LineTable } from './line-table';
import { sha256Hex } from './sha256';
import { readWhole, removeIfThere, replaceWhole } from './whole-file';

const CHECKPOINT_FORMAT = 1;
const HASH_CHARS = 64;
const WORD = 4;

const headerSchema = z.object({
  format: z.literal(CHECKPOINT_FORMAT),
  hub_id: z.string(),
  seed: z.int().min(0),
  blocks: z.int().min(0),
  end: z.object({
    sequence: z.int().min(0),
    digest: z.string().regex(DIGEST_PATTERN),
    length: z.int().min(0),
    lines: z.int().min(0),
  }),
});

export interface Tables {
  readonly lines: LineTable;
  readonly ids: IdTable;
}

export interface Checkpoint extends Tables {
  readonly end: LogEnd;
}

export function emptyTables(): Tables {
  return { lines: new LineTable(), ids: new IdTable(randomInt(2 ** 32)) };
}

/** Fingerprints by ordinal. */
function printsOf(ids: IdTable, lines: number): Uint32Array {
  const prints = new Uint32Array(lines);
  ids.each((print, ordinal) => (prints[ordinal] = print));
  return prints;
}

const asBytes = (words: Uint32Array): Uint8Array => new Uint8Array(words.buffer, words.byteOffset, words.byteLength);

export function encodeCheckpoint(hubId: string, { lines, ids, end }: Checkpoint): Uint8Array {
  const { lengths, crcs } = lines.snapshot();
  const header = { format: CHECKPOINT_FORMAT, hub_id: hubId, seed: ids.seed, blocks: crcs.length, end };
  const body = Buffer.concat([
    Buffer.from(`${JSON.stringify(header)}\n`),
    asBytes(lengths),
    asBytes(crcs),
    asBytes(printsOf(ids, lines.count)),
  ]);
  return Buffer.concat([Buffer.from(sha256Hex(body)), body]);
}

function wordsAt(bytes: Uint8Array, at: number, count: number): Uint32Array {
  const words = new Uint32Array(count);
  asBytes(words).set(bytes.subarray(at, at + count * WORD));
  return words;
}

/** @returns undefined when the bytes are not a checkpoint of this hub in every respect */
export function decodeCheckpoint(hubId: string, bytes: Uint8Array): Checkpoint | undefined {
  const body = bytes.subarray(HASH_CHARS);
  const headerEnd = body.indexOf(0x0a);
  if (headerEnd === -1) return undefined;
  if (sha256Hex(body) !== Buffer.from(bytes.subarray(0, HASH_CHARS)).toString('latin1')) return undefined;
  const header = headerSchema.safeParse(JSON.parse(Buffer.from(body.subarray(0, headerEnd)).toString('utf8')));
  if (!header.success || header.data.hub_id !== hubId) return undefined;
  const { seed, blocks, end } = header.data;
  if (body.length !== headerEnd + 1 + (end.lines * 2 + blocks) * WORD) return undefined;
  const lengths = wordsAt(body, headerEnd + 1, end.lines);
  const crcs = wordsAt(body, headerEnd + 1 + end.lines * WORD, blocks);
  const prints = wordsAt(body, headerEnd + 1 + (end.lines + blocks) * WORD, end.lines);
  const lines = LineTable.restore(lengths, crcs);
  if (lines?.length !== end.length) return undefined;
  const ids = new IdTable(seed, end.lines);
  ids.addPrints(prints);
  return { lines, ids, end };
}

export async function readCheckpoint(disk: Disk, files: DataFiles, hubId: string): Promise<Checkpoint | undefined> {
  const bytes = await readWhole(disk, files.index);
  return bytes === undefined ? undefined : decodeCheckpoint(hubId, bytes);
}

export async function writeCheckpoint(
  disk: Disk,
  files: DataFiles,
  hubId: string,
  checkpoint: Checkpoint,
): Promise<void> {
  await replaceWhole(disk, files.index, encodeCheckpoint(hubId, checkpoint));
}

export async function dropCheckpoint(disk: Disk, files: DataFiles): Promise<void> {
  await removeIfThere(disk, files.index);
}
