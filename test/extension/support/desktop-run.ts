/**
 * The suite in a desktop VS Code that `@vscode/test-electron` downloads: the way for machines where the VS Code server from
 * npm does not run. Without the internet it is skipped.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { runTests } from '@vscode/test-electron';
import { readCounts, type Counts } from './counts';
import { makeWorkspace } from './fixture';

const OFFLINE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|getaddrinfo|timed out/i;

/** @returns `undefined` when VS Code cannot be had here */
export async function runOnDesktop(root: string): Promise<Counts | undefined> {
  const dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'ctx-desk-')));
  const home = path.join(dir, 'home');
  const result = path.join(dir, 'result.json');
  fs.mkdirSync(home);
  const executable = process.env['CTX_VSCODE'];
  try {
    const code = await runTests({
      ...(executable === undefined ? { version: 'stable' } : { vscodeExecutablePath: executable }),
      extensionDevelopmentPath: root,
      extensionTestsPath: path.join(root, 'dist-test/extension/suite/index'),
      extensionTestsEnv: { CTX_TEST_RESULT: result, CTX_HOME: path.join(home, '.ctx') },
      launchArgs: [
        makeWorkspace(dir),
        ...['--disable-extensions', '--disable-workspace-trust', '--user-data-dir', path.join(dir, 'user')],
      ],
    });
    return readCounts(result, code);
  } catch (error) {
    if (OFFLINE.test(String(error))) return undefined;
    throw error;
  } finally {
    fs.rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }
}
