// `npm run test:mutants [-- --only raft,files]`: builds the software with one bug in it at a time, and names the test that
// sees it. A `*-mutants.mjs` beside this file holds a set:
//   tests     files or folders that are run for each of its bugs, unless a bug names its own
//   products  true when those tests run the built `ctx`, which then has the bug too
//   mutants   { name, patches: [{ file, find, replace }], tests?, grep? }; grep picks tests of those files by title
// Closes with `N passed, N failed`; a bug that no test sees is a failure. Some at a time, at low priority.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundleProducts, bundleTests } from '../../esbuild.mjs';
import { patched } from './patched.mjs';

/** One more than there are cores: most of their time, tests of the product wait for its processes. */
const AT_ONCE = os.availableParallelism() + 1;
const MAX_MS = 180_000;
const OUT = 'dist-test/mutants';

/** The test files that a set or a bug names. */
function filesOf(names) {
  return names.flatMap((name) =>
    fs.statSync(name).isDirectory()
      ? fs
          .readdirSync(name, { recursive: true })
          .filter((file) => file.endsWith('.test.ts'))
          .map((file) => path.join(name, file))
      : [name],
  );
}

/** The first failing test's title, or `undefined` when all pass. */
function firstFailure(folder, grep, retries) {
  return new Promise((resolve) => {
    const tests = path.posix.join(folder, 'test/**/*.test.js');
    const args = ['node_modules/mocha/bin/mocha.js', '--config', 'test/support/mocha.json', '--retries', retries];
    if (grep !== undefined) args.push('--grep', grep);
    const child = spawn(process.execPath, [...args, '--reporter', 'json', '--bail', tests], {
      stdio: ['ignore', 'pipe', 'inherit'],
      // A process group of its own, so that a test which hangs takes what it started with it.
      detached: true,
      env: { ...process.env, CTX_DIST: path.resolve(folder, 'dist') },
    });
    os.setPriority(child.pid, 10);
    const timer = setTimeout(() => {
      process.kill(-child.pid, 'SIGKILL');
      resolve(`no result within ${MAX_MS / 1000} s`);
    }, MAX_MS);
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
    child.once('close', (code) => {
      clearTimeout(timer);
      if (code === 0) return resolve(undefined);
      const at = out.search(/^\{$/m);
      const report = at === -1 ? undefined : JSON.parse(out.slice(at));
      return resolve(report?.failures[0]?.fullTitle ?? `mocha ended with exit code ${code}`);
    });
  });
}

/** What sees these patches: builds tests and, where they run it, the product with them. */
async function hunt(folder, set, { patches, tests = set.tests, grep }, retries = '0') {
  const plugins = [patched(patches)];
  try {
    await bundleTests(filesOf(tests), path.posix.join(folder, 'test'), plugins);
    if (set.products) await bundleProducts(path.posix.join(folder, 'dist'), plugins);
    return await firstFailure(folder, grep, retries);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** The names of the sets to take: all, or those after `--only`. Ends with a usage error (64) where there are no such. */
function chosenSets() {
  const all = fs
    .readdirSync('test/mutants')
    .map((file) => /^(.+)-mutants\.mjs$/.exec(file)?.[1])
    .filter((name) => name !== undefined);
  const [option, value, ...more] = process.argv.slice(2);
  if (option === undefined) return all;
  const only = (value ?? '').split(',');
  if (option === '--only' && more.length === 0 && only.every((name) => all.includes(name))) return only;
  console.error(`Usage: npm run test:mutants [-- --only <set>[,<set>]]\nSets: ${all.join(', ')}`);
  process.exit(64);
}

function loadSets() {
  return Promise.all(
    chosenSets().map(async (name) => ({
      name,
      ...(await import(pathToFileURL(path.resolve(`test/mutants/${name}-mutants.mjs`)).href)),
    })),
  );
}

fs.rmSync(OUT, { recursive: true, force: true });
const counts = { passed: 0, failed: 0 };
const queue = [];
for (const set of await loadSets()) {
  // Only tests that pass without any bug say something about bugs. Those of the built product take minutes, and have just
  // passed in `npm test`, which tries a test once more too.
  const healthy = set.products
    ? undefined
    : await hunt(path.posix.join(OUT, `${set.name}-0`), set, { patches: [] }, '1');
  if (healthy !== undefined) {
    console.log(`FAILED  mutants ${set.name}: without any bug this test fails: ${healthy}`);
    counts.failed += set.mutants.length;
    continue;
  }
  for (const [at, mutant] of set.mutants.entries()) {
    queue.push(async () => {
      const began = performance.now();
      const test = await hunt(path.posix.join(OUT, `${set.name}-${at + 1}`), set, mutant);
      counts[test === undefined ? 'failed' : 'passed'] += 1;
      const verdict = test === undefined ? 'SURVIVED ' : 'killed   ';
      const seconds = ((performance.now() - began) / 1_000).toFixed(0);
      console.log(
        `${verdict} ${set.name} ${mutant.name} (${seconds} s)${test === undefined ? '' : `\n          by: ${test}`}`,
      );
    });
  }
}
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await next();
  }),
);
fs.rmSync(OUT, { recursive: true, force: true });
console.log(`\n${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
