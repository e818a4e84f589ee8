/**
 * `clients.json`: the registered clients, replaced atomically on every change. It carries a checksum, so that an edit by
 * hand (the original's way to revoke) is noticed, honoured and told (FM-47). Tokens are never in it, only their digests.
 */
import * as z from 'zod';
import { accessKey, accessSchema } from '../../core/access';
import { isClientName, isProjectName } from '../../core/entry';
import { HubError } from '../../core/errors';
import { shapeFault } from '../../core/shape-fault';
import { NO_CLIENTS, type ClientTable } from '../state/client-table';
import type { ClientRecord } from '../state/commands';
import type { DataFiles } from './data-directory';
import type { Disk } from './disk';
import { DATA_FORMAT } from './meta';
import { convertOriginalClients } from './original-clients';
import { jsonFault, parseJson } from './json-file';
import { sha256Hex } from './sha256';
import { readWhole, ReplaceError, replaceWhole } from './whole-file';

const MAX_VERSION = 2 ** 52;

export const recordSchema = z.looseObject({
  id: z.string().regex(/^[0-9a-f]{16}$/, 'must be 16 hex digits'),
  project: z.string().refine(isProjectName, 'is no project name'),
  client: z.string().refine(isClientName, 'is no client name'),
  token_digest: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits'),
  created_at: z.string(),
  access: accessSchema.optional(),
  revoked_at: z.string().optional(),
});

const fileSchema = z.looseObject({
  format: z.literal(DATA_FORMAT),
  /** Each change adds one: it must never reach what a number no longer tells apart. */
  version: z.int().min(0).max(MAX_VERSION),
  clients: z.array(recordSchema),
  checksum: z.string().optional(),
  applied_index: z.int().min(0).optional(),
});

const checksumOf = (version: number, records: readonly ClientRecord[]): string =>
  sha256Hex(JSON.stringify([version, records]));

export function encodeClients(table: ClientTable): Uint8Array {
  const { version, records, appliedIndex } = table;
  const checksum = checksumOf(version, records);
  const value = { format: DATA_FORMAT, version, clients: records, checksum, applied_index: appliedIndex };
  return Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** The same file for a directory without a Raft log; the checksum does not cover the index. @throws HubError `bad_data` */
export function withoutAppliedIndex(file: string, bytes: Uint8Array): Uint8Array {
  if (decodeClients(file, bytes, '').table.appliedIndex === undefined) return bytes;
  const value = { ...(parseJson(bytes) as object), applied_index: undefined };
  return Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
}

export interface ReadClients {
  readonly table: ClientTable;
  /** `hub` = as a hub wrote it, `hand` = edited since, `original` = of the original hub, with tokens in clear. */
  readonly writtenBy: 'hub' | 'hand' | 'original';
}

function damaged(file: string, why: string, cause?: unknown): HubError {
  return new HubError('bad_data', `${file} is damaged: ${why}. Correct it, or copy it back from a backup.`, { cause });
}

function refuseTwice(file: string, records: readonly ClientRecord[]): void {
  const ids = records.map((record) => record.id);
  const double = ids.find((id, at) => ids.indexOf(id) !== at);
  if (double !== undefined) throw damaged(file, `client ${double} is there twice`);
}

/** @param createdAt stamp for records of the original, which have none */
export function decodeClients(file: string, bytes: Uint8Array, createdAt: string): ReadClients {
  let value: unknown;
  try {
    value = parseJson(bytes);
  } catch (error) {
    throw damaged(file, jsonFault(error), error);
  }
  const original = convertOriginalClients(file, value, createdAt);
  if (original !== undefined) {
    refuseTwice(file, original.records);
    return { table: original, writtenBy: 'original' };
  }
  const format = z.looseObject({ format: z.number() }).safeParse(value);
  if (format.success && format.data.format > DATA_FORMAT) {
    throw new HubError(
      'unsupported_version',
      `${file} was written by a newer hub (format ${format.data.format}; this one knows ${DATA_FORMAT}). Update ctx.`,
    );
  }
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) throw damaged(file, shapeFault(parsed.error));
  const { version, checksum, applied_index: appliedIndex } = parsed.data;
  const records = parsed.data.clients as readonly ClientRecord[];
  refuseTwice(file, records);
  return {
    table: { version, records, appliedIndex },
    writtenBy: checksum === checksumOf(version, records) ? 'hub' : 'hand',
  };
}

/** An edit by hand counts at the next start, so a hub that runs must not write over it. @throws HubError `store_failed` */
export async function refuseOverEdit(disk: Disk, files: DataFiles): Promise<void> {
  const bytes = await readWhole(disk, files.clients);
  if (bytes === undefined || isWrittenByHub(files.clients, bytes)) return;
  throw new HubError(
    'store_failed',
    `${files.clients} was edited by hand while the hub runs; the edit counts at the next start. Nothing was changed: ` +
      'restart the hub, then try again.',
  );
}

function isWrittenByHub(file: string, bytes: Uint8Array): boolean {
  try {
    return decodeClients(file, bytes, '').writtenBy === 'hub';
  } catch (error) {
    if (error instanceof HubError) return false;
    throw error;
  }
}

