// `npm run test:canaries`: is the simulation blind? Every bug of the simulated driver, and every bug that can be put into the
// core, is looked for by directed scenarios and random seeds. The driver's must all be found, and 20 in all at the least; bugs
// of the core that only unit tests can see are said by name. `--seeds N` sets how long each is looked for.
import * as esbuild from 'esbuild';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { patched } from './patched.mjs';
import { mutants } from './raft-mutants.mjs';

const OUT = 'dist-test/canaries';
const ENOUGH = 20;
const at = process.argv.indexOf('--seeds');
const seeds = at === -1 ? 150 : Number(process.argv[at + 1]);

async function load(name, patches) {
  const outfile = path.posix.join(OUT, `${name}.js`);
  await esbuild.build({
    entryPoints: ['test/simulation/canary.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    logLevel: 'error',
    plugins: [patched(patches)],
  });
  return createRequire(import.meta.url)(path.resolve(outfile));
}

function report(name, found) {
  console.log(found === undefined ? `not seen  ${name}` : `caught    ${name}\n          by ${found.slice(0, 220)}`);
  return found !== undefined;
}

os.setPriority(15);
fs.rmSync(OUT, { recursive: true, force: true });
const healthy = await load('none', []);
const clean = healthy.huntFor(undefined, 20);
if (clean !== undefined) {
  console.log(`FAILED  canaries: without any bug: ${clean}`);
  process.exit(1);
}
let caught = 0;
let missed = 0;
for (const bug of healthy.DRIVER_BUGS) {
  if (report(`driver: ${bug}`, healthy.huntFor(bug, seeds))) caught += 1;
  else missed += 1;
}
const unseen = [];
for (const [number, { name, patches }] of mutants.entries()) {
  const { huntFor } = await load(`core-${number + 1}`, patches);
  if (report(`core: ${name}`, huntFor(undefined, seeds))) caught += 1;
  else unseen.push(name);
}
fs.rmSync(OUT, { recursive: true, force: true });
if (unseen.length > 0) console.log(`\nnot seen within ${seeds} seeds, only by unit tests: ${unseen.join('; ')}`);
const short = Math.max(0, ENOUGH - caught);
console.log(`\n${caught} passed, ${missed + short} failed`);
process.exitCode = missed + short === 0 ? 0 : 1;
