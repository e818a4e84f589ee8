/** Makes a `.context` folder. */
import fs from 'node:fs/promises';
import * as vscode from 'vscode';
import { templateOf } from '../../core/context/template';
import { ENTRY_TYPES } from '../../core/entry';
import { errnoOf, fileError } from '../../core/node/file-errors';
import { ensureHubFolder, ensureIgnored } from '../../core/node/gitignore';
import type { ProjectPaths } from '../../core/node/project-directory';
import { tick } from '../notify';
import type { Project } from './project';

/** Creates what is missing; what is there stays as it is. */
async function create(paths: ProjectPaths): Promise<void> {
  await ensureHubFolder(paths.hubDir);
  for (const type of ENTRY_TYPES) {
    try {
      await fs.writeFile(paths.files[type], templateOf(type), { flag: 'wx' });
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw fileError(error, 'create', paths.files[type]);
    }
  }
  await ensureIgnored(paths.root);
}

export async function initializeProject(project: Project): Promise<void> {
  await create(project.paths);
  await project.refresh();
  tick(vscode.l10n.t('{0} has a .context folder', project.name));
}
