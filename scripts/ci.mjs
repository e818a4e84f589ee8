// What `.ci/run` does: the README's test command, then what needs root, more time or more tools. Closes with the sum of all.
import { installMissing } from './debian.mjs';
import { build, checkNode, ensureInstalled, root } from './prepare.mjs';
import { beginReliability, figuresOf, reliabilityEnv, writeReliability } from './reliability.mjs';
import { check, close, counted, mocha } from './suites.mjs';

process.chdir(root);
checkNode();
/** What tests use where it is there; without one of them they say what was not run. */
const TOOLS = { jq: 'jq', cc: 'gcc', 'mkfs.ext4': 'e2fsprogs' };

const SEEDS = 'simulation, 50,000 seeds';
const CANARIES = 'canaries of the simulation';

const began = performance.now();
const unmet = installMissing(TOOLS, ['libc6-dev']);
if (unmet !== undefined) console.log(unmet);
beginReliability();
/** Counts by the name of what ran. */
const suites = {};
/** Runs one part; its counts go to the sum and to the figures. */
async function part(runner, name, ...how) {
  suites[name] = await runner(name, ...how);
}

await part(counted, 'npm test', 'npm', ['test', '--silent'], reliabilityEnv);
ensureInstalled();
// Cheap verdicts first, then the long runs.
for (const [name, script] of [
  ['types', 'types'],
  ['lint', 'lint'],
  ['format', 'format:check'],
  ['the tour', 'start'],
]) {
  await part(check, name, 'npm', ['run', '--silent', script]);
}
build('--tests');
const full = { CTX_TEST_SCALE: 'full', ...reliabilityEnv };
await part(mocha, 'simulation at full size', ['simulation/**/*.test.js', 'conformance/engine/**/*.test.js'], full);
const seeds = ['test/simulation/run.mjs', '--seeds', '50000', '--workers', '2'];
await part(counted, SEEDS, process.execPath, seeds);
await part(mocha, 'real file systems at full size', ['real-disks/**/*.test.js'], full);
await part(mocha, 'real clusters at full size', ['real-clusters/**/*.test.js'], full);
await part(mocha, 'floods at full size', ['floods/**/*.test.js'], full);
await part(counted, 'mutants', process.execPath, ['test/mutants/run.mjs']);
await part(counted, CANARIES, process.execPath, ['test/mutants/canaries.mjs']);
const oldest = ['test/extension/run.mjs', '--only', 'floor-host,floor-vsix'];
await part(counted, 'the oldest VS Code', process.execPath, oldest);

const figures = {
  'simulation-seeds': figuresOf(suites[SEEDS], 'seeds', 'held', 'violations'),
  mutants: figuresOf(suites.mutants, 'planted', 'killed', 'survived'),
  canaries: figuresOf(suites[CANARIES], 'looked_for', 'found', 'missed'),
};
console.log(`\nfigures: ${writeReliability('.ci/run', suites, figures)}`);
console.log(`\nall of it took ${((performance.now() - began) / 60_000).toFixed(1)} minutes`);
close(Object.values(suites));
