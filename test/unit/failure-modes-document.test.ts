/** docs/failure-modes.md and the tests say the same numbers: what is promised is shown, and what is shown is written down. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';

const DOCUMENT = fs.readFileSync('docs/failure-modes.md', 'utf8');

const rowsOf = (text: string): string[] => [...text.matchAll(/^\| (FM-\d\d) \|/gm)].map(([, number]) => number ?? '');

function testFiles(): string[] {
  return fs
    .readdirSync('test', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => path.join('test', name));
}

/** Numbers that a test's file name begins with, or that its text names as what it shows. */
function shownBy(): ReadonlyMap<string, readonly string[]> {
  const shown = new Map<string, string[]>();
  for (const file of testFiles()) {
    const named = [path.basename(file), fs.readFileSync(file, 'utf8')].join('\n').match(/\bFM-\d\d\b/g) ?? [];
    for (const number of new Set(named)) shown.set(number, [...(shown.get(number) ?? []), file]);
  }
  return shown;
}

describe('docs/failure-modes.md', () => {
  const rows = rowsOf(DOCUMENT);

  it('has each number once, in rising order within its table, with every cell filled', () => {
    assert.ok(rows.length > 40, `only ${rows.length} rows`);
    assert.equal(new Set(rows).size, rows.length);
    for (const line of DOCUMENT.split('\n').filter((each) => each.startsWith('| FM-'))) {
      const cells = line.split(/(?<!\\)\|/).slice(1, -1);
      assert.deepEqual([cells.length, cells.every((cell) => cell.trim() !== '')], [4, true], line);
    }
    for (const table of DOCUMENT.split('\n## ')) assert.deepEqual(rowsOf(table), rowsOf(table).toSorted());
  });

  it('every row is shown by a test', () => {
    const shown = shownBy();
    assert.deepEqual(
      rows.filter((number) => !shown.has(number)),
      [],
    );
  });

  it('every failure mode with a test file of its own has a row', () => {
    const own = testFiles().flatMap((file) => /^FM-\d\d/.exec(path.basename(file)) ?? []);
    assert.ok(own.length > 15);
    assert.deepEqual(
      own.filter((number) => !rows.includes(number)),
      [],
    );
  });

  it('every promise of the README names a test that is there', () => {
    const table = fs.readFileSync('README.md', 'utf8').split('## What it promises')[1]?.split('\n## ')[0] ?? '';
    const promises = table
      .split('\n')
      .filter((line) => line.startsWith('| '))
      .slice(2);
    assert.ok(promises.length > 5, table);
    const shown = shownBy();
    const security = fs.readdirSync('test/security', { encoding: 'utf8' });
    for (const line of promises) {
      const names = line.split('|').at(-2)?.trim().split(', ') ?? [];
      for (const name of names) {
        assert.match(name, /^(FM|S)-?\d\d$/, line);
        const isThere = name.startsWith('FM') ? shown.has(name) : security.some((file) => file.startsWith(name));
        assert.ok(isThere, line);
      }
    }
  });
});
