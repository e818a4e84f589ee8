// What `.ci/run` does: the README's test command, then what needs root, more time or more tools. Closes with the sum of all.
import { checkNode, ensureInstalled, root } from './prepare.mjs';
import { check, closingLine, counted, total } from './suites.mjs';

process.chdir(root);
checkNode();
const began = performance.now();
const counts = [];

counts.push(await counted('npm test', 'npm', ['test', '--silent']));
ensureInstalled();
counts.push(await check('types', 'npm', ['run', '--silent', 'types']));
counts.push(await check('lint', 'npm', ['run', '--silent', 'lint']));
counts.push(await check('format', 'npm', ['run', '--silent', 'format:check']));
counts.push(await check('npm start', 'npm', ['start', '--silent']));

const sum = total(counts);
console.log(`\nall of it took ${((performance.now() - began) / 60_000).toFixed(1)} minutes`);
console.log(closingLine(sum));
process.exitCode = sum.failed > 0 || sum.passed === 0 ? 1 : 0;
