/** The hub from the editor: started for the projects of the window, which are connected without a token typed. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { HOSTILE_SETTINGS } from '../support/fixture';
import { hubDataDir, readHub } from '../support/hub';
import { connectBoth, extensionApi, homeDir, project, statusOf } from './host';

function filesBelow(dir: string): string[] {
  return fs
    .readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map((each) => path.join(each.parentPath, each.name));
}

describe('local hub', () => {
  before(connectBoth);

  it('runs from a copy outside the extension, as a process of its own', () => {
    const hub = readHub(homeDir());
    assert.ok(hub);
    assert.notEqual(hub.pid, process.pid);
    const commandLine = fs.readFileSync(`/proc/${hub.pid}/cmdline`, 'utf8').split('\0');
    const script = commandLine.find((word) => word.endsWith('ctx.js')) ?? '';
    assert.ok(script.startsWith(path.join(homeDir(), '.ctx', 'bin')), script);
  });

  it('is on the port that the machine’s settings name', () => {
    assert.equal(String(readHub(homeDir())?.port), process.env['CTX_TEST_PORT']);
  });

  it('connects each project on its own, under its own name', async () => {
    for (const name of ['alpha', 'beta'] as const) {
      const { status } = await statusOf(name);
      assert.equal(status.kind, 'connected');
      assert.equal(status.connection.project, name);
    }
    const sealed = (['alpha', 'beta'] as const).map((name) => fs.readFileSync(project(name).connection));
    assert.notDeepEqual(sealed[0], sealed[1]);
  });

  it('keeps the connection out of git', () => {
    const ignored = fs.readFileSync(path.join(project('alpha').root, '.gitignore'), 'utf8').split('\n');
    assert.ok(ignored.includes('.context/.connect.enc') && ignored.includes('.context/hub/'));
  });

  it('says so in the status bar', async () => {
    const api = await extensionApi();
    assert.match(api.statusBarText(), /^\$\(broadcast\) ctx Hub #\d+$/);
  });

  it('leaves no token in settings, state or logs (S35)', () => {
    const token = fs.readFileSync(path.join(hubDataDir(homeDir()), 'admin.token'), 'utf8').trim();
    assert.match(token, /^ctx_adm_/);
    const home = path.dirname(homeDir());
    const places = ['user', 'server'].map((name) => path.join(home, name));
    const holders = places
      .flatMap(filesBelow)
      .filter(
        (file) => !file.endsWith('.vsix') && /ctx_(adm|cli|ctl)_[0-9a-f]{16}_/.test(fs.readFileSync(file, 'latin1')),
      );
    assert.deepEqual(holders, []);
  });

  it('takes nothing from the workspace’s settings about where data goes or what runs (S34)', async () => {
    const { settings } = JSON.parse(fs.readFileSync(vscode.workspace.workspaceFile?.fsPath ?? '', 'utf8')) as {
      settings: Record<string, unknown>;
    };
    assert.deepEqual(settings, HOSTILE_SETTINGS, 'the fixture tries');
    await vscode.commands.executeCommand('ctxHub.copyDiagnostics');
    assert.doesNotMatch(await vscode.env.clipboard.readText(), /evil|localHub\.port: 1$/m);
  });

  it('copies diagnostics without a secret', async () => {
    await vscode.commands.executeCommand('ctxHub.copyDiagnostics');
    const text = await vscode.env.clipboard.readText();
    assert.match(text, /Local hub: ws:\/\/127\.0\.0\.1:\d+/);
    assert.doesNotMatch(text, /ctx_(adm|cli|ctl)_/);
  });
});