/** The second file tells later what an edit by hand has changed in the first; only the first must succeed. */
export async function writeClients(disk: Disk, files: DataFiles, table: ClientTable): Promise<void> {
  const bytes = encodeClients(table);
  await replaceWhole(disk, files.clients, bytes);
  try {
    await replaceWhole(disk, files.knownClients, bytes);
  } catch (error) {
    if (!(error instanceof ReplaceError)) throw error; // An older one tells less, and nothing wrong.
  }
}

const nameOf = (record: ClientRecord): string => `${record.project} ${record.client} (${record.id})`;

function changeOf(before: ClientRecord, after: ClientRecord): string | undefined {
  if (JSON.stringify(before) === JSON.stringify(after)) return undefined;
  if (before.revoked_at === undefined && after.revoked_at !== undefined) return 'revoked';
  if (before.revoked_at !== undefined && after.revoked_at === undefined) return 'no longer revoked';
  if (before.token_digest !== after.token_digest) return 'given another token';
  return accessKey(before.access) === accessKey(after.access) ? 'changed' : 'given other access';
}

/** What differs between two tables, in words. */
export function changesBetween(before: ClientTable, after: ClientTable): readonly string[] {
  const now = new Map(after.records.map((record) => [record.id, record]));
  const old = new Set(before.records.map((record) => record.id));
  const changes: string[] = [];
  for (const record of before.records) {
    const kept = now.get(record.id);
    const change = kept === undefined ? 'removed' : changeOf(record, kept);
    if (change !== undefined) changes.push(`${nameOf(record)} ${change}`);
  }
  for (const record of after.records) if (!old.has(record.id)) changes.push(`${nameOf(record)} added`);
  return changes;
}

async function readKnown(disk: Disk, files: DataFiles): Promise<ClientTable | undefined> {
  const bytes = await readWhole(disk, files.knownClients);
  if (bytes === undefined) return undefined;
  try {
    const { table, writtenBy } = decodeClients(files.knownClients, bytes, '');
    return writtenBy === 'hub' ? table : undefined;
  } catch (error) {
    if (error instanceof HubError) return undefined; // It serves only to tell; without it less is told.
    throw error;
  }
}

export interface OpenClientsOptions {
  readonly disk: Disk;
  readonly files: DataFiles;
  readonly now: Date;
  readonly warn: (message: string) => void;
  /** In a cluster the log decides who may connect: an edit by hand is refused (FM-47). */
  readonly refuseEdits?: boolean | undefined;
}

/** @throws HubError `bad_data` that names the way back when the file is lost or damaged */
async function readBeside(
  known: ClientTable | undefined,
  disk: Disk,
  files: DataFiles,
  createdAt: string,
): Promise<ReadClients> {
  const bytes = await readWhole(disk, files.clients);
  if (bytes !== undefined) {
    try {
      return decodeClients(files.clients, bytes, createdAt);
    } catch (error) {
      if (known === undefined || !(error instanceof HubError) || error.code !== 'bad_data') throw error;
      const back = `Or copy ${files.knownClients}, which is what the hub last wrote, over it.`;
      throw new HubError('bad_data', `${error.message} ${back}`, { cause: error });
    }
  }
  // Nobody revokes everyone by losing a file.
  if (known !== undefined && known.records.length > 0) {
    throw new HubError(
      'bad_data',
      `${files.clients} is missing, and with it ${known.records.length} registered clients. Copy ${files.knownClients}, which is what the hub ` +
        'last wrote, in its place; or remove that one too, to start without any client.',
    );
  }
  return { table: NO_CLIENTS, writtenBy: 'hub' };
}

/** Looks whether a start could read the clients. @throws HubError that says why it could not */
export async function checkClients(disk: Disk, files: DataFiles): Promise<void> {
  await readBeside(await readKnown(disk, files), disk, files, '');
}

/** Reads the clients at start, honours what was edited by hand and says what that changed. */
export async function openClients(options: OpenClientsOptions): Promise<ClientTable> {
  const { disk, files, now, warn } = options;
  const known = await readKnown(disk, files);
  const { table, writtenBy } = await readBeside(known, disk, files, now.toISOString());
  // One version behind is what a crash between the two files leaves.
  if (writtenBy === 'hub' && table.version >= (known?.version ?? 0)) return table;
  const changes = known === undefined ? [] : changesBetween(known, table);
  const what =
    writtenBy === 'original'
      ? 'was written by the original hub; its tokens go on working and are now kept as digests only'
      : writtenBy === 'hand'
        ? 'was edited by hand; the edit counts'
        : 'is older than the hub last wrote it; it counts as it is';
  const told = changes.length === 0 ? '' : `: ${changes.join(', ')}`;
  if (options.refuseEdits === true) {
    throw new HubError(
      'config',
      `${files.clients} ${what.replace('; the edit counts', '').replace('; it counts as it is', '')}${told}. In a cluster its log decides who may ` +
        `connect. Copy ${files.knownClients} over it, start again, and use: ctx hub client revoke <id>`,
    );
  }
  warn(`${files.clients} ${what}${told}.`);
  const adopted = { version: Math.max(table.version, known?.version ?? 0) + 1, records: table.records };
  await writeClients(disk, files, adopted);
  return adopted;
}
