/** Every entry that a project has on this machine: its own from the local files, others' from the mirror. Reads only. */
import { lineNumberAt } from '../core/context/blocks';
import type { TaskState } from '../core/context/model';
import { titleOf, type EntryType, type StoredEntry } from '../core/entry';
import { parseMirror } from '../core/mirror/format';
import { unclosedIn } from '../core/context/diagnose';
import { archiveFiles } from '../core/node/mirror-archive';
import { readContextFile } from '../core/node/context-file';
import { supersededIds } from '../core/newest';
import { localIdOf, type LocalEntry } from '../core/node/local-entries';
import { readPlainFile } from '../core/node/plain-file';
import type { ProjectPaths } from '../core/node/project-directory';

export interface KnownEntry {
  readonly source: 'local' | 'hub';
  /** Written in the file, or derived from project, type and heading. */
  readonly id: string;
  readonly type: EntryType;
  readonly title: string;
  readonly date: string | undefined;
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly content: string;
  /** Local ones only. */
  readonly section: string | undefined;
  readonly state: TaskState | undefined;
  readonly tags: readonly string[];
  /** Hub ones only. */
  readonly origin: string | undefined;
  readonly client: string | undefined;
  readonly sequence: number | undefined;
  readonly received_at: string | undefined;
  readonly supersedes: string | undefined;
  /** The newest version of it. */
  readonly superseded_by: string | undefined;
}

const NOT_SHARED = {
  origin: undefined,
  client: undefined,
  sequence: undefined,
  received_at: undefined,
  supersedes: undefined,
  superseded_by: undefined,
} as const;

function localEntry({ entry, id }: LocalEntry, file: string, line: number): KnownEntry {
  const { type, title, date, content, section, state, tags } = entry;
  return { source: 'local', id, type, title, date, file, line, content, section, state, tags, ...NOT_SHARED };
}

/** Line numbers of rising offsets, in one pass. */
function lineCounter(text: string): (at: number) => number {
  let counted = 0;
  let line = 1;
  return (at) => {
    line += lineNumberAt(text.slice(counted, at), at - counted) - 1;
    counted = at;
    return line;
  };
}

/** Entries below it are there, and nobody sees them: that is said, not passed over. */
function noteHidden(file: string, text: string, note: (message: string) => void): void {
  for (const { message, span } of unclosedIn(text)) note(`${file}:${lineNumberAt(text, span.start)}: ${message}`);
}

async function localEntries(
  paths: ProjectPaths,
  type: EntryType,
  project: string,
  note: (message: string) => void,
): Promise<KnownEntry[]> {
  const read = await readContextFile(paths, type);
  if (read === undefined) return [];
  noteHidden(read.file, read.text, note);
  const lineOf = lineCounter(read.text);
  return read.document.entries.map((entry) => {
    const id = localIdOf(entry, project);
    return localEntry({ entry, id }, read.file, lineOf(entry.span.start));
  });
}

interface MirroredBlock {
  readonly entry: StoredEntry;
  readonly file: string;
  readonly line: number;
}

async function blocksOf(file: string, type: EntryType): Promise<MirroredBlock[]> {
  const text = (await readPlainFile(file))?.bytes.toString('utf8');
  if (text === undefined) return [];
  const lineOf = lineCounter(text);
  return parseMirror(type, text).blocks.map(({ entry, start }) => ({ entry, file, line: lineOf(start) }));
}

async function mirroredEntries(paths: ProjectPaths, type: EntryType, archived: boolean): Promise<KnownEntry[]> {
  const blocks: MirroredBlock[] = [];
  const files = [...(archived ? await archiveFiles(paths, type) : []), paths.mirror[type]];
  // One by one: an archive holds more than a call takes arguments.
  for (const file of files) for (const block of await blocksOf(file, type)) blocks.push(block);
  const superseded = supersededIds(blocks.map(({ entry }) => entry));
  return blocks.map(({ entry, file, line }) => ({
    source: 'hub',
    id: entry.id,
    type,
    title: titleOf(entry.content),
    date: entry.timestamp.slice(0, 10),
    file,
    line,
    content: entry.content,
    section: undefined,
    state: undefined,
    tags: [],
    origin: entry.origin,
    client: entry.client,
    sequence: entry.sequence,
    received_at: entry.received_at,
    supersedes: entry.supersedes,
    superseded_by: superseded.get(entry.id),
  }));
}

export interface Wanted {
  readonly types: readonly EntryType[];
  /** Name of the project; ids of entries without one hang on it. */
  readonly project: string;
  /** Also what the mirror has moved to its archive. */
  readonly archived: boolean;
  /** What a person should know of the files. */
  readonly note: (message: string) => void;
}

/** Local ones first, in the order of the files. */
export async function knownEntries(
  paths: ProjectPaths,
  { types, project, archived, note }: Wanted,
): Promise<KnownEntry[]> {
  const found: KnownEntry[] = [];
  for (const type of types) for (const entry of await localEntries(paths, type, project, note)) found.push(entry);
  for (const type of types) for (const entry of await mirroredEntries(paths, type, archived)) found.push(entry);
  return found;
}
