/** Runs the suite inside the extension host of a real VS Code, on the development tree or on an installed VSIX. */
import { EventEmitter, once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { format } from 'node:util';
import type { Page } from 'playwright-core';
import { freePort } from './hub';
import { readCounts, type Counts } from './counts';
import { SUITE_LINE } from './suite-line';
import { openWorkbench, within, type ServerInstall } from './workbench';

export interface HostRun {
  readonly install: ServerInstall;
  readonly chrome: string;
  /** The extension under test; without one, the development tree at `root`. */
  readonly vsix?: string | undefined;
  readonly root: string;
  readonly deadlineMs: number;
  /** Makes the folder or workspace file to open, below `dir`. */
  readonly fixture: (dir: string) => string;
}

/** The two functions that VS Code's web workbench calls when it runs tests. */
async function exposeAutomation(page: Page, exited: (code: number) => void): Promise<void> {
  await page.exposeFunction('codeAutomationLog', (_level: string, args: unknown[]) => {
    const line = format(...args);
    if (line.startsWith(SUITE_LINE)) console.log(line.slice(SUITE_LINE.length));
  });
  await page.exposeFunction('codeAutomationExit', exited);
}

export async function runInHost(run: HostRun): Promise<Counts> {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'ctx-host-'));
  const result = path.join(scratch, 'result.json');
  const port = await freePort();
  const bench = await openWorkbench({
    install: run.install,
    chrome: run.chrome,
    vsix: run.vsix,
    development: true,
    machineSettings: { 'ctxHub.localHub.port': port },
    env: { CTX_TEST_RESULT: result, CTX_TEST_GREP: process.env['CTX_TEST_GREP'] ?? '', CTX_TEST_PORT: String(port) },
  });
  try {
    const underTest = run.vsix === undefined ? run.root : path.join(run.root, 'test/extension/vsix-host');
    const exits = new EventEmitter();
    const exit = once(exits, 'exit').then(([code]) => Number(code));
    const page = await bench.openWindow({
      open: run.fixture(bench.dir),
      payload: [
        ['extensionDevelopmentPath', bench.uri(underTest)],
        ['extensionTestsPath', bench.uri(path.join(run.root, 'dist-test/extension/suite/index'))],
      ],
      prepare: (fresh) => exposeAutomation(fresh, (code) => void exits.emit('exit', code)),
    });
    const code = await within(exit, run.deadlineMs, 'end of the suite').catch(async (error: unknown) => {
      await page.screenshot({ path: path.join(run.root, 'test-output/screenshots/host-stuck.png') });
      throw error;
    });
    return readCounts(result, code);
  } catch (error) {
    console.error(`--- server log, last lines\n${bench.log().slice(-1500)}`);
    throw error;
  } finally {
    await bench.close();
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}
