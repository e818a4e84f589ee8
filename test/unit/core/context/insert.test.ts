/** Adding an entry is one splice: every other byte of the file stays, and the file says the same as before and one thing more. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { applySplice, insertEntry } from '../../../../core/context/insert';
import type { Draft } from '../../../../core/context/model';
import { parseContext } from '../../../../core/context/parse';
import { templateOf } from '../../../../core/context/template';
import { ENTRY_TYPES, type EntryType } from '../../../../core/entry';
import { fixtures, withSamples, type SampleFile } from '../../../support/samples';

const FIELDS: Readonly<Record<EntryType, Record<string, string>>> = {
  decision: { context: 'Why now', rationale: 'Because', consequence: '- one\n- two' },
  learning: { context: 'What was', lesson: 'What is', application: 'What to do' },
  convention: {},
  task: {},
};

function draft(type: EntryType, more: Partial<Draft> = {}): Draft {
  const date = '2026-06-01-120000';
  return { type, id: '0197-new', title: 'A new entry', date, fields: FIELDS[type], ...more };
}

const add = (text: string, entry: Draft): string => applySplice(text, insertEntry(text, entry));

/** The promise itself, checked byte by byte. */
function checkSplice(text: string, entry: Draft, name: string): void {
  const splice = insertEntry(text, entry);
  const next = applySplice(text, splice);
  const { start, end } = splice.span;
  assert.equal(start, end, `${name}: something is replaced`);
  const bytes = Buffer.from(next);
  const head = Buffer.from(text.slice(0, start));
  const tail = Buffer.from(text.slice(start));
  assert.ok(bytes.subarray(0, head.length).equals(head), `${name}: bytes before the place changed`);
  assert.ok(bytes.subarray(bytes.length - tail.length).equals(tail), `${name}: bytes after the place changed`);

  const before = parseContext(entry.type, text).entries;
  const after = parseContext(entry.type, next).entries;
  const added = after.filter(({ id }) => id === entry.id);
  assert.equal(added.length, 1, `${name}: not exactly once`);
  assert.equal(added[0]?.title, entry.title);
  const plain = (each: (typeof after)[number]): unknown[] => [
    each.title,
    each.content,
    each.section,
    each.date,
    each.id,
  ];
  assert.deepEqual(
    after.filter(({ id }) => id !== entry.id).map(plain),
    before.map(plain),
    `${name}: other entries changed`,
  );

  const eol = /\r\n|\n|\r/.exec(text)?.[0] ?? '\n';
  const inserted = splice.text.replaceAll(eol, '');
  assert.ok(!/[\r\n]/.test(inserted), `${name}: foreign line ends`);
  if (text !== '') assert.equal(/[\r\n]$/.test(next), /[\r\n]$/.test(text), `${name}: the final line end`);
}

const VARIANTS: readonly (readonly [string, (text: string) => string])[] = [
  ['as it is', (text) => text],
  ['CRLF', (text) => text.replaceAll('\n', '\r\n')],
  ['CR', (text) => text.replaceAll('\n', '\r')],
  ['byte order mark', (text) => `\uFEFF${text}`],
  ['byte order mark and CRLF', (text) => `\uFEFF${text.replaceAll('\n', '\r\n')}`],
  ['no final line end', (text) => text.trimEnd()],
  ['many final line ends', (text) => `${text}\n\n\n`],
  ['white space at the end', (text) => `${text}\n  \t`],
];

function checkAll(files: readonly SampleFile[]): void {
  for (const { name, type, text } of files) {
    const sections = [
      undefined,
      'A section that is not there',
      ...parseContext(type, text).sections.map(({ title }) => title),
    ];
    const usable = sections.filter((title) => title !== 'Themes' && title !== '');
    const wanted = type === 'task' || type === 'convention' ? usable : [undefined];
    for (const [variant, change] of VARIANTS) {
      for (const section of new Set(wanted)) {
        checkSplice(change(text), draft(type, { section }), `${name}, ${variant}, ${section ?? 'no section'}`);
      }
    }
  }
}

