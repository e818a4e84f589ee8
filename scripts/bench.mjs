// `npm run bench [-- --only publish,fanout,… --quick]`: the bench from a clean clone. What it measures: docs/performance.md.
import { build, checkNode, ensureInstalled, runOrEnd } from './prepare.mjs';

checkNode();
ensureInstalled();
build('--bench');
runOrEnd(process.execPath, ['dist-test/bench/main.js', ...process.argv.slice(2)]);
