// What `.ci/run` does: the README's test command, then what needs root, more time or more tools. Closes with the sum of all.
import { installMissing } from './debian.mjs';
import { build, checkNode, ensureInstalled, root } from './prepare.mjs';
import { beginReliability, figuresOf, reliabilityEnv, writeReliability } from './reliability.mjs';
import { check, close, closingLine, counted, mocha, twoAtATime } from './suites.mjs';

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
const minutesSince = (start) => ((performance.now() - start) / 60_000).toFixed(1);
const ranFor = [];
/** Runs one part; its counts go to the sum and to the figures. */
async function part(runner, name, ...how) {
  const start = performance.now();
  suites[name] = await runner(name, ...how);
  ranFor.push(`${minutesSince(start).padStart(6)} min  ${name}: ${closingLine(suites[name])}`);
  return suites[name];
}
const partsTwoAtATime = (parts) =>
  twoAtATime(parts.map(([runner, name, ...how]) => ({ name, run: () => part(runner, name, ...how) })));

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
/** Of these each keeps one core busy at the most; the longest begin. */
await partsTwoAtATime([
  [mocha, 'simulation at full size', ['simulation/**/*.test.js', 'conformance/engine/**/*.test.js'], full],
  [counted, SEEDS, process.execPath, ['test/simulation/run.mjs', '--seeds', '50000']],
  [mocha, 'real file systems at full size', ['real-disks/**/*.test.js'], full],
  [mocha, 'floods at full size', ['floods/**/*.test.js'], full],
  [counted, CANARIES, process.execPath, ['test/mutants/canaries.mjs']],
  [counted, 'the oldest VS Code', process.execPath, ['test/extension/run.mjs', '--only', 'floor-host,floor-vsix']],
]);
// Alone: how long a cluster is without a leader is measured here.
await part(mocha, 'real clusters at full size', ['real-clusters/**/*.test.js'], full);
await part(counted, 'mutants', process.execPath, ['test/mutants/run.mjs']);

const figures = {
  'simulation-seeds': figuresOf(suites[SEEDS], 'seeds', 'held', 'violations'),
  mutants: figuresOf(suites.mutants, 'planted', 'killed', 'survived'),
  canaries: figuresOf(suites[CANARIES], 'looked_for', 'found', 'missed'),
};
console.log(`\nfigures: ${writeReliability('.ci/run', suites, figures)}`);
console.log(`\n${ranFor.join('\n')}\nall of it took ${minutesSince(began)} minutes`);
close(Object.values(suites));
