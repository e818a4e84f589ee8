/** Runs the tests that drive the workbench, in a mocha process of their own. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as z from 'zod';
import { judged, type Counts } from './counts';
import { setupEnv, type UiSetup } from './ui-setup';

const counts = z.object({ passed: z.int(), failed: z.int(), skipped: z.int() });

export async function runUi(root: string, setup: UiSetup): Promise<Counts> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ctx-ui-result-'));
  const result = path.join(dir, 'result.json');
  const args = ['--config', 'test/support/mocha.json', '--reporter', 'test/support/reporter.cjs'];
  const grep = process.env['CTX_TEST_GREP'];
  if (grep !== undefined && grep !== '') args.push('--grep', grep, '--retries', '0');
  const child = spawn(
    process.execPath,
    ['node_modules/mocha/bin/mocha.js', ...args, 'dist-test/extension/ui/*.test.js'],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, ...setupEnv(setup), CTX_TEST_RESULT: result },
    },
  );
  const code = await new Promise<number>((resolve) => child.once('exit', (exitCode) => resolve(exitCode ?? 1)));
  try {
    if (!fs.existsSync(result)) throw new Error(`mocha exited with ${code} and left no counts`);
    return judged(counts.parse(JSON.parse(fs.readFileSync(result, 'utf8'))), 'mocha', code);
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}
