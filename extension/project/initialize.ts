/** Makes a `.context` folder: what `ctx init` does, and the managed folder with it. */
import * as vscode from 'vscode';
import { createContextFiles } from '../../core/node/context-file';
import { ensureHubFolder, ensureIgnored } from '../../core/node/gitignore';
import { tick } from '../notify';
import type { Project } from './project';

/** Creates what is missing; what is there stays as it is. */
export async function initializeProject(project: Project): Promise<void> {
  const { paths } = project;
  await createContextFiles(paths);
  await ensureHubFolder(paths.hubDir);
  await ensureIgnored(paths.root);
  await project.refresh();
  tick(vscode.l10n.t('{0} has a .context folder', project.name));
}
