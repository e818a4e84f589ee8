// `npm run test:conformance`: every case under $RAFT_TESTDATA; closes with `N passed, N failed, N skipped`.
import { build, checkNode, ensureInstalled } from './prepare.mjs';
import { mocha } from './suites.mjs';

checkNode();
ensureInstalled();
build('--tests');
const { passed, failed, skipped } = await mocha('conformance', ['conformance/**/*.test.js']);
console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 ? 1 : 0;
