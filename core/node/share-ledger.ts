/**
 * What this machine knows of its project's entries on the hub (`.context/hub/shared.jsonl`). Those that this machine sent
 * are kept whole: should the hub lose them (a backup restored), they are sent again exactly as they were (FM-29).
 */
import fsp from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { ENTRY_TYPES, type PublishedEntry } from '../entry';
import { publishedEntrySchema } from '../wire';
import { appendLines, readLines } from './append-file';
import { errnoOf, fileError } from './file-errors';
import type { ProjectPaths } from './project-directory';
import { contentHash } from './sha256';

const recordSchema = z.object({
  id: z.string(),
  type: z.enum(ENTRY_TYPES),
  sequence: z.int().min(1),
  /** Of the content, hex: tells whether the local entry has changed since. */
  sha256: z.string(),
  supersedes: z.string().optional(),
  /** As sent by this machine; absent when a colleague's machine sent it. */
  entry: publishedEntrySchema.optional(),
});

export interface SharedRecord extends Omit<z.infer<typeof recordSchema>, 'entry'> {
  readonly entry?: PublishedEntry | undefined;
}

export type Ledger = ReadonlyMap<string, SharedRecord>;

/** An entry of our project that came down the stream. */
export function seenRecord(entry: PublishedEntry & { readonly sequence: number }): SharedRecord {
  const { id, type, sequence, content, supersedes } = entry;
  return { id, type, sequence, sha256: contentHash(content), ...(supersedes === undefined ? {} : { supersedes }) };
}

/** An entry that this machine sent and the hub acknowledged. */
export function sentRecord(entry: PublishedEntry, sequence: number): SharedRecord {
  return { ...seenRecord({ ...entry, sequence }), entry };
}

/** The last line of an id counts; what was sent stays known when it is seen again. */
export async function readLedger(paths: ProjectPaths): Promise<Ledger> {
  const ledger = new Map<string, SharedRecord>();
  for (const value of (await readLines(paths.ledger)).values) {
    const parsed = recordSchema.safeParse(value);
    if (!parsed.success) continue; // Of a later version; nothing is lost but the knowledge of one share.
    const record = parsed.data as SharedRecord;
    const before = ledger.get(record.id);
    ledger.set(
      record.id,
      record.entry === undefined && before?.entry !== undefined ? { ...record, entry: before.entry } : record,
    );
  }
  return ledger;
}

/** How far the hub had come for certain, by what it acknowledged to this project. */
export interface Acknowledged {
  /** The highest sequence of an entry of this project; 0 = none. */
  readonly sequence: number;
  /** The last entry that this machine itself sent. */
  readonly sent: (SharedRecord & { readonly entry: PublishedEntry }) | undefined;
}

export const NOTHING_ACKNOWLEDGED: Acknowledged = { sequence: 0, sent: undefined };

export async function lastAcknowledged(paths: ProjectPaths): Promise<Acknowledged> {
  let { sequence, sent } = NOTHING_ACKNOWLEDGED;
  for (const record of (await readLedger(paths)).values()) {
    sequence = Math.max(sequence, record.sequence);
    const { entry } = record;
    if (entry !== undefined && record.sequence > (sent?.sequence ?? 0)) sent = { ...record, entry };
  }
  return { sequence, sent };
}

/** Under the outbox lock. Durable when it resolves. */
export async function appendToLedger(paths: ProjectPaths, records: readonly SharedRecord[]): Promise<void> {
  await appendLines(paths.ledger, records);
}

/** The project moves to another hub: what the old one has says nothing about the new one. Kept, to publish from by hand. */
export async function setLedgerAside(paths: ProjectPaths, hubId: string): Promise<void> {
  const name = `shared-${hubId.replaceAll(/[^a-zA-Z0-9-]/g, '').slice(0, 36)}.jsonl`;
  try {
    await fsp.rename(paths.ledger, path.join(paths.hubDir, name));
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw fileError(error, 'rename', paths.ledger);
  }
}
