// Runs suites one after the other and adds up their counts. A suite that ran no test, or ended without a result, failed.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { root } from './prepare.mjs';

const NOTHING = { passed: 0, failed: 0, skipped: 0 };

export const add = (a, b) => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
});

export const total = (counts) => counts.reduce(add, NOTHING);

export const closingLine = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;

/** Runs a command, shows its output, and gives back what it printed and its exit code. */
export function run(command, args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      process.stdout.write(text);
      out = (out + text).slice(-20_000);
    });
    child.once('error', (error) => resolve({ code: 1, out: error.message }));
    child.once('close', (code) => resolve({ code: code ?? 1, out }));
  });
}

/** The counts of a mocha run over bundled test files (below dist-test/). */
export async function mocha(name, patterns, env = {}) {
  console.log(`\n=== ${name}`);
  const result = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'ctx-result-')), 'result.json');
  const began = performance.now();
  const args = [
    'node_modules/mocha/bin/mocha.js',
    '--config',
    'test/support/mocha.json',
    '--reporter',
    'test/support/reporter.cjs',
  ];
  const { code } = await run(process.execPath, [...args, ...patterns.map((pattern) => `dist-test/${pattern}`)], {
    ...env,
    CTX_TEST_RESULT: result,
  });
  const counts = fs.existsSync(result) ? JSON.parse(fs.readFileSync(result, 'utf8')) : { ...NOTHING, failed: 1 };
  fs.rmSync(path.dirname(result), { recursive: true, force: true });
  const ranNothing = counts.passed + counts.failed + counts.skipped === 0;
  const broke = code !== 0 && counts.failed === 0;
  if (ranNothing || broke) {
    console.error(`${name}: ${ranNothing ? 'no test ran' : `mocha exited with ${code}`}`);
    counts.failed += 1;
  }
  console.log(`${name}: ${closingLine(counts)} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
  return counts;
}

/** The counts of a runner that closes with `N passed, N failed[, N skipped]` on a line of its own. */
export async function counted(name, command, args, env = {}) {
  console.log(`\n=== ${name}`);
  const { code, out } = await run(command, args, env);
  const lines = [...out.matchAll(/^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)];
  const last = lines.at(-1);
  if (last === undefined) {
    console.error(`${name}: no counts (exit code ${code})`);
    return { ...NOTHING, failed: 1 };
  }
  const counts = { passed: Number(last[1]), failed: Number(last[2]), skipped: Number(last[3] ?? 0) };
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}

/** A check that passes or fails as a whole. */
export async function check(name, command, args, env = {}) {
  console.log(`\n=== ${name}`);
  const { code } = await run(command, args, env);
  console.log(`${name}: ${code === 0 ? 'ok' : `failed with exit code ${code}`}`);
  return { ...NOTHING, [code === 0 ? 'passed' : 'failed']: 1 };
}
