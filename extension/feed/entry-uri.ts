/** The address of an entry's document: what to look up, and a name that reads well as a tab's title. */
import * as vscode from 'vscode';
import { ENTRY_SCHEME } from '../names';
import type { FeedEntry, SourceId } from './feed-model';
import { oneLine } from '../one-line';

export interface EntryAddress {
  readonly source: SourceId;
  readonly id: string;
}

export function entryUri(source: SourceId, entry: FeedEntry): vscode.Uri {
  const name = oneLine(entry.title, 60)
    .replaceAll(/[^\p{L}\p{N} ._-]+/gu, ' ')
    .trim();
  const query = JSON.stringify({ source, id: entry.id } satisfies EntryAddress);
  return vscode.Uri.from({
    scheme: ENTRY_SCHEME,
    path: `/${entry.sequence}/${name === '' ? entry.type : name}.md`,
    query,
  });
}

/** @returns `undefined` for a link that somebody made up */
export function entryAddress(uri: vscode.Uri): EntryAddress | undefined {
  try {
    const value: unknown = JSON.parse(uri.query);
    if (typeof value !== 'object' || value === null) return undefined;
    const { source, id } = value as Record<string, unknown>;
    return typeof source === 'string' && typeof id === 'string' ? { source, id } : undefined;
  } catch {
    return undefined;
  }
}
