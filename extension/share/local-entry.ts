/** Local entries: written into the file they belong to, found in it, and made ready for the hub. */
import fs from 'node:fs/promises';
import * as vscode from 'vscode';
import { v7 as uuid } from 'uuid';
import { checkDraft, checkFits, cleanDraft, textOfContent } from '../../core/context/draft';
import { REQUIRED_FIELDS, fieldKey, isPlaceholder } from '../../core/context/fields';
import { insertEntry } from '../../core/context/insert';
import { localDate } from '../../core/context/local-date';
import type { ContextEntry, Draft } from '../../core/context/model';
import { parseContext } from '../../core/context/parse';
import type { EntryType, PublishedEntry, StoredEntry } from '../../core/entry';
import { HubError } from '../../core/errors';
import { addEntry } from '../../core/node/context-file';
import { localIdOf } from '../../core/node/local-entries';
import { currentVersion } from '../../core/node/versions';
import type { Project } from '../project/project';
import type { FieldStep } from './fields';

/** For a step of the dialog. @returns why the text will not do, or `undefined` */
export function checkField({ name, required }: FieldStep, value: string): string | undefined {
  if (value.trim() === '') return required ? vscode.l10n.t('Say it in a sentence.') : undefined;
  return isPlaceholder(value)
    ? vscode.l10n.t('That is a placeholder. Say it in a sentence.')
    : nameProblem(name, value);
}

function nameProblem(name: string, value: string): string | undefined {
  return name === 'section' && value.includes('\n') ? vscode.l10n.t('A section is one line.') : undefined;
}

function draftOf(type: EntryType, values: Readonly<Record<string, string>>): Draft {
  const { title = '', section, priority, ...fields } = values;
  return {
    ...{ type, id: uuid(), date: localDate(new Date()), title, fields },
    ...(section === undefined || section === '' ? {} : { section }),
    ...(priority === undefined || priority === '' ? {} : { priority }),
  };
}

/** In the editor when it holds unsaved changes of the file, which writing on disk would set against each other. */
async function write(project: Project, draft: Draft): Promise<string> {
  const file = project.paths.files[draft.type];
  const open = vscode.workspace.textDocuments.find(({ uri, isDirty }) => isDirty && uri.fsPath === file);
  if (open === undefined) {
    await addEntry(project.paths, draft);
    return file;
  }
  const splice = insertEntry(open.getText(), draft);
  const edit = new vscode.WorkspaceEdit();
  edit.replace(
    open.uri,
    new vscode.Range(open.positionAt(splice.span.start), open.positionAt(splice.span.end)),
    splice.text,
  );
  const applied = await vscode.workspace.applyEdit(edit);
  // An automatic save may be faster; then there is nothing left to save.
  const saved = applied && ((await open.save()) || !open.isDirty);
  if (!saved) {
    throw new HubError('io_failed', `${file} has unsaved changes and could not be saved. Save it and try again.`);
  }
  return file;
}

async function readBack(project: Project, type: EntryType, id: string): Promise<ContextEntry> {
  const text = await fs.readFile(project.paths.files[type], 'utf8');
  const entry = parseContext(type, text).entries.find((each) => each.id === id);
  if (entry === undefined) throw new Error(`entry ${id} was written and is not there`);
  return entry;
}

/** @returns the entry as it stands in the file now, ready to be shared */
export async function addLocally(
  project: Project,
  type: EntryType,
  values: Readonly<Record<string, string>>,
): Promise<PublishedEntry> {
  const draft = cleanDraft(draftOf(type, values));
  checkDraft(draft, (field) => field);
  await write(project, draft);
  return publishable(project, await readBack(project, type, draft.id));
}

/**
 * An entry of the feed as a local one, under an id of its own. What others left out is missing here too, and is underlined
 * in the file. @returns the file it went into
 */
export async function copyLocally(project: Project, { type, content }: StoredEntry): Promise<string> {
  const { title, fields, body } = textOfContent(type, content);
  const draft = cleanDraft({ ...draftOf(type, { ...fields, title }), body });
  checkFits(draft, (field) => field);
  return write(project, draft);
}

/** The entry whose text the offset is in. */
export function entryAt(type: EntryType, text: string, offset: number): ContextEntry | undefined {
  return parseContext(type, text).entries.find(({ span }) => span.start <= offset && offset <= span.end);
}

/** Required fields that an entry lacks, or fills with a placeholder. */
export function missingIn(entry: ContextEntry): readonly string[] {
  const filled = new Set(entry.fields.filter(({ value }) => !isPlaceholder(value)).map(({ name }) => fieldKey(name)));
  return REQUIRED_FIELDS[entry.type].filter((name) => !filled.has(name));
}

/**
 * The entry as it goes to the hub. One that was shared and edited since is a new entry that supersedes the shared one.
 * @param replace also where another machine of the project shared other text
 * @throws HubError `id_conflict` when another machine did and `replace` is not set; others when no hub would take it
 */
export function publishable(project: Project, entry: ContextEntry, replace = false): Promise<PublishedEntry> {
  const id = localIdOf(entry, project.connection?.project ?? project.name);
  const now = new Date();
  const { type, content } = entry;
  const published = { id, type, content, timestamp: now.toISOString(), meta: { tool: 'vscode' } };
  return currentVersion(project.paths, published, { now, replace });
}
