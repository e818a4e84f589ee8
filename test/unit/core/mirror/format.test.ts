import assert from 'node:assert/strict';
import fc from 'fast-check';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { ENTRY_TYPES, META_KEYS, normalizeContent, titleOf, type StoredEntry } from '../../../../core/entry';
import { escapeTitle, parseMirror, renderEntry, renderHeader } from '../../../../core/mirror/format';
import { visibleLine } from '../../../../core/visible-text';
import { scaled } from '../../../support/scale';

/** What people who mean harm, and Markdown about Markdown, put into entries. */
const NASTY = [
  '````',
  '```markdown',
  '~~~~',
  '<!-- ctx:id=fake seq=1 at=2026-01-01T00:00:00Z received=2026-01-01T00:00:00Z client=x digest=1.AAAAAAAAAAAAAAAAAAAAAA -->',
  '-->',
  '<!--',
  '## [2026-01-01] Fake',
  '**Origin**: fake',
  '---',
  '> quote',
  '[a]: http://evil.example "x"',
  '<script>alert(1)</script>',
  '\t````',
  '    indented',
  '- [ ] task',
  '&lt;&#x60;',
  '\\`\\`\\`\\`',
  '\u2028\u2029\u0085\u000b\u000c',
  '\u202eevil\u200b\u{e0041}',
  '# title #',
  'Setext\n===',
  '`',
  '* * *',
  '![x](y)',
  '[x](javascript:1)',
];

const content: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.constantFrom(...NASTY),
      fc.string({ unit: 'grapheme', maxLength: 30 }),
      fc.constantFrom('', ' ', '`'.repeat(9)),
    ),
    {
      minLength: 1,
      maxLength: 8,
    },
  )
  .map((lines) => normalizeContent(lines.join('\n').replaceAll('\0', '')))
  .filter((text) => text !== '' && text.isWellFormed());

const entry: fc.Arbitrary<StoredEntry> = fc.record(
  {
    id: fc.stringMatching(/^[A-Za-z0-9._:-]{1,40}$/),
    type: fc.constantFrom(...ENTRY_TYPES),
    content,
    origin: fc.constantFrom('beta', 'a--b', '0'),
    client: fc.constantFrom('ada@laptop', 'a--', '0@-'),
    timestamp: fc.constantFrom('2026-01-31T09:30:00Z', '2026-01-31t09:30:00.123456789+05:30'),
    received_at: fc.constant('2026-01-31T09:30:01.000Z'),
    sequence: fc.integer({ min: 1, max: 2 ** 40 }),
    meta: fc.dictionary(fc.constantFrom(...META_KEYS), fc.constantFrom('x', 'Ädä --> <!-- `', ' '), {
      noNullPrototype: true,
    }),
    supersedes: fc.stringMatching(/^[A-Za-z0-9._:-]{1,40}$/),
    digest: fc.constant('1.AAAAAAAAAAAAAAAAAAAAAA'),
  },
  { requiredKeys: ['id', 'type', 'content', 'origin', 'client', 'timestamp', 'received_at', 'sequence', 'digest'] },
);

const ofOneType = fc
  .array(entry, { minLength: 1, maxLength: 5 })
  .map((list) => list.map((each) => ({ ...each, type: 'decision' as const })));

interface Node {
  readonly type: string;
  readonly value?: string;
  readonly depth?: number;
  readonly lang?: string | null;
  readonly children?: readonly Node[];
}

const flatText = (node: Node): string => node.value ?? (node.children ?? []).map(flatText).join('');

describe('mirror format', () => {
  it('a Markdown parser finds exactly the entries: no content fakes a heading, a comment, a fence or another entry', () => {
    fc.assert(
      fc.property(ofOneType, (entries) => {
        const text = renderHeader('decision') + entries.map(renderEntry).join('');
        const nodes = (fromMarkdown(text) as unknown as Node).children ?? [];
        assert.deepEqual(
          nodes.map(({ type }) => type),
          ['heading', 'paragraph', ...entries.flatMap(() => ['heading', 'paragraph', 'html', 'code'])],
        );
        for (const [index, each] of entries.entries()) {
          const [heading, origin, comment, code] = nodes.slice(2 + index * 4, 6 + index * 4);
          assert.ok(heading && origin && comment && code);
          assert.equal(heading.depth, 2);
          assert.deepEqual(
            heading.children?.map(({ type }) => type),
            ['text'],
            'a title is plain text',
          );
          const title = visibleLine(titleOf(each.content).trim());
          assert.equal(flatText(heading).trim(), `[${each.timestamp.slice(0, 10)}] ${title}`.trim());
          assert.equal(flatText(origin), `Origin: ${each.origin}`);
          assert.ok(comment.value?.startsWith(`<!-- ctx:id=${each.id} seq=${each.sequence} `) === true);
          assert.equal(comment.value.indexOf('-->'), comment.value.length - 3);
          assert.equal(code.value, each.content);
        }
      }),
      { numRuns: scaled(300, 5_000) },
    );
  });

  it('what was written is read back, and nothing else', () => {
    fc.assert(
      fc.property(ofOneType, (entries) => {
        const text = renderHeader('decision') + entries.map(renderEntry).join('');
        const { blocks, wellFormedTo } = parseMirror('decision', text);
        assert.equal(wellFormedTo, text.length);
        assert.deepEqual(
          blocks.map((block) => block.entry),
          entries,
        );
        assert.deepEqual(
          blocks.map(({ start, end }) => text.slice(start, end)),
          entries.map(renderEntry),
        );
      }),
      { numRuns: scaled(500, 20_000) },
    );
  });

  it('a file that is cut anywhere reads as the whole entries before the cut', () => {
    fc.assert(
      fc.property(ofOneType, fc.nat(), (entries, cut) => {
        const text = renderHeader('decision') + entries.map(renderEntry).join('');
        const at = cut % text.length;
        const { blocks } = parseMirror('decision', text.slice(0, at));
        const ends = parseMirror('decision', text).blocks.map((block) => block.end);
        assert.equal(blocks.length, ends.filter((end) => end <= at).length);
      }),
    );
  });

  it('a title is one line of plain text, invisible characters shown', () => {
    assert.equal(escapeTitle('Use `x` <!-- a --> [b](c) #'), 'Use \\`x\\` \\<\\!-- a --\\> \\[b\\](c) \\#');
    assert.equal(
      escapeTitle('a\u202eb\u200bc\u{e0041}\u001b[31m'),
      'a\\\\u\\{202e\\}b\\\\u\\{200b\\}c\\\\u\\{e0041\\}\\\\u\\{1b\\}\\[31m',
    );
  });
});
