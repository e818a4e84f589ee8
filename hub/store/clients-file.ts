/**
 * `clients.json`: the registered clients, replaced atomically on every change. It carries a checksum, so that an edit by
 * hand (the original's way to revoke) is noticed, honoured and told (FM-47).
 */
import { z } from 'zod';
import { isClientName, isProjectName } from '../../core/entry';
import { HubError } from '../../core/errors';
import { NO_CLIENTS, type ClientTable } from '../state/client-table';
import type { ClientRecord } from '../state/commands';
import type { DataFiles } from './data-directory';
import type { Disk } from './disk';
import { DATA_FORMAT } from './meta';
import { sha256Hex } from './sha256';
import { readWhole, replaceWhole } from './whole-file';

const recordSchema = z.looseObject({
  id: z.string().regex(/^[0-9a-f]{16}$/, 'must be 16 hex digits'),
  project: z.string().refine(isProjectName, 'is no project name'),
  client: z.string().refine(isClientName, 'is no client name'),
  token_digest: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits'),
  created_at: z.string(),
  revoked_at: z.string().optional(),
});

const fileSchema = z.looseObject({
  format: z.literal(DATA_FORMAT),
  version: z.int().min(0),
  clients: z.array(recordSchema),
  checksum: z.string().optional(),
});

const checksumOf = (version: number, records: readonly ClientRecord[]): string =>
  sha256Hex(JSON.stringify([version, records]));

export function encodeClients(table: ClientTable): Uint8Array {
  const { version, records } = table;
  const value = { format: DATA_FORMAT, version, clients: records, checksum: checksumOf(version, records) };
  return Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
}

export interface ReadClients {
  readonly table: ClientTable;
  /** Whether the bytes are as a hub wrote them. */
  readonly untouched: boolean;
}

export function decodeClients(file: string, bytes: Uint8Array): ReadClients {
  const fail = (why: string, cause?: unknown): never => {
    throw new HubError('bad_data', `${file} is damaged: ${why}. Correct it, or copy it back from a backup.`, { cause });
  };
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error), error);
  }
  const format = z.looseObject({ format: z.number() }).safeParse(value);
  if (format.success && format.data.format > DATA_FORMAT) {
    throw new HubError('unsupported_version', `${file} was written by a newer hub. Update ctx.`);
  }
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) return fail(z.prettifyError(parsed.error));
  const { version, checksum } = parsed.data;
  const records = parsed.data.clients as readonly ClientRecord[];
  return { table: { version, records }, untouched: checksum === checksumOf(version, records) };
}

export async function writeClients(disk: Disk, files: DataFiles, table: ClientTable): Promise<void> {
  await replaceWhole(disk, files.clients, encodeClients(table));
}

export async function readClients(disk: Disk, files: DataFiles): Promise<ReadClients> {
  const bytes = await readWhole(disk, files.clients);
  return bytes === undefined ? { table: NO_CLIENTS, untouched: true } : decodeClients(files.clients, bytes);
}
