/** The commands that share: a new entry of each type, the selection, or an entry that is in the file already. */
import * as vscode from 'vscode';
import type { ContextEntry } from '../../core/context/model';
import { ENTRY_TYPES, type EntryType } from '../../core/entry';
import { HubError } from '../../core/errors';
import type { App } from '../app';
import type { Handler } from '../commands';
import { contextFile } from '../language/context-file';
import type { CommandId } from '../names';
import { confirm, inform } from '../notify';
import { requireProject } from '../project/choose';
import type { Project } from '../project/project';
import { askFields } from './ask';
import { FIELD_STEPS, TYPE_LABELS, fieldForSelection, givenValues } from './fields';
import { addLocally, checkField, entryAt, missingIn, publishable } from './local-entry';

async function shareNew(app: App, type: EntryType, given: Readonly<Record<string, string>>): Promise<unknown> {
  const project = await requireProject(app);
  if (project === undefined) return undefined;
  const settled = new Set(
    FIELD_STEPS[type].filter(({ name }) => name !== 'title' && (given[name] ?? '') !== '').map(({ name }) => name),
  );
  const complete = FIELD_STEPS[type].every(({ name, required }) => !required || (given[name] ?? '') !== '');
  const title = vscode.l10n.t('Share {0}', TYPE_LABELS[type]);
  const values = complete
    ? given
    : await askFields({ title, steps: FIELD_STEPS[type], values: given, settled, check: checkField });
  if (values === undefined) return undefined;
  const entry = await addLocally(project, type, values);
  return app.sharing.send(project, entry, values['title'] ?? '');
}

async function pickType(): Promise<EntryType | undefined> {
  const items = ENTRY_TYPES.map((type) => ({ label: TYPE_LABELS[type], type }));
  const picked = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Share Selection'),
    placeHolder: vscode.l10n.t('What is it?'),
  });
  return picked?.type;
}

async function shareSelection(app: App): Promise<unknown> {
  const editor = vscode.window.activeTextEditor;
  const text = editor?.document.getText(editor.selection).trim() ?? '';
  if (text === '') {
    await inform(vscode.l10n.t('Select the text to share first.'));
    return undefined;
  }
  const type = await pickType();
  if (type === undefined) return undefined;
  const field = fieldForSelection(type);
  // A title is one line; a field keeps the selection as it is.
  return shareNew(app, type, { [field]: field === 'title' ? text.replaceAll(/\s+/g, ' ') : text });
}

interface Place {
  readonly uri: vscode.Uri;
  readonly offset: number;
}

/** From the code lens, else the cursor. */
function placeOf(argument: unknown): Place | undefined {
  if (typeof argument === 'object' && argument !== null && 'uri' in argument && 'offset' in argument) {
    const { uri, offset } = argument;
    if (typeof uri === 'string' && typeof offset === 'number') return { uri: vscode.Uri.parse(uri, true), offset };
  }
  const editor = vscode.window.activeTextEditor;
  return editor && { uri: editor.document.uri, offset: editor.document.offsetAt(editor.selection.active) };
}

/** What is shared is what is saved: others with the same repository must find the same text. */
async function savedText(uri: vscode.Uri): Promise<string> {
  const document = await vscode.workspace.openTextDocument(uri);
  if (document.isDirty) await document.save();
  return document.getText();
}

async function shareExisting(app: App, argument: unknown): Promise<unknown> {
  const place = placeOf(argument);
  const file = place && contextFile(place.uri.fsPath);
  const project = place && app.projects.of(place.uri);
  if (place === undefined || file?.role !== 'truth' || project === undefined) {
    await inform(vscode.l10n.t('Put the cursor into an entry of a file in .context first.'));
    return undefined;
  }
  const entry = entryAt(file.type, await savedText(place.uri), place.offset);
  if (entry === undefined) {
    await inform(vscode.l10n.t('There is no entry at the cursor.'));
    return undefined;
  }
  const missing = missingIn(entry);
  if (missing.length > 0) {
    await inform(vscode.l10n.t('Fill in {0} first: others read it without knowing what you know.', missing.join(', ')));
    return undefined;
  }
  return shareEntryOf(app, project, entry);
}

/** Other text of it that another machine shared is superseded only by somebody who has been told of it. */
async function shareEntryOf(app: App, project: Project, entry: ContextEntry): Promise<unknown> {
  try {
    return await app.sharing.send(project, await publishable(project, entry), entry.title);
  } catch (error) {
    if (!(error instanceof HubError) || error.code !== 'id_conflict') throw error;
  }
  const question = vscode.l10n.t('Another machine of this project has shared other text of this entry.');
  const detail = vscode.l10n.t('Yours can become the newest version: readers see it in place of the other one.');
  if (!(await confirm(question, detail, vscode.l10n.t('Make Mine the Newest')))) return undefined;
  return app.sharing.send(project, await publishable(project, entry, true), entry.title);
}

type ShareCommand = Extract<CommandId, `share${string}`>;

export function shareCommands(app: App): Readonly<Record<ShareCommand, Handler>> {
  const ofType =
    (type: EntryType): Handler =>
    (given) =>
      shareNew(app, type, givenValues(type, given));
  return {
    shareDecision: ofType('decision'),
    shareLearning: ofType('learning'),
    shareConvention: ofType('convention'),
    shareTask: ofType('task'),
    shareSelection: () => shareSelection(app),
    shareEntry: (argument) => shareExisting(app, argument),
  };
}
