// Runs suites, one after the other or two at a time, and adds up their counts. A suite that ran no test, or ended without a
// result, failed.
import { AsyncLocalStorage } from 'node:async_hooks';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { root } from './prepare.mjs';

/** What a suite says that runs beside others: it comes out in one piece, when the suite has ended. */
const aside = new AsyncLocalStorage();

function say(text) {
  const pieces = aside.getStore();
  if (pieces === undefined) process.stdout.write(text);
  else pieces.push(text);
}

const NOTHING = { passed: 0, failed: 0, skipped: 0 };

const add = (a, b) => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
});

const total = (counts) => counts.reduce(add, NOTHING);

export const closingLine = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;

/** Why something failed or was not run, gathered from what everything that ran below this process said. */
const findings = [];

/** Says why a part failed of which no test says so. Runners above this one find the line by its first word. */
function fail(why) {
  findings.push(`FAILED  ${why}`);
  say(`FAILED  ${why}\n`);
}

/** Notes the parts of the output that a reader of the end of a long log must not miss. */
function watch() {
  let rest = '';
  let failing = false;
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      if (/^ {2}\d+ failing/.test(line)) failing = true;
      else if (/^(?:===|---|[\w -]+: \d+ passed)/.test(line)) failing = false;
      const said = /^(?: +(?:needed a second try|not run): |skipped: |SURVIVED |FAILED )/.test(line);
      if ((failing || said) && line.trim() !== '') findings.push(line);
    }
  };
}

/** Prints the findings again, and the closing line; the exit code follows from the counts. */
export function close(counts) {
  const sum = total(counts);
  if (findings.length > 0) console.log(`\nOf the above:\n${findings.map((line) => `| ${line}`).join('\n')}`);
  console.log(`\n${closingLine(sum)}`);
  process.exitCode = sum.failed > 0 || sum.passed === 0 ? 1 : 0;
}

/** Runs a command, shows its output, and gives back what it printed, its exit code and, in words, how it ended. */
export function run(command, args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let out = '';
    const noteFindings = watch();
    child.stdout.setEncoding('utf8').on('data', (text) => {
      say(text);
      noteFindings(text);
      out = (out + text).slice(-20_000);
    });
    child.once('error', (error) => resolve({ code: 1, end: error.message, out }));
    child.once('close', (code, signal) => {
      resolve({ code: code ?? 1, end: signal === null ? `exit code ${code}` : `ended by ${signal}`, out });
    });
  });
}

/** What is wrong with a run as a whole, whatever its tests say; `undefined` when nothing is. */
function brokenBy(counts, code) {
  if (counts === undefined) return 'no result';
  if (counts.passed + counts.failed + counts.skipped === 0) return 'no test ran';
  return code !== 0 && counts.failed === 0 ? 'not ended well' : undefined;
}

/** The counts of a mocha run over bundled test files (below dist-test/). */
export async function mocha(name, patterns, env = {}) {
  say(`\n=== ${name}\n`);
  const result = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'ctx-result-')), 'result.json');
  const began = performance.now();
  const args = [
    'node_modules/mocha/bin/mocha.js',
    '--config',
    'test/support/mocha.json',
    '--reporter',
    'test/support/reporter.cjs',
  ];
  const { code, end } = await run(process.execPath, [...args, ...patterns.map((pattern) => `dist-test/${pattern}`)], {
    ...env,
    CTX_TEST_RESULT: result,
  });
  const counts = fs.existsSync(result) ? JSON.parse(fs.readFileSync(result, 'utf8')) : undefined;
  fs.rmSync(path.dirname(result), { recursive: true, force: true });
  const obstacle = brokenBy(counts, code);
  if (obstacle !== undefined) fail(`${name}: ${obstacle} (${end})`);
  const sum = obstacle === undefined ? counts : add(counts ?? NOTHING, { ...NOTHING, failed: 1 });
  say(`${name}: ${closingLine(sum)} (${((performance.now() - began) / 1000).toFixed(1)} s)\n`);
  return sum;
}

/** The counts of a runner that closes with `N passed, N failed[, N skipped]` on a line of its own. */
export async function counted(name, command, args, env = {}) {
  say(`\n=== ${name}\n`);
  const { code, end, out } = await run(command, args, env);
  const lines = [...out.matchAll(/^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)];
  const last = lines.at(-1);
  if (last === undefined) {
    fail(`${name}: no counts (${end})`);
    return { ...NOTHING, failed: 1 };
  }
  const counts = { passed: Number(last[1]), failed: Number(last[2]), skipped: Number(last[3] ?? 0) };
  if (code !== 0 && counts.failed === 0) {
    fail(`${name}: not ended well (${end})`);
    counts.failed = 1;
  }
  return counts;
}

/** A check that passes or fails as a whole. */
export async function check(name, command, args, env = {}) {
  say(`\n=== ${name}\n`);
  const { code, end } = await run(command, args, env);
  if (code !== 0) fail(`${name} (${end})`);
  else say(`${name}: ok\n`);
  return { ...NOTHING, [code === 0 ? 'passed' : 'failed']: 1 };
}

/**
 * Runs `{ name, run }` two at a time, where there are two cores: most of a suite's time is waiting for processes.
 * @returns the counts, in the order of the suites
 */
export async function twoAtATime(suites) {
  if (suites.length === 1) return [await suites[0].run()];
  const counts = [];
  const waiting = [...suites.entries()];
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [at, { name, run: runSuite }] = next;
      console.log(`… ${name} is running`);
      const pieces = [];
      counts[at] = await aside.run(pieces, runSuite);
      process.stdout.write(pieces.join(''));
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, os.availableParallelism()) }, lane));
  return counts;
}