describe('insertEntry', () => {
  it('changes only the place of insertion, in every fixture and every variant of it', () => checkAll(fixtures()));

  withSamples('changes only the place of insertion, in every variant', (files) => {
    // All sections of a long file would take minutes and say nothing new.
    checkAll(files.filter(({ text }) => text.length < 100_000));
    for (const { name, type, text } of files.filter(({ text: long }) => long.length >= 100_000)) {
      for (const section of [undefined, 'Misc', 'Future', 'Phase 0 Grounding', 'Brand new']) {
        checkSplice(text, draft(type, { section }), `${name}, ${section ?? 'no section'}`);
      }
    }
  });

  it('puts decisions and learnings first, with a rule between', () => {
    const before = '# Decisions\n\n## [2026-01-01] Old\n\ntext\n';
    assert.equal(
      add(before, draft('learning')),
      '# Decisions\n\n## [2026-06-01-120000] A new entry\n\n<!-- ctx:id=0197-new -->\n\n**Context**: What was\n\n' +
        '**Lesson**: What is\n\n**Application**: What to do\n\n---\n\n## [2026-01-01] Old\n\ntext\n',
    );
  });

  it('fills in what a decision decided and its status', () => {
    assert.equal(
      add('', draft('decision')),
      '## [2026-06-01-120000] A new entry\n\n<!-- ctx:id=0197-new -->\n\n**Status**: Accepted\n\n**Context**: Why now\n\n' +
        '**Decision**: A new entry\n\n**Rationale**: Because\n\n**Consequence**:\n- one\n- two\n',
    );
  });

  it('goes above the first section when there is no entry yet, and after the template when there is nothing', () => {
    const themes = '# Decisions\n\n## Themes\n\n- a\n';
    assert.match(add(themes, draft('decision')), /^# Decisions\n\n## \[2026[^]*- two\n\n---\n\n## Themes\n\n- a\n$/);
    for (const type of ENTRY_TYPES) {
      const text = templateOf(type);
      checkSplice(text, draft(type), type);
      assert.ok(add(text, draft(type)).startsWith(text), type);
    }
  });

  it('puts list items after the last one of their section, in its style', () => {
    const conventions = '# C\n\n## A\n\n- a1\n- a2\n  - nested\n\n### Sub\n\n- s1\n\n## B\n\n* b1\n\n* b2\n\nprose\n';
    const id = ' <!-- ctx:id=0197-new -->';
    assert.ok(
      add(conventions, draft('convention', { section: 'a' })).includes(`  - nested\n- A new entry${id}\n\n### Sub`),
    );
    assert.ok(add(conventions, draft('convention', { section: 'Sub' })).includes(`- s1\n- A new entry${id}\n\n## B`));
    assert.ok(add(conventions, draft('convention', { section: 'B' })).includes(`* b2\n\n* A new entry${id}\n\nprose`));
  });

  it('makes a missing section: above the themes, else at the end', () => {
    const id = ' <!-- ctx:id=0197-new -->';
    assert.equal(
      add('# C\n\n## Themes\n\n- x\n', draft('convention', { section: 'New' })),
      `# C\n\n## New\n\n- A new entry${id}\n\n## Themes\n\n- x\n`,
    );
    assert.equal(
      add('# T\n\n## Now\n\n- [ ] x', draft('task', { section: 'New', priority: 'high' })),
      `# T\n\n## Now\n\n- [ ] x\n\n### New\n\n- [ ] A new entry #priority:high #added:2026-06-01-120000${id}`,
    );
  });

  it('uses an empty section, below its introduction and above a closing rule', () => {
    const text = '# T\n\n### Empty\n\nintro\n\n---\n\n### Next\n';
    assert.match(
      add(text, draft('task', { section: 'Empty' })),
      /intro\n\n- \[ \] A new entry .*\n\n---\n\n### Next\n$/,
    );
    assert.match(add(text, draft('task', { section: 'Next' })), /### Next\n\n- \[ \] A new entry .* -->\n$/);
  });

  it('indents further paragraphs of a list item', () => {
    const text = add('# C\n', draft('convention', { body: 'More.\n\n```\ncode\n```' }));
    assert.match(text, /- A new entry <!-- ctx:id=0197-new -->\n\n {2}More\.\n\n {2}```\n {2}code\n {2}```\n$/);
    assert.equal(parseContext('convention', text).entries[0]?.content, 'A new entry\n\nMore.\n\n```\ncode\n```');
  });

  it('refuses to write where nobody would see it', () => {
    const hidden = (text: string): void => {
      assert.throws(() => insertEntry(text, draft('decision')), { code: 'bad_data', message: /Line 3 .*never ends/ });
    };
    hidden('# D\n\n<!-- never closed\n');
    hidden('# D\n\n```\ncode\n');
    assert.throws(() => insertEntry('# T\n', draft('task', { section: 'themes' })), { code: 'invalid' });
  });

  it('never lands inside a comment, code or a managed block, whatever the document', () => {
    const LINES = [
      '',
      '',
      '# T',
      '## A',
      '### A',
      '## Themes',
      '- [ ] x #t',
      '- x',
      '  - y',
      'text',
      '---',
      '<!--',
      '-->',
      '```',
      '> q',
      '<!-- INDEX:START -->',
      '<!-- INDEX:END -->',
      '## [2026-01-01] e',
      '<div>',
      '    code',
      '1. n',
      '* s',
      '\t- tab',
    ];
    const document = fc.array(fc.constantFrom(...LINES), { maxLength: 14 }).map((lines) => lines.join('\n'));
    const section = fc.constantFrom(undefined, 'A', 'B');
    fc.assert(
      fc.property(document, fc.constantFrom(...ENTRY_TYPES), section, (text, type, where) => {
        const bullets = type === 'task' || type === 'convention';
        try {
          checkSplice(text, draft(type, bullets ? { section: where } : {}), JSON.stringify(text));
        } catch (error) {
          // Refusing is right where the end of the file lies in something that never ends.
          if ((error as { code?: string }).code !== 'bad_data') throw error;
        }
      }),
      { numRuns: 1_500 },
    );
  });
});
