/** The commands of the feed and its rows. */
import * as vscode from 'vscode';
import type { App } from '../app';
import type { Handler } from '../commands';
import type { CommandId } from '../names';
import { inform, tick } from '../notify';
import { requireProject } from '../project/choose';
import { copyLocally } from '../share/local-entry';
import { findEntry } from './entry-documents';
import { entryUri } from './entry-uri';
import type { EntryNode } from './feed-view';

const PREVIEW = 'vscode.markdown.preview.editor';

/** From a row, else the selected one. */
function nodeOf(app: App, argument: unknown): EntryNode | undefined {
  const isNode = typeof argument === 'object' && argument !== null && 'kind' in argument && argument.kind === 'entry';
  return isNode ? (argument as EntryNode) : app.view.selected;
}

async function open(app: App, argument: unknown): Promise<void> {
  const node = nodeOf(app, argument);
  if (node === undefined) return;
  const uri = entryUri(node.source, node.entry);
  try {
    await vscode.commands.executeCommand('vscode.openWith', uri, PREVIEW, { preview: true });
  } catch {
    // The built-in Markdown preview may be turned off: the text is just as inert.
    await vscode.window.showTextDocument(uri, { preview: true });
  }
  app.feed.markRead(node.entry.id);
}

async function withEntry(
  app: App,
  argument: unknown,
  use: (entry: NonNullable<Awaited<ReturnType<typeof findEntry>>>) => unknown,
): Promise<unknown> {
  const node = nodeOf(app, argument);
  if (node === undefined) return undefined;
  const entry = await findEntry(app.projects, { source: node.source, id: node.entry.id });
  if (entry !== undefined) return use(entry);
  return inform(vscode.l10n.t('This entry is no longer here.'));
}

async function copyIntoProject(app: App, argument: unknown): Promise<unknown> {
  return withEntry(app, argument, async (entry) => {
    const project = await requireProject(app);
    if (project === undefined) return;
    const file = await copyLocally(project, entry);
    tick(vscode.l10n.t('Copied into {0}', vscode.workspace.asRelativePath(file)));
  });
}

type FeedCommand = Extract<CommandId, `feed.${string}` | 'refreshFeed' | 'markAllRead' | 'showNewEntries'>;

export function feedCommands(app: App): Readonly<Record<FeedCommand, Handler>> {
  return {
    refreshFeed: () => app.feed.refresh(),
    markAllRead: () => app.feed.markAllRead(),
    showNewEntries: () => app.view.showHeld(),
    'feed.openEntry': (node) => open(app, node),
    'feed.copyIntoProject': (node) => copyIntoProject(app, node),
    'feed.copyEntry': (node) =>
      withEntry(app, node, async ({ content }) => {
        await vscode.env.clipboard.writeText(content);
        tick(vscode.l10n.t('Copied'));
      }),
    'feed.markRead': (argument) => {
      const node = nodeOf(app, argument);
      if (node !== undefined) app.feed.markRead(node.entry.id);
    },
    'feed.loadMore': () => app.view.loadMore(),
  };
}
