/** `meta.json` (PROTOCOL.md, section "Data directory"): which hub, how far the log certainly reaches, which gaps are known. */
import path from 'node:path';
import * as z from 'zod';
import { HubError } from '../../core/errors';
import { DIGEST_PATTERN } from '../../core/line';
import { shapeFault } from '../../core/shape-fault';
import type { DataFiles } from './data-directory';
import type { Disk } from './disk';
import { isOriginalMeta } from './original-meta';
import { jsonFault, parseJson } from './json-file';
import { sha256Hex } from './sha256';
import { readWhole, replaceWhole } from './whole-file';

export const DATA_FORMAT = 1;

const gapSchema = z.looseObject({
  /** Sequences that the log no longer has. */
  first: z.int().min(1),
  last: z.int().min(1),
  recorded_at: z.string(),
  /** SHA-256 of the line after the gap, which has no line before it to be chained to; absent = it chains over the gap. */
  next_sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});

const metaSchema = z.looseObject({
  format: z.literal(DATA_FORMAT),
  hub_id: z.string(),
  created_at: z.string(),
  /** Whether the hub stopped cleanly: then the log ends exactly at the watermark. */
  closed: z.boolean(),
  watermark: z.object({
    sequence: z.int().min(0),
    length: z.int().min(0),
    digest: z.string().regex(DIGEST_PATTERN),
  }),
  gaps: z.array(gapSchema),
  /** Of the Raft engine, which gives it its meaning. */
  raft: z.unknown().optional(),
});

export type Gap = z.infer<typeof gapSchema>;
export type Meta = z.infer<typeof metaSchema>;
/** An end of the log that is known to be on disk. */
export type Watermark = Meta['watermark'];

function parseMeta(file: string, bytes: Uint8Array): unknown {
  try {
    return parseJson(bytes);
  } catch (error) {
    throw new HubError(
      'bad_data',
      `${file} is not JSON (${jsonFault(error)}). Run: ctx hub repair --rebuild-meta --data-dir ${path.dirname(file)}`,
      {
        cause: error,
      },
    );
  }
}

export type MetaFile =
  | { readonly kind: 'missing' }
  | { readonly kind: 'original' }
  /** Edited: not as the hub wrote it. */
  | { readonly kind: 'meta'; readonly meta: Meta; readonly edited: boolean };

const checksumOf = (members: Record<string, unknown>): string => sha256Hex(JSON.stringify(members));

/** Over the members as they stand in the file; one of a version that wrote no checksum cannot be told from its edit. */
function isEdited(value: unknown): boolean {
  const { checksum, ...members } = value as Record<string, unknown>;
  return checksum !== undefined && checksum !== checksumOf(members);
}

/** @throws HubError `bad_data` when it cannot be understood, `unsupported_version` when a newer hub wrote it */
export async function readMeta(disk: Disk, files: DataFiles): Promise<MetaFile> {
  const bytes = await readWhole(disk, files.meta);
  if (bytes === undefined) return { kind: 'missing' };
  const value = parseMeta(files.meta, bytes);
  const format = z.looseObject({ format: z.number() }).safeParse(value);
  if (format.success && format.data.format > DATA_FORMAT) {
    throw new HubError(
      'unsupported_version',
      `${files.meta} was written by a newer hub (format ${format.data.format}; this one knows ${DATA_FORMAT}). Update ctx.`,
    );
  }
  if (isOriginalMeta(bytes)) return { kind: 'original' };
  const parsed = metaSchema.safeParse(value);
  if (parsed.success) return { kind: 'meta', meta: parsed.data, edited: isEdited(value) };
  throw new HubError(
    'bad_data',
    `${files.meta} is damaged: ${shapeFault(parsed.error)}. Run: ctx hub repair --rebuild-meta --data-dir ${files.folder}`,
  );
}

export async function writeMeta(disk: Disk, files: DataFiles, meta: Meta): Promise<void> {
  const members: Record<string, unknown> = { ...meta };
  delete members['checksum'];
  const value = { ...members, checksum: checksumOf(members) };
  await replaceWhole(disk, files.meta, Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`));
}
