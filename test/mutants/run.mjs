// `npm run test:mutants`: bundles the unit tests of the core with one bug in it at a time, and names the test that sees it.
// Closes with `N passed, N failed`; a bug that no test sees is a failure. Two at a time, at low priority.
import * as esbuild from 'esbuild';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { RAFT_MUTANTS } from './raft-mutants.mjs';
import { patched } from './patched.mjs';

const AT_ONCE = 2;
const MAX_MS = 120_000;
const OUT = 'dist-test/mutants';
const TESTS = fs
  .readdirSync('test/unit/raft')
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => `test/unit/raft/${name}`);

async function bundle(folder, patches) {
  await esbuild.build({
    entryPoints: TESTS,
    outdir: folder,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    packages: 'external',
    logLevel: 'error',
    plugins: [patched(patches)],
  });
}

/** The first failing test's title, or `undefined` when all pass. */
function firstFailure(folder) {
  return new Promise((resolve) => {
    const args = ['node_modules/mocha/bin/mocha.js', '--reporter', 'json', '--bail', `${folder}/*.test.js`];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    os.setPriority(child.pid, 10);
    const timer = setTimeout(() => child.kill('SIGKILL'), MAX_MS);
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
    child.once('close', (code) => {
      clearTimeout(timer);
      if (code === 0) return resolve(undefined);
      const at = out.indexOf('{');
      const report = at === -1 ? undefined : JSON.parse(out.slice(at));
      return resolve(report?.failures[0]?.fullTitle ?? `no result within ${MAX_MS / 1000} s (exit code ${code})`);
    });
  });
}

async function tryMutant({ name, patches }, at) {
  const folder = path.posix.join(OUT, String(at));
  await bundle(folder, patches);
  const test = await firstFailure(folder);
  console.log(test === undefined ? `SURVIVED  ${name}` : `killed    ${name}\n          by: ${test}`);
  return test !== undefined;
}

fs.rmSync(OUT, { recursive: true, force: true });
await bundle(path.posix.join(OUT, 'none'), []);
const healthy = await firstFailure(path.posix.join(OUT, 'none'));
if (healthy !== undefined) {
  console.error(`Without any bug this test fails: ${healthy}`);
  process.exit(1);
}

const queue = RAFT_MUTANTS.map((mutant, at) => () => tryMutant(mutant, at + 1));
let killed = 0;
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) if (await next()) killed += 1;
  }),
);
fs.rmSync(OUT, { recursive: true, force: true });
console.log(`\n${killed} passed, ${RAFT_MUTANTS.length - killed} failed`);
process.exitCode = killed === RAFT_MUTANTS.length ? 0 : 1;
