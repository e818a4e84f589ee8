/** Entries of the feed as read-only documents. */
import * as vscode from 'vscode';
import type { StoredEntry } from '../../core/entry';
import { ENTRY_SCHEME } from '../names';
import type { Projects } from '../project/projects';
import { entryDocument } from './entry-document';
import { entryAddress, type EntryAddress } from './entry-uri';

export async function findEntry(projects: Projects, { source, id }: EntryAddress): Promise<StoredEntry | undefined> {
  const entries = await projects.byId(source)?.readMirror();
  return entries?.find((entry) => entry.id === id);
}

export class EntryDocuments implements vscode.TextDocumentContentProvider {
  constructor(private readonly projects: Projects) {}

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const address = entryAddress(uri);
    const entry = address && (await findEntry(this.projects, address));
    return entry === undefined ? vscode.l10n.t('This entry is no longer here.') : entryDocument(entry);
  }

  register(): vscode.Disposable {
    return vscode.workspace.registerTextDocumentContentProvider(ENTRY_SCHEME, this);
  }
}
