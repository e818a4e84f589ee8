/** Reads and changes the `.context` files on disk: under a lock, re-read, one splice, checked, written atomically. */
import type { Stats } from 'node:fs';
import fsp from 'node:fs/promises';
import { lineNumberAt } from '../context/blocks';
import { titleAsRead } from '../context/draft';
import { applySplice, insertEntry } from '../context/insert';
import type { ContextDocument, ContextEntry, Draft } from '../context/model';
import { outlineOf } from '../context/outline';
import { documentOf, parseContext } from '../context/parse';
import { templateOf } from '../context/template';
import { checkContent, ENTRY_TYPES, type EntryType } from '../entry';
import { HubError } from '../errors';
import { writeFileAtomic } from './atomic-file';
import { errnoOf, fileError } from './file-errors';
import { withLock } from './file-lock';
import { ensureHubFolder } from './gitignore';
import { readPlainFile } from './plain-file';
import { syncDirectory } from './platform';
import type { ProjectPaths } from './project-directory';

export interface AddedEntry {
  readonly entry: ContextEntry;
  readonly id: string;
  readonly file: string;
  /** Of its heading or bullet, from 1. */
  readonly line: number;
  /** False when an equal entry with this id was there already; then nothing was written. */
  readonly added: boolean;
}

export interface ContextFile {
  readonly file: string;
  /** With its byte order mark, if it has one. */
  readonly text: string;
  readonly document: ContextDocument;
}

const MAX_TRIES = 5;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(bytes: Uint8Array, file: string): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    const message = `${file} is not UTF-8 text, so nothing was changed. Save it as UTF-8 in your editor and try again.`;
    throw new HubError('bad_data', message, { cause: error });
  }
}

interface ReadText {
  readonly text: string;
  readonly stats: Stats;
}

async function readText(file: string): Promise<ReadText | undefined> {
  const read = await readPlainFile(file);
  return read === undefined ? undefined : { text: decode(read.bytes, file), stats: read.stats };
}

/** One of a project's files; `undefined` when it does not exist. @throws HubError `bad_data` when it is not UTF-8 */
export async function readContextFile(paths: ProjectPaths, type: EntryType): Promise<ContextFile | undefined> {
  const file = paths.files[type];
  const read = await readText(file);
  return read === undefined ? undefined : { file, text: read.text, document: parseContext(type, read.text) };
}

/** The text with the draft in it, and the entry as it will be read back. */
function spliced(text: string, draft: Draft, file: string): { text: string; entry: ContextEntry } {
  const outline = outlineOf(text);
  const before = documentOf(draft.type, text, outline);
  let next: string;
  try {
    next = applySplice(text, insertEntry(text, draft, outline));
  } catch (error) {
    if (error instanceof HubError && error.code === 'bad_data') {
      throw new HubError('bad_data', `${file}: ${error.message}`, { cause: error });
    }
    throw error;
  }
  const after = parseContext(draft.type, next);
  const entry = after.entries.find(({ id }) => id === draft.id);
  // Whatever the texts were: the file must say the same as before, and one entry more.
  if (entry?.title !== titleAsRead(draft) || after.entries.length !== before.entries.length + 1) {
    throw new HubError(
      'invalid',
      `The ${draft.type} "${draft.title}" would not be one entry in ${file}: its text looks like Markdown structure. ` +
        'Begin the title with a word.',
    );
  }
  return { text: next, entry };
}

function contentAlone(draft: Draft): string {
  return spliced('', draft, 'a new file').entry.content;
}

/** @throws HubError `id_conflict` when the id is taken by other content */
function findExisting(text: string, draft: Draft, file: string): AddedEntry | undefined {
  if (!text.includes(draft.id)) return undefined;
  const entry = parseContext(draft.type, text).entries.find(({ id }) => id === draft.id);
  if (entry === undefined) return undefined;
  const line = lineNumberAt(text, entry.span.start);
  if (entry.content === contentAlone(draft)) return { entry, id: draft.id, file, line, added: false };
  throw new HubError(
    'id_conflict',
    `${file}:${line} has an entry with the id ${draft.id} and other content. Leave out the id to add a new entry, or change that one there: ` +
      `"ctx connection publish --id ${draft.id}" then shares it as a new version.`,
  );
}

async function addUnderLock(file: string, draft: Draft): Promise<AddedEntry> {
  const read = await readText(file);
  const text = read?.text ?? templateOf(draft.type);
  const existing = findExisting(text, draft, file);
  if (existing !== undefined) return existing;
  const next = spliced(text, draft, file);
  checkContent(next.entry.content);
  await writeFileAtomic(file, next.text, { lockHeld: true, expected: { stats: read?.stats } });
  return { entry: next.entry, id: draft.id, file, line: lineNumberAt(next.text, next.entry.span.start), added: true };
}

/** An editor that saved at the same moment wins; we take up its text and try again. */
async function addWithRetries(file: string, draft: Draft): Promise<AddedEntry> {
  for (let tries = 1; ; tries++) {
    try {
      return await addUnderLock(file, draft);
    } catch (error) {
      if (!(error instanceof HubError) || error.code !== 'locked' || tries === MAX_TRIES) throw error;
    }
  }
}

/**
 * Adds an entry to the file of its type, creating the file when missing. Durable when it resolves; untouched when it rejects.
 * @param draft cleaned and checked (core/context/draft.ts)
 * @throws HubError `cannot_create` (link, folder, read-only, no permission), `bad_data` (not UTF-8, unclosed comment),
 *   `id_conflict`, `invalid`, `too_large`, `locked`, `disk_full`, `io_failed`
 */
export async function addEntry(
  paths: ProjectPaths,
  draft: Draft,
  options: { readonly deadlineMs?: number; readonly signal?: AbortSignal } = {},
): Promise<AddedEntry> {
  const file = paths.files[draft.type];
  await ensureHubFolder(paths.hubDir);
  return withLock(paths.filesLock, { ...options, what: file }, () => addWithRetries(file, draft));
}

/** Makes `.context` and those of its files that are missing. @returns the files that were made */
export async function createContextFiles(paths: ProjectPaths): Promise<readonly string[]> {
  const created: string[] = [];
  await ensureHubFolder(paths.hubDir);
  for (const type of ENTRY_TYPES) {
    const file = paths.files[type];
    try {
      await fsp.writeFile(file, templateOf(type), { flag: 'wx', flush: true });
      created.push(file);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw fileError(error, 'create', file);
    }
  }
  if (created.length > 0) await syncDirectory(paths.contextDir);
  return created;
}
