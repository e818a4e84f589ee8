/** Where the editor enters and leaves: puts the parts together. */
import path from 'node:path';
import * as vscode from 'vscode';
import type { App } from './app';
import { registerCommands } from './commands';
import { diagnosticsCommands } from './diagnostics';
import { EntryDocuments } from './feed/entry-documents';
import { feedCommands } from './feed/feed-commands';
import { FeedController } from './feed/feed-controller';
import { FeedModel } from './feed/feed-model';
import { FeedView } from './feed/feed-view';
import { hubCommands } from './hub/hub-commands';
import { HubService } from './hub/hub-service';
import { LanguageService } from './language/client';
import { menuCommands } from './menu';
import { CONTEXT_KEYS } from './names';
import { describeError } from './notify';
import { ConnectionConsent } from './project/consent';
import type { Project } from './project/project';
import { projectCommands } from './project/project-commands';
import { Projects } from './project/projects';
import type { ProjectStatus } from './project/status';
import { setting } from './settings';
import { shareCommands } from './share/share-commands';
import { Sharing } from './share/sharing';
import { StatusBar } from './status-bar';

declare const CTX_VERSION: string;

/** What the tests look at; nothing in it acts. */
export interface ExtensionApi {
  readonly feed: FeedModel;
  readonly statusBarText: () => string;
  readonly projects: () => readonly {
    readonly root: string;
    readonly status: ProjectStatus;
    readonly pending: number;
  }[];
}

let closing: (() => Promise<unknown>) | undefined;

function build(context: vscode.ExtensionContext): App {
  const log = vscode.window.createOutputChannel('ctx Hub', { log: true });
  const { env } = process;
  const consent = new ConnectionConsent(context.globalState);
  const hub = new HubService(context, log, CTX_VERSION);
  const projects = new Projects({ env, log, consent, localHub: hub });
  const sharing = new Sharing(env, context.workspaceState, log);
  projects.onDidAdd((project) => sharing.watch(project));
  const view = new FeedView(new FeedModel(setting('ctxHub.feed.pageSize')));
  const feed = new FeedController(view, projects, context.workspaceState, () => vscode.workspace.isTrusted);
  const statusBar = new StatusBar(projects);
  const documents = new EntryDocuments(projects).register();
  context.subscriptions.push(log, projects, view, statusBar, documents);
  return { context, env, log, version: CTX_VERSION, projects, consent, view, feed, hub, sharing, statusBar };
}

/** Menus that need a `.context` follow it. */
function keepContextKeys({ projects }: App): void {
  const update = (): void => {
    const has = projects.all.some(({ status }) => status.kind !== 'noContext');
    void vscode.commands.executeCommand('setContext', CONTEXT_KEYS.hasContext, has);
  };
  projects.onDidChange(update);
  update();
}

function runLanguageServer({ context, log, projects }: App): LanguageService {
  const service = new LanguageService(path.join(context.extensionPath, 'dist', 'language-server.js'), log);
  const tell = ({ paths, name, connection, shares }: Project): void => {
    const project = connection?.project ?? name;
    void service.tell({ root: paths.root, project, connected: connection !== undefined, states: shares.states });
  };
  projects.onDidAdd((project) => {
    project.onDidChange(tell);
    tell(project);
  });
  context.subscriptions.push(service);
  return service;
}

/** The local hub was started by another window or on a terminal: whoever waits for it need not wait any longer. */
function followLocalHub({ context, hub, projects }: App): void {
  const file = new vscode.RelativePattern(vscode.Uri.file(hub.dataDir), 'hub.json');
  const watcher = vscode.workspace.createFileSystemWatcher(file);
  const look = async (): Promise<void> => {
    if ((await hub.find()) === undefined) return;
    await projects.refreshAll();
    projects.nudgeAll();
  };
  context.subscriptions.push(watcher, watcher.onDidCreate(look), watcher.onDidChange(look));
}

/** A project of the local hub is opened: the hub is wanted. Anything that fails here is told when it is needed. */
async function wakeLocalHub({ hub, projects, log }: App): Promise<void> {
  try {
    await hub.offerCommandLine();
    const id = await hub.localId();
    const used = id !== undefined && projects.all.some(({ connection }) => connection?.hubId === id);
    if (!used) return;
    const running = await hub.find();
    if (running !== undefined) void hub.offerRestart(running);
    else if ((await hub.startOnDemand()) !== undefined) {
      await projects.refreshAll();
      projects.nudgeAll();
    }
  } catch (error) {
    log.error(`the local hub was not started: ${describeError(error)}`);
  }
}

export async function activate(context: vscode.ExtensionContext): Promise<ExtensionApi> {
  const app = build(context);
  const table = {
    ...shareCommands(app),
    ...feedCommands(app),
    ...hubCommands(app),
    ...projectCommands(app),
    ...menuCommands(app),
    ...diagnosticsCommands(app),
  };
  context.subscriptions.push(registerCommands(table, app.log));
  const language = runLanguageServer(app);
  closing = () => Promise.all([app.projects.close(), language.close()]);
  keepContextKeys(app);
  followLocalHub(app);
  await app.projects.update();
  if (vscode.workspace.isTrusted) void wakeLocalHub(app);
  const trusted = async (): Promise<void> => {
    await app.projects.refreshAll();
    await wakeLocalHub(app);
  };
  context.subscriptions.push(vscode.workspace.onDidGrantWorkspaceTrust(trusted));
  return {
    feed: app.view.model,
    statusBarText: () => app.statusBar.text,
    projects: () =>
      app.projects.all.map(({ paths, status, shares }) => ({ root: paths.root, status, pending: shares.pending })),
  };
}

export async function deactivate(): Promise<void> {
  await closing?.();
}
