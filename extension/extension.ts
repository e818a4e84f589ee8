/** Where the editor enters and leaves. */
import * as vscode from 'vscode';
import { registerCommands, type CommandTable } from './commands';
import { FeedModel } from './feed/feed-model';
import { FeedView } from './feed/feed-view';
import { COMMAND_IDS } from './names';
import { inform } from './notify';
import { setting } from './settings';

/** What the tests look at; nothing in it acts. */
export interface ExtensionApi {
  readonly feed: FeedModel;
}

export function activate(context: vscode.ExtensionContext): ExtensionApi {
  const log = vscode.window.createOutputChannel('ctx Hub', { log: true });
  const view = new FeedView(new FeedModel(setting('ctxHub.feed.pageSize')));
  const table = Object.fromEntries(COMMAND_IDS.map((id) => [id, () => inform(`${id} comes later`)]));
  context.subscriptions.push(log, view, registerCommands(table as CommandTable, log));
  view.setState('notConnected', undefined);
  return { feed: view.model };
}
