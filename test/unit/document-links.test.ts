/** Links between the documents lead to files, and to headings, that are there. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';

const PAGES = [
  ...fs.readdirSync('.', { encoding: 'utf8' }).filter((name) => name.endsWith('.md')),
  ...fs.readdirSync('docs', { encoding: 'utf8' }).map((name) => path.join('docs', name)),
];

/** As a forge names the anchors of headings. */
function anchorsOf(page: string): ReadonlySet<string> {
  const headings = [...fs.readFileSync(page, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading ?? '');
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .trim()
        .replaceAll(' ', '-'),
    ),
  );
}

function isBroken(page: string, file: string, anchor: string | undefined): boolean {
  const target = file === '' ? page : path.join(path.dirname(page), file);
  if (!fs.existsSync(target)) return true;
  return anchor !== undefined && !anchorsOf(target).has(anchor);
}

describe('links between the documents', () => {
  it('lead to files and headings that are there', () => {
    let count = 0;
    for (const page of PAGES) {
      for (const [link, file = '', anchor] of fs
        .readFileSync(page, 'utf8')
        .matchAll(/\]\(([^)#\s]*)(?:#([^)]*))?\)/g)) {
        if (/^[a-z]+:/.test(file)) continue;
        count++;
        assert.ok(!isBroken(page, file, anchor), `${page}: ${link}`);
      }
    }
    assert.ok(count > 20, `only ${count} links`);
  });
});
