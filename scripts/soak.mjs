// `npm run soak -- --hours N` (or `--minutes N`): the reliability plan in rounds until the time is over: seeds of the simulation that
// never ran before, kills, power cuts and I/O errors of real hubs, scenarios and failovers of real clusters. Ends after the
// round that fails; the figures of all rounds go to test-output/reliability.json. As root, on Linux; else parts are not run.
import fs from 'node:fs';
import path from 'node:path';
import { build, checkNode, ensureInstalled, root } from './prepare.mjs';
import { beginReliability, figuresOf, reliabilityEnv, writeReliability } from './reliability.mjs';
import { close, counted, mocha } from './suites.mjs';

const SIMULATION = 'simulation seeds';
const SEEDS_EACH_ROUND = 20_000;
/** Of the simulation's seeds: those below this belong to continuous integration; all are of 32 bits. */
const FIRST_SEED = 1_000_000;

function milliseconds(args) {
  const value = (name) => {
    const at = args.indexOf(`--${name}`);
    return at === -1 ? 0 : Number(args[at + 1]);
  };
  const total = value('hours') * 3_600_000 + value('minutes') * 60_000;
  if (total > 0) return total;
  console.error('Say how long: npm run soak -- --hours 8, or --minutes 10 for a trial.');
  process.exit(64);
}

/** Short trials begin with what is quick, so that every stage has its turn. */
function stages(round, isTrial) {
  const seeds = isTrial ? 2_000 : SEEDS_EACH_ROUND;
  // The clock chooses: another round, another day, other seeds.
  const from = FIRST_SEED + (Math.floor(Date.now() / 1000) % 4_000_000) * 1_000;
  const env = { ...reliabilityEnv, ...(isTrial ? {} : { CTX_TEST_SCALE: 'full' }) };
  const simulation = ['test/simulation/run.mjs', '--from', String(from), '--seeds', String(seeds), '--workers', '2'];
  return [
    [SIMULATION, (name) => counted(name, process.execPath, simulation)],
    ['kills, power cuts, full disks, I/O errors', (name) => mocha(name, ['real-disks/**/*.test.js'], env)],
    ['failovers of real clusters', (name) => mocha(name, ['real-clusters/failover-times.test.js'], env)],
    ['scenarios of real clusters', (name) => mocha(name, ['real-clusters/scenarios.test.js'], env)],
  ].map(([name, run]) => [name, () => run(`round ${round}: ${name}`)]);
}

/** Adds up the counts of what tests noted: a later round writes its notes anew. */
function keepNotes(sums) {
  const folder = reliabilityEnv.CTX_RELIABILITY;
  for (const file of fs.readdirSync(folder)) {
    const noted = JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8'));
    const sum = (sums[file] ??= {});
    for (const [name, value] of Object.entries(noted)) {
      // Measured times are those of the worst round.
      sum[name] = name.endsWith('_ms') ? Math.max(sum[name] ?? 0, value) : (sum[name] ?? 0) + value;
    }
    fs.rmSync(path.join(folder, file));
  }
}

process.chdir(root);
checkNode();
const lastMs = milliseconds(process.argv.slice(2));
const end = performance.now() + lastMs;
ensureInstalled();
build('--tests');
beginReliability();
const suites = {};
const sums = {};
let failed = false;
for (let round = 1; !failed && performance.now() < end; round++) {
  for (const [name, run] of stages(round, lastMs < 3_600_000)) {
    if (failed || performance.now() >= end) break;
    const counts = await run();
    const before = suites[name] ?? { rounds: 0, passed: 0, failed: 0, skipped: 0 };
    suites[name] = {
      rounds: before.rounds + 1,
      passed: before.passed + counts.passed,
      failed: before.failed + counts.failed,
      skipped: before.skipped + counts.skipped,
    };
    keepNotes(sums);
    failed = counts.failed > 0;
  }
}
for (const [file, sum] of Object.entries(sums)) {
  fs.writeFileSync(path.join(reliabilityEnv.CTX_RELIABILITY, file), JSON.stringify(sum));
}
const figures = { 'simulation-seeds': figuresOf(suites[SIMULATION], 'seeds', 'held', 'violations') };
console.log(`\n${writeReliability('npm run soak', suites, figures)}:`);
console.table(suites);
console.log(JSON.stringify(sums, undefined, 2));
close(Object.values(suites));
