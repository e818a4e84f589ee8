/** What `ctx connection publish` is to send: given on the command line, found by id, or read from a file of entries. */
import fsp from 'node:fs/promises';
import path from 'node:path';
import { v7 as uuid } from 'uuid';
import {
  checkPublishedEntry,
  isEntryId,
  isEntryType,
  normalizeContent,
  ENTRY_TYPES,
  type PublishedEntry,
} from '../../../core/entry';
import { HubError } from '../../../core/errors';
import { fileError } from '../../../core/node/file-errors';
import { asPublished, localEntries } from '../../../core/node/local-entries';
import { Outbox } from '../../../core/node/outbox';
import type { ProjectPaths } from '../../../core/node/project-directory';
import { currentVersion, readVersions } from '../../../core/node/versions';
import type { ProgramIo } from '../../../core/program';

/** `publish <type> <content>`; a content of `-` is read from standard input. */
export async function entryFromArguments(type: string, content: string, io: ProgramIo): Promise<PublishedEntry> {
  if (!isEntryType(type)) {
    throw new HubError('usage', `"${type}" is no type of entry. Types are: ${ENTRY_TYPES.join(', ')}.`);
  }
  const text = content === '-' ? await io.readStdin() : content;
  const entry: PublishedEntry = {
    id: uuid(),
    type,
    content: normalizeContent(text),
    timestamp: new Date().toISOString(),
    meta: { tool: 'ctx' },
  };
  checkPublishedEntry(entry);
  return entry;
}

/**
 * The local files are the truth: an entry changed there since it was shared goes out as a new version. What is in none of them may still
 * wait, have been refused, or have been shared.
 */
export async function entryById(
  id: string,
  replace: boolean,
  paths: ProjectPaths,
  project: string,
): Promise<PublishedEntry> {
  if (!isEntryId(id))
    throw new HubError('usage', `"${id}" is no entry id: up to 128 characters of A-Z a-z 0-9 . _ : -`);
  const outbox = new Outbox(paths);
  const local = (await localEntries(paths, project)).find((each) => each.id === id);
  if (local !== undefined) {
    const now = new Date();
    return currentVersion(paths, asPublished(local, now), { now, replace });
  }
  const known = (await readVersions(paths, outbox)).get(id)?.entry;
  if (known !== undefined) return known;
  const refused = (await outbox.rejected()).find(({ entry }) => entry.id === id);
  if (refused !== undefined) return refused.entry;
  throw new HubError(
    'bad_data',
    `No entry with id ${id} in .context, the outbox or the ledger. "ctx list" shows them.`,
  );
}

export interface FileEntries {
  readonly entries: readonly PublishedEntry[];
  /** Of other projects: only their own project may publish them. */
  readonly foreign: number;
}

/** A line of `entries.jsonl`, `.rejected`, an outbox or a ledger: the entry itself, or one inside. */
function entryOfLine(value: unknown, origin: string, where: string): PublishedEntry | 'foreign' | undefined {
  if (typeof value !== 'object' || value === null) throw new HubError('bad_data', `${where} is no entry.`);
  const line = value as Record<string, unknown>;
  const inner =
    typeof line['entry'] === 'object' && line['entry'] !== null ? (line['entry'] as Record<string, unknown>) : line;
  if ('settled' in inner || !('content' in inner)) return undefined;
  if (inner['origin'] !== undefined && inner['origin'] !== origin) return 'foreign';
  const { id, type, content, timestamp, meta, supersedes } = inner as unknown as PublishedEntry;
  const entry = {
    id,
    type,
    content,
    timestamp,
    ...(meta === undefined ? {} : { meta }),
    ...(supersedes === undefined ? {} : { supersedes }),
  };
  try {
    if (!isEntryType(type)) throw new HubError('bad_data', `"${String(type)}" is no type of entry.`);
    checkPublishedEntry(entry);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new HubError('bad_data', `${where} is no entry that can be published: ${why}`, { cause: error });
  }
  return entry;
}

/** @throws HubError `bad_data` that names the line */
export async function entriesFromFile(file: string, origin: string, cwd: string): Promise<FileEntries> {
  const full = path.resolve(cwd, file);
  const text = await fsp.readFile(full, 'utf8').catch((error: unknown) => {
    throw fileError(error, 'read', full);
  });
  const entries: PublishedEntry[] = [];
  let foreign = 0;
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const where = `${full}, line ${index + 1},`;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (error) {
      throw new HubError('bad_data', `${where} is no JSON.`, { cause: error });
    }
    const entry = entryOfLine(value, origin, where);
    if (entry === 'foreign') foreign++;
    else if (entry !== undefined) entries.push(entry);
  }
  return { entries, foreign };
}
