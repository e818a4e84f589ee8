// What `.ci/run` does: the README's test command, then what needs root, more time or more tools. Closes with the sum of all.
import { installMissing } from './debian.mjs';
import { build, checkNode, ensureInstalled, root } from './prepare.mjs';
import { check, close, counted, mocha } from './suites.mjs';

process.chdir(root);
checkNode();
/** What tests use where it is there; without one of them they say what was not run. */
const TOOLS = { jq: 'jq', cc: 'gcc', 'mkfs.ext4': 'e2fsprogs', ip: 'iproute2', nft: 'nftables', faketime: 'faketime' };

const began = performance.now();
const unmet = installMissing(TOOLS, ['libc6-dev']);
if (unmet !== undefined) console.log(unmet);
const counts = [];

counts.push(await counted('npm test', 'npm', ['test', '--silent']));
ensureInstalled();
// Cheap verdicts first, then the long runs.
for (const [name, script] of [
  ['types', 'types'],
  ['lint', 'lint'],
  ['format', 'format:check'],
  ['the tour', 'start'],
]) {
  counts.push(await check(name, 'npm', ['run', '--silent', script]));
}
build('--tests');
const full = { CTX_TEST_SCALE: 'full' };
counts.push(
  await mocha('simulation at full size', ['simulation/**/*.test.js', 'conformance/engine/**/*.test.js'], full),
);
counts.push(
  await counted('simulation, 50,000 seeds', process.execPath, [
    'test/simulation/run.mjs',
    '--seeds',
    '50000',
    '--workers',
    '2',
  ]),
);
counts.push(await mocha('real file systems at full size', ['real-disks/**/*.test.js'], full));
counts.push(await counted('mutants', process.execPath, ['test/mutants/run.mjs']));
counts.push(
  await counted('the oldest VS Code', process.execPath, ['test/extension/run.mjs', '--only', 'floor-host,floor-vsix']),
);

console.log(`\nall of it took ${((performance.now() - began) / 60_000).toFixed(1)} minutes`);
close(counts);
