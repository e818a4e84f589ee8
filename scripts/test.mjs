// `npm test`: every kind of test at small size, without root, from a clean clone. `npm test -- --only unit,cli` picks suites.
import fs from 'node:fs';
import path from 'node:path';
import { build, checkNode, ensureInstalled, root } from './prepare.mjs';
import { close, counted, mocha, twoAtATime } from './suites.mjs';

/** Folders of test/ that mocha runs. The longest begin, so that both lanes end at about the same time. */
const MOCHA_SUITES = [
  'failure-modes',
  'cli',
  'cluster',
  'unit',
  'security',
  'simulation',
  'package',
  'floods',
  'conformance',
  'hub',
];

function mochaSuite(name) {
  return {
    name,
    exists: fs.existsSync(path.join(root, 'test', name)),
    run: () => mocha(name, [`${name}/**/*.test.js`]),
  };
}

const suites = [
  ...MOCHA_SUITES.map(mochaSuite),
  {
    name: 'extension',
    exists: fs.existsSync(path.join(root, 'test/extension/run.mjs')),
    run: () => counted('extension', process.execPath, ['test/extension/run.mjs']),
  },
];

function chosen() {
  const at = process.argv.indexOf('--only');
  if (at === -1) return suites.filter((suite) => suite.exists);
  const names = (process.argv[at + 1] ?? '').split(',');
  const unknown = names.filter((name) => !suites.some((suite) => suite.name === name && suite.exists));
  if (unknown.length > 0) {
    console.error(
      `No suite ${unknown.join(', ')}. There are: ${suites
        .filter((s) => s.exists)
        .map((s) => s.name)
        .join(', ')}.`,
    );
    process.exit(64);
  }
  return suites.filter((suite) => names.includes(suite.name));
}

checkNode();
const picked = chosen();
ensureInstalled();
build('--tests');
close(await twoAtATime(picked));
