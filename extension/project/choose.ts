/** Which project a command is for, and what is missing before it can run there. */
import * as vscode from 'vscode';
import type { App } from '../app';
import { commandName } from '../names';
import { inform } from '../notify';
import { initializeProject } from './initialize';
import type { Project } from './project';

/** @returns `undefined` when there is none, or the user stopped; says so by itself */
export async function chooseProject({ projects }: App): Promise<Project | undefined> {
  if (projects.all.length === 0) {
    await inform(vscode.l10n.t('Open the folder of a project first.'), {
      title: vscode.l10n.t('Open Folder'),
      run: () => vscode.commands.executeCommand('vscode.openFolder'),
    });
    return undefined;
  }
  const inFront = vscode.window.activeTextEditor && projects.of(vscode.window.activeTextEditor.document.uri);
  if (inFront !== undefined || projects.all.length === 1) return inFront ?? projects.all[0];
  const items = projects.all.map((project) => ({ label: project.name, description: project.paths.root, project }));
  const picked = await vscode.window.showQuickPick(items, { placeHolder: vscode.l10n.t('Which project?') });
  return picked?.project;
}

/** For commands that write, connect or start something: not in an untrusted workspace. */
export async function requireTrust(): Promise<boolean> {
  if (vscode.workspace.isTrusted) return true;
  await inform(vscode.l10n.t('This workspace is in Restricted Mode: ctx Hub does not do that here.'), {
    title: vscode.l10n.t('Manage Workspace Trust'),
    run: () => vscode.commands.executeCommand('workbench.trust.manage'),
  });
  return false;
}

/** A trusted project with a `.context` folder; offers to make one. */
export async function requireProject(app: App): Promise<Project | undefined> {
  if (!(await requireTrust())) return undefined;
  const project = await chooseProject(app);
  if (project?.status.kind !== 'noContext') return project;
  const made = { done: false };
  await inform(vscode.l10n.t('{0} has no .context folder yet.', project.name), {
    title: vscode.l10n.t('Initialize .context'),
    run: async () => {
      await initializeProject(project);
      made.done = true;
    },
  });
  return made.done ? project : undefined;
}

/** A trusted project that is connected; offers to connect it. */
export async function requireConnected(app: App): Promise<Project | undefined> {
  const project = await requireProject(app);
  if (project === undefined || project.connection !== undefined) return project;
  await inform(
    vscode.l10n.t('{0} is not connected to a hub.', project.name),
    {
      title: vscode.l10n.t('Connect to the Local Hub'),
      run: () => vscode.commands.executeCommand(commandName('connectLocal')),
    },
    {
      title: vscode.l10n.t('Connect to a Hub…'),
      run: () => vscode.commands.executeCommand(commandName('connect')),
    },
  );
  return undefined;
}
