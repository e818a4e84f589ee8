/** What helps when something goes wrong: the log, and facts for a bug report. */
import os from 'node:os';
import * as vscode from 'vscode';
import type { App } from './app';
import type { Handler } from './commands';
import { SETTING_DEFAULTS, type CommandId, type SettingName } from './names';
import { tick } from './notify';
import type { Project } from './project/project';
import { phaseWords } from './project/status';
import { setting } from './settings';

async function aboutHub({ hub }: App): Promise<string> {
  const running = await hub.find();
  if (running === undefined) return 'Local hub: not running';
  const { address, pid, version, started_at, degraded } = running;
  return `Local hub: ${address}, pid ${pid}, version ${version}, since ${started_at}${degraded ? ', degraded' : ''}`;
}

function aboutProject({ connection, name, shares, status }: Project): string[] {
  const lines = [`Project ${connection?.project ?? name}: ${phaseWords(status)}; ${shares.pending} pending`];
  if (status.kind !== 'connected') return lines;
  const { cursor, head, lastError } = status.sync;
  const { address, hubId, client } = status.connection;
  return [
    ...lines,
    `  hub ${address}, id ${hubId}, as ${client}`,
    `  sequence ${cursor?.sequence ?? 0} of ${head?.sequence ?? 0}; last error: ${lastError?.message ?? 'none'}`,
  ];
}

/** No token, no content. */
async function diagnostics(app: App): Promise<string> {
  const names = Object.keys(SETTING_DEFAULTS) as SettingName[];
  return [
    `ctx Hub ${app.version}`,
    `${vscode.env.appName} ${vscode.version}, Node ${process.version}, ${os.platform()} ${os.arch()}`,
    `Remote: ${vscode.env.remoteName ?? 'none'}; trusted: ${vscode.workspace.isTrusted}`,
    await aboutHub(app),
    ...app.projects.all.flatMap(aboutProject),
    ...names.map((name) => `${name}: ${JSON.stringify(setting(name))}`),
  ].join('\n');
}

type DiagnosticsCommand = Extract<CommandId, 'openLog' | 'copyDiagnostics'>;

export function diagnosticsCommands(app: App): Readonly<Record<DiagnosticsCommand, Handler>> {
  return {
    openLog: () => app.log.show(),
    copyDiagnostics: async () => {
      await vscode.env.clipboard.writeText(await diagnostics(app));
      tick(vscode.l10n.t('Diagnostics copied'));
    },
  };
}
