/** Shows what a project's hub says about itself. */
import * as vscode from 'vscode';
import { requireConnection } from '../../core/node/connection-file';
import { openAny } from '../../core/node/open-any';
import { REQUEST_TIMEOUT_MS } from '../../core/limits';
import type { StatusInfo } from '../../core/wire';
import type { App } from '../app';
import { oneLine } from '../one-line';
import { describeError } from '../notify';
import { requireConnected } from '../project/choose';
import type { Project } from '../project/project';
import { lagOf, phaseWords } from '../project/status';

function aboutHub(status: StatusInfo): string[] {
  return [
    `Hub: ${status.address}, version ${status.version}, ${status.engine} engine, ${status.role}`,
    `Log: ${status.head.sequence} entries`,
    `Open: ${status.sessions} sessions, ${status.listeners} listening; ${status.clients} clients registered`,
    `Since: ${status.started_at}`,
    status.problems.length === 0 ? 'Healthy' : `Problems: ${status.problems.join('; ')}`,
  ];
}

function aboutProject(project: Project): string[] {
  const { status, shares } = project;
  const base = [`Project: ${project.connection?.project ?? project.name}, ${phaseWords(status)}`];
  if (status.kind !== 'connected') return base;
  return [
    ...base,
    `Sequence: #${status.sync.cursor?.sequence ?? 0}, ${lagOf(status.sync)} to go`,
    `Subscribed: ${status.connection.types.join(', ')}`,
    `Pending: ${shares.pending}`,
  ];
}

async function askHub(app: App, project: Project): Promise<string[]> {
  const connection = await requireConnection(project.paths, app.env);
  const session = await openAny(connection, REQUEST_TIMEOUT_MS);
  try {
    return aboutHub(await session.status());
  } finally {
    await session.close();
  }
}

export async function showHubStatus(app: App): Promise<void> {
  const project = await requireConnected(app);
  if (project === undefined) return;
  const hub = await askHub(app, project).catch((error: unknown) => [describeError(error)]);
  const detail = [...aboutProject(project), '', ...hub].map((line) => oneLine(line, 400)).join('\n');
  await vscode.window.showInformationMessage(vscode.l10n.t('Hub Status'), { modal: true, detail });
}
