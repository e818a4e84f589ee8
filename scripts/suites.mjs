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

const closingLine = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;

/** What mocha said of each failed test and of what was not run, gathered from everything that ran below this process. */
const findings = [];

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
      const said = /^(?: +(?:needed a second try|not run): |skipped: |SURVIVED )/.test(line);
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

/** Runs a command, shows its output, and gives back what it printed and its exit code. */
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
    child.once('error', (error) => resolve({ code: 1, out: error.message }));
    child.once('close', (code) => resolve({ code: code ?? 1, out }));
  });
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
  const { code } = await run(process.execPath, [...args, ...patterns.map((pattern) => `dist-test/${pattern}`)], {
    ...env,
    CTX_TEST_RESULT: result,
  });
  const counts = fs.existsSync(result) ? JSON.parse(fs.readFileSync(result, 'utf8')) : { ...NOTHING, failed: 1 };
  fs.rmSync(path.dirname(result), { recursive: true, force: true });
  const ranNothing = counts.passed + counts.failed + counts.skipped === 0;
  const broke = code !== 0 && counts.failed === 0;
  if (ranNothing || broke) {
    findings.push(`${name}: ${ranNothing ? 'no test ran' : `mocha exited with ${code}`}`);
    counts.failed += 1;
  }
  say(`${name}: ${closingLine(counts)} (${((performance.now() - began) / 1000).toFixed(1)} s)\n`);
  return counts;
}

/** The counts of a runner that closes with `N passed, N failed[, N skipped]` on a line of its own. */
export async function counted(name, command, args, env = {}) {
  say(`\n=== ${name}\n`);
  const { code, out } = await run(command, args, env);
  const lines = [...out.matchAll(/^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)];
  const last = lines.at(-1);
  if (last === undefined) {
    findings.push(`${name}: no counts (exit code ${code})`);
    return { ...NOTHING, failed: 1 };
  }
  const counts = { passed: Number(last[1]), failed: Number(last[2]), skipped: Number(last[3] ?? 0) };
  if (code !== 0 && counts.failed === 0) {
    findings.push(`${name}: exit code ${code}`);
    counts.failed = 1;
  }
  return counts;
}

/** A check that passes or fails as a whole. */
export async function check(name, command, args, env = {}) {
  say(`\n=== ${name}\n`);
  const { code } = await run(command, args, env);
  if (code !== 0) findings.push(`${name}: failed with exit code ${code}`);
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
