import assert from 'node:assert/strict';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { parseContext } from '../../../../core/context/parse';
import type { ContextDocument } from '../../../../core/context/model';
import type { EntryType } from '../../../../core/entry';
import { fixtures, withSamples, type SampleFile } from '../../../support/samples';

function fixture(name: string): { text: string; document: ContextDocument } {
  const file = fixtures().find((each) => each.name === name);
  assert.ok(file);
  return { text: file.text, document: parseContext(file.type, file.text) };
}

const titles = (document: ContextDocument): string[] => document.entries.map(({ title }) => title);
const one = (type: EntryType, text: string): ContextDocument['entries'][number] => {
  const [entry, ...more] = parseContext(type, text).entries;
  assert.ok(entry);
  assert.deepEqual(more, []);
  return entry;
};

describe('parseContext', () => {
  it('finds decisions, and none in comments, code, quotes, lists, indexes and smaller headings', () => {
    const { document } = fixture('DECISIONS.md');
    assert.deepEqual(titles(document), [
      'Ship one archive per platform',
      'Same second, another decision #2',
      'Short date',
      'Last before the themes',
    ]);
    assert.deepEqual(
      document.entries.map(({ date }) => date),
      ['2026-03-04-101500', '2026-03-04-101500', '2026-02-28', '2026-01-08-080000'],
    );
    assert.deepEqual(
      document.sections.map(({ title, level }) => `${level} ${title}`),
      ['3 [2026-02-27] A smaller heading belongs to the entry above', '2 Group: older ones', '2 Themes'],
    );
  });

  it('reads fields in both spellings, with lists and code in their values, and none from code or quotes', () => {
    const [first, second, third, last] = fixture('DECISIONS.md').document.entries;
    assert.deepEqual(
      first?.fields.map(({ name }) => name),
      ['Status', 'Context', 'Decision', 'Rationale', 'Consequence'],
    );
    assert.match(first.fields[1]?.value ?? '', /^Three archives[^]*not a field\n```$/);
    assert.deepEqual(
      second?.fields.map(({ name, value }) => `${name}=${value.slice(0, 9)}`),
      ['Status=Accepted', 'Context=Written b', 'Rationale=It works.', 'Consequences=Plural on'],
    );
    assert.equal(third?.fields[0]?.name, 'Context');
    assert.equal(third.fields[0].value, 'Colon inside the stars.');
    assert.equal(last?.fields[2]?.value, 'A rule follows without a blank line.');
  });

  it('gives each entry its exact place', () => {
    for (const { type, text } of fixtures()) {
      for (const { span, titleSpan, fields, title } of parseContext(type, text).entries) {
        assert.match(text.slice(span.start, span.start + 4), /^(?:## \[|[-*+] )/);
        assert.ok(span.start === 0 || text[span.start - 1] === '\n');
        assert.ok(span.start <= titleSpan.start && titleSpan.end <= span.end);
        assert.doesNotMatch(text.slice(span.start, span.end), /[\s]$|\n---$/);
        assert.ok(text.slice(titleSpan.start, titleSpan.end).includes(title.split(' ')[0] ?? ''));
        for (const field of fields) assert.ok(text.slice(field.span.start).startsWith('**'));
      }
    }
  });

  it('makes content without date, id, separator; decisions keep their paragraphs as they are', () => {
    const [, second, , last] = fixture('DECISIONS.md').document.entries;
    assert.equal(second?.id, '0195e0aa-0000-7000-8000-000000000001');
    assert.equal(
      second.content,
      'Same second, another decision #2\n\n**Status**: Accepted\n' +
        '**Context**: Written by a tool, fields without blank lines.\n**Rationale**: It works.\n' +
        '**Consequences**: Plural on purpose.\n\n> ## [2026-02-02] Quoted, not an entry\n> **Context**: quoted',
    );
    assert.doesNotMatch(last?.content ?? '', /---/);
  });

  it('ends raw HTML at its blank line, as Markdown does', () => {
    assert.deepEqual(titles(fixture('LEARNINGS.md').document), [
      'A lock file is not a lock',
      '`details` ends at a blank line',
      'After the blank line it is one',
    ]);
  });

  it('finds conventions under their sections; nested items belong to their parent', () => {
    const { document } = fixture('CONVENTIONS.md');
    assert.deepEqual(
      document.entries.map(({ section, title }) => `${section ?? '-'} | ${title}`),
      [
        '- | before any section',
        'Naming | Files are kebab-case',
        'Naming | Units come last: `timeoutMs` and not `msTimeout`',
        'Naming | [ ] looks like a task, is a convention',
        'Naming | A star starts a list of its own',
        'Constants | UPPER_CASE',
        'Tests | Wait for a condition, never for time with a tab before this line',
      ],
    );
    assert.equal(
      document.entries[2]?.content,
      'Units come last: `timeoutMs` and not `msTimeout`\n\n' +
        'A second paragraph of the same item.\n\n- a nested item\n  - deeper',
    );
    assert.equal(document.entries[5]?.id, '0195e0aa-0000-7000-8000-000000000002');
  });

  it('finds tasks with state, tags (wrapped ones too) and date; words of sentences are no tags', () => {
    const { entries } = fixture('TASKS.md').document;
    assert.deepEqual(
      entries.map(({ state, section, title }) => `${state ?? ''} | ${section ?? ''} | ${title}`),
      [
        'open | Phase 0 | Write the list of things that nobody has written down so far',
        'done | Phase 0 | Done at once',
        'open | Phase 1: Repairs `#added:2026-05-01` | Reindex topics in folders (grouped ones blank the TOP: ' +
          'LIST block) Shipped: it now descends. See issue #12 and the `#label word` span.',
        'skipped | Phase 1: Repairs `#added:2026-05-01` | Use #hashtags in prose, skipped (nobody asked)',
        'done | Phase 1: Repairs `#added:2026-05-01` | Capital mark',
        'open | Phase 1: Repairs `#added:2026-05-01` | Star bullet',
        'open | Deeper | Right below its heading',
        'open | Deeper | Mentions `<!-- ctx:id=not-an-id -->`',
        'open | Later | Last line without a line end',
      ],
    );
    const reindex = entries[2];
    assert.deepEqual(reindex?.tags, [
      'priority:medium',
      'branch:fix/nested-topics',
      'commit:abc1234',
      'added:2026-05-02-090000',
      'urgent',
      'pr:77',
    ]);
    assert.equal(reindex.date, '2026-05-02-090000');
    assert.match(
      reindex.content,
      /\n\n {2}- Problem: [^]*\n {2}- \[ \] nested, belongs to its parent\n {2}- Fix: descend\.$/,
    );
    assert.equal(entries[3]?.tags.join(), 'wontfix');
    assert.equal(entries[6]?.id, '0195e0aa-0000-7000-8000-000000000003');
    assert.equal(entries[7]?.id, undefined);
  });

  it('keeps archived entries whole: many blank lines, plural names, no fields, a day that is none', () => {
    const { document } = fixture('decisions-archive.md');
    assert.deepEqual(titles(document), [
      'Keep the journal in one file',
      'Two words only',
      'A month that does not exist',
    ]);
    assert.equal(document.entries[1]?.content, 'Two words only\n\nFree text without any field.\n\n1. Save\n2. Stop');
    assert.equal(document.entries[2]?.date, undefined);
  });

  it('reads CRLF and a byte order mark as the same entries with the same content', () => {
    for (const { name, type, text } of fixtures()) {
      const plain = parseContext(type, text).entries.map(({ content, id, date }) => ({ content, id, date }));
      for (const variant of [text.replaceAll('\n', '\r\n'), `\uFEFF${text}`, text.replaceAll('\n', '\r')]) {
        const read = parseContext(type, variant).entries.map(({ content, id, date }) => ({ content, id, date }));
        assert.deepEqual(read, plain, name);
      }
    }
  });

  it('takes the id from a comment of its own, never from a span, a sentence or the middle of a line', () => {
    assert.equal(one('task', '- [ ] a <!-- ctx:id=i1 -->').id, 'i1');
    assert.equal(one('task', '- [ ] a `<!-- ctx:id=i1 -->`').id, undefined);
    assert.equal(one('task', '- [ ] a <!-- ctx:id=i1 --> b').id, undefined);
    assert.equal(one('convention', '- a\n  more <!-- ctx:id=i2 -->\n').id, 'i2');
    assert.equal(one('decision', '## [2026-01-01] a <!-- ctx:id=i3 -->\n').id, 'i3');
    assert.equal(one('decision', '## [2026-01-01] a\n\nfoo <!-- ctx:id=i3 -->\n').id, undefined);
    assert.equal(one('decision', '## [2026-01-01] a\n\n```\n<!-- ctx:id=i3 -->\n```\n').id, undefined);
    assert.equal(one('decision', '## [2026-01-01] a\n\n<!-- ctx:id=i4 -->\n\n<!-- ctx:id=i5 -->\n').id, 'i4');
  });

  it('sees nothing behind an unclosed comment or fence', () => {
    assert.deepEqual(parseContext('decision', '<!--\n## [2026-01-01] a\n').entries, []);
    assert.deepEqual(parseContext('decision', '```\n## [2026-01-01] a\n').entries, []);
  });

  /** Every top-level dated heading and every top-level checkbox that a full Markdown parser sees, and no other. */
  function expectedCount({ type, text }: SampleFile): number {
    const top = fromMarkdown(text).children;
    const slice = (node: (typeof top)[number]): string =>
      text.slice(node.position?.start.offset ?? 0, node.position?.end.offset ?? 0);
    if (type === 'decision' || type === 'learning') {
      return top.filter((node) => node.type === 'heading' && node.depth === 2 && slice(node).startsWith('## [20'))
        .length;
    }
    if (type === 'convention') return 0;
    return top
      .flatMap((node) => (node.type === 'list' && node.ordered !== true ? node.children : []))
      .filter((item) => /^[-*+] +\[[ xX-]\]/.test(text.slice(item.position?.start.offset ?? 0))).length;
  }

  withSamples('finds the right entries', (files) => {
    for (const file of files) {
      const { entries } = parseContext(file.type, file.text);
      assert.equal(entries.length, expectedCount(file), file.name);
      for (const { content, title } of entries) {
        assert.ok(title.length > 0 && content.startsWith(title));
        assert.doesNotMatch(title, /(?:^|\s)#(?:added|priority):/);
      }
    }
  });

  it('is not slowed down by hostile text', () => {
    const hostile = [
      '`'.repeat(1000) + ' #a:b '.repeat(20_000),
      '- [ ] ' + '` '.repeat(50_000) + '#x',
      '> '.repeat(2_000) + 'x',
      '* '.repeat(2_000) + 'x',
      '<!-- '.repeat(20_000),
      '**' + 'a'.repeat(100_000) + '**:',
      '## [2026-01-01] ' + '# '.repeat(50_000),
      '- [ ] ' + '#t '.repeat(50_000),
      '\n---'.repeat(50_000),
      '[x]: '.repeat(20_000),
      '<a ' + 'b="c" '.repeat(20_000),
      ' '.repeat(100_000) + '\n---',
      '- \n'.repeat(30_000),
      '* * '.repeat(20_000) + 'x',
      '> '.repeat(500) + 'x\n' + ('> '.repeat(499) + 'y\n').repeat(300),
      '## [2026-01-01] a\n'.repeat(20_000),
      '- [ ] a\n'.repeat(30_000),
      '`'.repeat(50_000) + 'a`',
    ];
    for (const text of hostile) {
      for (const type of ['decision', 'task'] as const) {
        const before = process.cpuUsage();
        parseContext(type, text);
        parseContext(type, `## [2026-01-01] t\n\n- [ ] t\n\n${text}\n`);
        // Processor time, not time: a bound against quadratic work that a busy machine does not touch.
        const { user } = process.cpuUsage(before);
        assert.ok(user < 5_000_000, `${type} ${text.slice(0, 20)}: ${user} µs`);
      }
    }
  });
});
