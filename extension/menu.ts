/** The menu behind the status item, and the report for a bug. */
import os from 'node:os';
import * as vscode from 'vscode';
import type { App } from './app';
import type { Handler } from './commands';
import { oneLine } from './one-line';
import { SETTING_DEFAULTS, commandName, type CommandId, type SettingName } from './names';
import { tick } from './notify';
import { chooseProject, requireTrust } from './project/choose';
import { initializeProject } from './project/initialize';
import { phaseWords } from './project/status';
import { setting } from './settings';

interface MenuItem extends vscode.QuickPickItem {
  readonly id?: CommandId;
}

const separator = (label: string): MenuItem => ({ label, kind: vscode.QuickPickItemKind.Separator });

async function menuItems(app: App): Promise<readonly MenuItem[]> {
  const project = app.projects.current;
  const running = await app.hub.find();
  const connected = project?.connection !== undefined;
  const pending = project?.shares.pending ?? 0;
  const share: MenuItem[] = [
    { label: '$(law) Share Decision…', id: 'shareDecision' },
    { label: '$(lightbulb) Share Learning…', id: 'shareLearning' },
    { label: '$(book) Share Convention…', id: 'shareConvention' },
    { label: '$(checklist) Share Task…', id: 'shareTask' },
  ];
  const connection: MenuItem[] = [
    ...(connected ? [] : [{ label: '$(plug) Connect to the Local Hub', id: 'connectLocal' } as const]),
    { label: '$(plug) Connect to a Hub…', id: 'connect' },
    ...(connected ? [{ label: '$(filter) Choose Subscriptions…', id: 'chooseSubscriptions' } as const] : []),
    ...(pending > 0
      ? [{ label: '$(cloud-upload) Publish Pending', description: String(pending), id: 'publishPending' } as const]
      : []),
    ...(connected ? [{ label: '$(info) Show Hub Status', id: 'showHubStatus' } as const] : []),
    running === undefined
      ? { label: '$(play) Start Local Hub', id: 'startLocalHub' }
      : { label: '$(debug-stop) Stop Local Hub', description: running.address, id: 'stopLocalHub' },
  ];
  return [
    separator('Share'),
    ...share,
    separator('Hub'),
    ...connection,
    separator('Help'),
    { label: '$(output) Open Log', id: 'openLog' },
    { label: '$(clippy) Copy Diagnostics', id: 'copyDiagnostics' },
  ];
}

async function showMenu(app: App): Promise<void> {
  const project = app.projects.current;
  const placeHolder = project && `${project.connection?.project ?? project.name}: ${phaseWords(project.status)}`;
  const options = { title: 'ctx Hub', ...(placeHolder === undefined ? {} : { placeHolder: oneLine(placeHolder) }) };
  const picked = await vscode.window.showQuickPick(await menuItems(app), options);
  if (picked?.id !== undefined) await vscode.commands.executeCommand(commandName(picked.id));
}

/** Facts for a bug report: no token, no content. */
async function diagnostics(app: App): Promise<string> {
  const running = await app.hub.find();
  const names = Object.keys(SETTING_DEFAULTS) as SettingName[];
  return [
    `ctx Hub ${app.version}`,
    `${vscode.env.appName} ${vscode.version}, Node ${process.version}, ${os.platform()} ${os.arch()}`,
    `Remote: ${vscode.env.remoteName ?? 'none'}; trusted: ${vscode.workspace.isTrusted}`,
    running === undefined
      ? 'Local hub: not running'
      : `Local hub: ${running.address}, pid ${running.pid}, version ${running.version}, since ${running.startedAt}` +
        (running.degraded ? ', degraded' : ''),
    ...app.projects.all.flatMap((project) => {
      const { connection, status } = project;
      const sync = status.kind === 'connected' ? status.sync : undefined;
      return [
        `Project ${connection?.project ?? project.name}: ${phaseWords(status)}; ${project.shares.pending} pending`,
        ...(connection === undefined
          ? []
          : [`  hub ${connection.address}, id ${connection.hubId}, as ${connection.client}`]),
        ...(sync === undefined
          ? []
          : [
              `  sequence ${sync.cursor?.sequence ?? 0} of ${sync.head?.sequence ?? 0}; last error: ${sync.lastError?.message ?? 'none'}`,
            ]),
      ];
    }),
    ...names.map((name) => `${name}: ${JSON.stringify(setting(name))}`),
  ].join('\n');
}

type MenuCommand = Extract<CommandId, 'showMenu' | 'openLog' | 'copyDiagnostics' | 'initialize'>;

export function menuCommands(app: App): Readonly<Record<MenuCommand, Handler>> {
  return {
    showMenu: () => showMenu(app),
    openLog: () => app.log.show(),
    copyDiagnostics: async () => {
      await vscode.env.clipboard.writeText(await diagnostics(app));
      tick(vscode.l10n.t('Diagnostics copied'));
    },
    initialize: async () => {
      if (!(await requireTrust())) return;
      const project = await chooseProject(app);
      if (project !== undefined) await initializeProject(project);
    },
  };
}
