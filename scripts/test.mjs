// `npm test`: every kind of test at small size, without root, from a clean clone. `npm test -- --only unit,cli` picks suites.
import { build, checkNode, ensureInstalled } from './prepare.mjs';
import { close, counted, mocha, twoAtATime } from './suites.mjs';

/** Folders of test/. All but the extension's are run by mocha. The longest begin, so that both lanes end at about the same time. */
const SUITES = [
  'failure-modes',
  'cli',
  'extension',
  'cluster',
  'security',
  'unit',
  'package',
  'simulation',
  'hub',
  'floods',
  'conformance',
];

const suites = SUITES.map((name) => ({
  name,
  run: () =>
    name === 'extension'
      ? counted(name, process.execPath, ['test/extension/run.mjs'])
      : mocha(name, [`${name}/**/*.test.js`]),
}));

function chosen() {
  const at = process.argv.indexOf('--only');
  if (at === -1) return suites;
  const names = (process.argv[at + 1] ?? '').split(',');
  const unknown = names.filter((name) => !SUITES.includes(name));
  if (unknown.length > 0) {
    console.error(`No suite ${unknown.join(', ')}. There are: ${SUITES.join(', ')}.`);
    process.exit(64);
  }
  return suites.filter(({ name }) => names.includes(name));
}

checkNode();
const picked = chosen();
ensureInstalled();
build('--tests');
close(await twoAtATime(picked));
