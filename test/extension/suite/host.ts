/** What the tests inside the host share: the extension, its projects, and a hub that is started once. */
import assert from 'node:assert/strict';
import path from 'node:path';
import * as vscode from 'vscode';
import type { ExtensionApi } from '../../../extension/extension';
import { projectPaths, type ProjectPaths } from '../../../core/node/project-directory';
import { until } from '../../support/processes';

export async function extensionApi(): Promise<ExtensionApi> {
  const extension = vscode.extensions.getExtension<ExtensionApi>('ctx-hub.ctx-hub');
  assert.ok(extension, 'the extension is installed');
  return extension.activate();
}

export function project(name: 'alpha' | 'beta'): ProjectPaths {
  const folder = vscode.workspace.workspaceFolders?.find((each) => each.name === name);
  assert.ok(folder, `the workspace has a folder ${name}`);
  return projectPaths(folder.uri.fsPath);
}

export async function statusOf(name: 'alpha' | 'beta'): Promise<ReturnType<ExtensionApi['projects']>[number]> {
  const { root } = project(name);
  const found = (await extensionApi()).projects().find((each) => each.root === root);
  assert.ok(found, `the extension knows ${name}`);
  return found;
}

export async function isLive(name: 'alpha' | 'beta'): Promise<boolean> {
  const { status } = await statusOf(name);
  return status.kind === 'connected' && status.sync.phase === 'live';
}

export const run = (command: string, ...args: unknown[]): Promise<unknown> =>
  Promise.resolve(vscode.commands.executeCommand(`ctxHub.${command}`, ...args));

/** Puts a file of the project in front, which makes it the current project. */
export async function show(file: string): Promise<vscode.TextEditor> {
  return vscode.window.showTextDocument(vscode.Uri.file(file), { preview: false });
}

let connected: Promise<void> | undefined;

/** The local hub runs and both projects are connected to it. */
export function connectBoth(): Promise<void> {
  connected ??= (async () => {
    await run('startLocalHub');
    for (const name of ['alpha', 'beta'] as const) await until(`${name} is live`, () => isLive(name), 20_000);
  })();
  return connected;
}

export const homeDir = (): string => {
  const home = process.env['HOME'];
  assert.ok(home !== undefined && path.basename(path.dirname(home)).startsWith('ctx-ui-'), 'HOME is the test’s own');
  return home;
};
