/** The feed as a tree: rows of the {@link FeedModel} with icons, times and words for screen readers. */
import * as vscode from 'vscode';
import type { EntryType } from '../../core/entry';
import { CONTEXT_KEYS, FEED_VIEW, commandName, type FeedState } from '../names';
import type { FeedEntry, FeedModel, SourceId } from './feed-model';
import { gather } from './gather';
import { relativeTime } from './relative-time';
import { visibleLine } from '../../core/visible-text';
import { oneLine } from '../one-line';

/** The editor redraws a tree at most every 200 ms; a burst is gathered for a little longer. */
const GATHER_MS = 300;
/** While somebody works in the list it does not move; after this much quiet it may. */
const QUIET_BEFORE_MOVING_MS = 60_000;
const TIMES_REFRESH_MS = 60_000;

export interface EntryNode {
  readonly kind: 'entry';
  readonly source: SourceId;
  readonly entry: FeedEntry;
  readonly unread: boolean;
}

export type FeedNode = EntryNode | { readonly kind: 'more' };

const ICONS: Readonly<Record<EntryType, string>> = {
  decision: 'law',
  learning: 'lightbulb',
  convention: 'book',
  task: 'checklist',
};

const UNREAD_COLOR = 'notificationsInfoIcon.foreground';

function entryItem(node: EntryNode, nowMs: number): vscode.TreeItem {
  const { entry, unread, source } = node;
  const time = relativeTime(entry.receivedAt, nowMs, vscode.env.language);
  const item = new vscode.TreeItem(oneLine(entry.title));
  item.id = `${source}#${entry.id}`;
  item.description = `${visibleLine(entry.origin)} · ${time}`;
  item.iconPath = new vscode.ThemeIcon(ICONS[entry.type], unread ? new vscode.ThemeColor(UNREAD_COLOR) : undefined);
  item.contextValue = unread ? 'entry.unread' : 'entry.read';
  const state = unread ? ', unread' : '';
  item.accessibilityInformation = {
    label: `${entry.type} from ${visibleLine(entry.origin)}, ${time}${state}: ${oneLine(entry.title)}`,
  };
  item.command = { command: commandName('feed.openEntry'), title: vscode.l10n.t('Open'), arguments: [node] };
  return item;
}

function moreItem(): vscode.TreeItem {
  const item = new vscode.TreeItem(vscode.l10n.t('Load more'));
  item.id = 'more';
  item.iconPath = new vscode.ThemeIcon('ellipsis');
  item.command = { command: commandName('feed.loadMore'), title: vscode.l10n.t('Load more') };
  return item;
}

function tooltip(entry: FeedEntry): vscode.MarkdownString {
  // Not trusted, no HTML: what others wrote is appended as text.
  const text = new vscode.MarkdownString();
  text.supportHtml = false;
  text.appendText(`${oneLine(entry.title, 400)}\n`);
  text.appendMarkdown('\n\n');
  text.appendText(`${entry.type} from ${visibleLine(entry.origin)} (${visibleLine(entry.client)}), #${entry.sequence}`);
  text.appendMarkdown('\n\n');
  text.appendText(`Written ${visibleLine(entry.timestamp)}, received ${visibleLine(entry.receivedAt)}`);
  return text;
}

export class FeedView implements vscode.TreeDataProvider<FeedNode>, vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<FeedNode | undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  readonly #tree: vscode.TreeView<FeedNode>;
  readonly #subscriptions: { readonly dispose: () => unknown }[] = [];
  readonly #gatherer = gather(GATHER_MS, () => this.#redraw());
  readonly #name: string;
  #quiet: NodeJS.Timeout | undefined;

  constructor(readonly model: FeedModel) {
    this.#tree = vscode.window.createTreeView(FEED_VIEW, { treeDataProvider: this });
    this.#name = this.#tree.title ?? 'Shared Feed';
    const times = setInterval(() => {
      if (this.#tree.visible) this.#changed.fire(undefined);
    }, TIMES_REFRESH_MS);
    this.#subscriptions.push(
      this.#tree,
      this.#changed,
      this.#tree.onDidChangeSelection(({ selection }) => this.#hold(selection.length > 0)),
      this.#tree.onDidChangeVisibility(({ visible: shown }) => {
        if (!shown) this.#hold(false);
      }),
      { dispose: () => clearInterval(times) },
      { dispose: () => clearTimeout(this.#quiet) },
      { dispose: () => this.#gatherer.close() },
    );
  }

  get selected(): EntryNode | undefined {
    return this.#tree.selection.find((node) => node.kind === 'entry');
  }

  /** The model changed: shown at once, or together with what follows. */
  changed(): void {
    this.#gatherer.changed();
  }

  setState(state: FeedState, message: string | undefined): void {
    void vscode.commands.executeCommand('setContext', CONTEXT_KEYS.feedState, state);
    this.#tree.message = message ?? '';
  }

  showHeld(): void {
    this.model.showHeld();
    this.#redraw();
  }

  loadMore(): void {
    this.model.loadMore();
    this.#redraw();
  }

  getTreeItem(node: FeedNode): vscode.TreeItem {
    return node.kind === 'entry' ? entryItem(node, Date.now()) : moreItem();
  }

  resolveTreeItem(item: vscode.TreeItem, node: FeedNode): vscode.TreeItem {
    if (node.kind === 'entry') item.tooltip = tooltip(node.entry);
    return item;
  }

  getChildren(node?: FeedNode): FeedNode[] {
    if (node !== undefined) return [];
    const rows = this.model.rows.map((row): FeedNode => ({ kind: 'entry', ...row }));
    return this.model.hasMore ? [...rows, { kind: 'more' }] : rows;
  }

  getParent(): undefined {
    return undefined;
  }

  dispose(): void {
    vscode.Disposable.from(...this.#subscriptions).dispose();
  }

  /** Somebody works in the list: what arrives waits, so that no row moves under the cursor. */
  #hold(working: boolean): void {
    clearTimeout(this.#quiet);
    this.model.hold(working);
    if (working) this.#quiet = setTimeout(() => this.#hold(false), QUIET_BEFORE_MOVING_MS);
    else this.changed();
  }

  #redraw(): void {
    const { heldCount, unreadCount } = this.model;
    this.#tree.title = heldCount === 0 ? this.#name : vscode.l10n.t('{0} new · {1}', heldCount, this.#name);
    this.#tree.badge =
      unreadCount === 0 ? undefined : { value: unreadCount, tooltip: vscode.l10n.t('{0} unread', unreadCount) };
    void vscode.commands.executeCommand('setContext', CONTEXT_KEYS.feedHeld, heldCount > 0);
    this.#changed.fire(undefined);
  }
}
