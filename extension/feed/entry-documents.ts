/** Entries of the feed as read-only documents. */
import * as vscode from 'vscode';
import type { StoredEntry } from '../../core/entry';
import { ENTRY_SCHEME } from '../names';
import type { Projects } from '../project/projects';
import { entryDocument } from './entry-document';
import type { SourceId } from './feed-model';

interface Address {
  readonly source: SourceId;
  readonly id: string;
}

function addressOf(uri: vscode.Uri): Address | undefined {
  try {
    const value: unknown = JSON.parse(uri.query);
    if (typeof value !== 'object' || value === null) return undefined;
    const { source, id } = value as Record<string, unknown>;
    return typeof source === 'string' && typeof id === 'string' ? { source, id } : undefined;
  } catch {
    return undefined; // A link that somebody made up.
  }
}

export async function findEntry(projects: Projects, { source, id }: Address): Promise<StoredEntry | undefined> {
  const entries = await projects.byId(source)?.readMirror();
  return entries?.find((entry) => entry.id === id);
}

export class EntryDocuments implements vscode.TextDocumentContentProvider {
  constructor(private readonly projects: Projects) {}

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const address = addressOf(uri);
    const entry = address && (await findEntry(this.projects, address));
    return entry === undefined ? vscode.l10n.t('This entry is no longer here.') : entryDocument(entry);
  }

  register(): vscode.Disposable {
    return vscode.workspace.registerTextDocumentContentProvider(ENTRY_SCHEME, this);
  }
}
