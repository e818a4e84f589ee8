/** The menu behind the status item: what there is to do now. */
import * as vscode from 'vscode';
import type { App } from './app';
import type { Handler } from './commands';
import { oneLine } from './one-line';
import { commandName, type CommandId } from './names';
import { phaseWords } from './project/status';

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

type MenuCommand = Extract<CommandId, 'showMenu'>;

export function menuCommands(app: App): Readonly<Record<MenuCommand, Handler>> {
  return { showMenu: () => showMenu(app) };
}
