/** Entries of the local `.context` files in the form in which they are shared. Reads only. */
import { derivedId } from '../context/derived-id';
import type { ContextEntry } from '../context/model';
import { headingOf } from '../context/parse';
import { ENTRY_TYPES, type EntryType, type PublishedEntry } from '../entry';
import { readContextFile } from './context-file';
import type { ProjectPaths } from './project-directory';
import { sha256 } from './sha256';

export interface LocalEntry {
  readonly entry: ContextEntry;
  /** Written in the file, or derived from project, type and heading. */
  readonly id: string;
}

/** Written in the file, or derived from project, type and heading. */
export function localIdOf(entry: ContextEntry, project: string): string {
  return entry.id ?? derivedId(project, entry.type, headingOf(entry), sha256);
}

export async function localEntriesOf(paths: ProjectPaths, project: string, type: EntryType): Promise<LocalEntry[]> {
  const file = await readContextFile(paths, type);
  return (file?.document.entries ?? []).map((entry) => ({ entry, id: localIdOf(entry, project) }));
}

/** All of them; the files are read one after the other. */
export async function localEntries(paths: ProjectPaths, project: string): Promise<LocalEntry[]> {
  const found: LocalEntry[] = [];
  for (const type of ENTRY_TYPES) for (const entry of await localEntriesOf(paths, project, type)) found.push(entry);
  return found;
}

/** `YYYY-MM-DD[-HHMMSS]` is local time; anything else says nothing. */
function timestampOf(date: string | undefined, now: Date): string {
  const match = /^(\d{4})-(\d\d)-(\d\d)(?:-(\d\d)(\d\d)(\d\d))?$/.exec(date ?? '');
  if (match === null) return now.toISOString();
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match
    .slice(1)
    .map((part) => Number((part as string | undefined) ?? 0));
  const written = new Date(year, month - 1, day, hour, minute, second);
  return Number.isNaN(written.getTime()) ? now.toISOString() : written.toISOString();
}

export function asPublished({ entry, id }: LocalEntry, now: Date): PublishedEntry {
  return { id, type: entry.type, content: entry.content, timestamp: timestampOf(entry.date, now) };
}
