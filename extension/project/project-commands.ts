/** The command that makes a project of a folder. */
import type { App } from '../app';
import type { Handler } from '../commands';
import type { CommandId } from '../names';
import { chooseProject, requireTrust } from './choose';
import { initializeProject } from './initialize';

async function initialize(app: App): Promise<void> {
  if (!(await requireTrust())) return;
  const project = await chooseProject(app);
  if (project !== undefined) await initializeProject(project);
}

type ProjectCommand = Extract<CommandId, 'initialize'>;

export function projectCommands(app: App): Readonly<Record<ProjectCommand, Handler>> {
  return { initialize: () => initialize(app) };
}
