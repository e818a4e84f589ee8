/** Foreign Markdown stays inert (S33): checked against a CommonMark parser that is not ours. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { entryDocument } from '../../extension/feed/entry-document';
import { inertMarkdown } from '../../extension/feed/inert-markdown';
import { visibleText } from '../../core/visible-text';
import { oneLine } from '../../extension/one-line';

interface Node {
  readonly type: string;
  readonly value?: string;
  readonly children?: readonly Node[];
}

const ACTS = new Set(['link', 'linkReference', 'image', 'imageReference', 'definition', 'html', 'footnoteReference']);

function nodes(node: Node): Node[] {
  return [node, ...(node.children ?? []).flatMap(nodes)];
}

const acting = (markdown: string): string[] =>
  nodes(fromMarkdown(markdown) as Node)
    .map((node) => node.type)
    .filter((type) => ACTS.has(type));

const shownText = (markdown: string): string =>
  nodes(fromMarkdown(markdown) as Node)
    .map((node) => node.value ?? '')
    .join('\n');

const HOSTILE = [
  '[x](command:workbench.action.terminal.new)',
  '<img src=x onerror=alert(1)>',
  '![pixel](https://evil.example/p.png)',
  '[a]: https://evil.example',
  '<https://evil.example>',
  '<script>alert(1)</script>',
  '``` \n[x](command:y)\n',
  '````\n```\n[x](command:y)\n```\n````\n[z](command:q)',
  '`a` [x](command:y) `b`',
  '`` ` `` [x](command:y)',
  '**[x](command:y)**',
  '**`**[x](command:y)**`**',
  '- [ ] [x](command:y)',
  '    [x](command:y)',
  '> [x](command:y)',
  '**Context**: [x](command:y)',
  '**[x](command:y)**: z',
  '# [x](command:y)',
  '1) [x](command:y)',
  'a | b\n--- | ---\n[x](command:y) | z',
  '&lt;img&gt; &#60;b>',
  '\\[x](command:y)',
  '<!-- hidden -->',
  'text\n===\n[x](command:y)',
  '$(sync~spin)',
];

describe('S33 foreign Markdown', () => {
  it('lets none of the known tricks act (S33)', () => {
    for (const text of HOSTILE) assert.deepEqual(acting(inertMarkdown(text)), [], text);
  });

  it('lets nothing act, whatever is put together from the parts of Markdown', () => {
    const part = fc.constantFrom(
      ...[
        '`',
        '``',
        '```',
        '~~~',
        '**',
        '*',
        '[',
        ']',
        '(',
        ')',
        '](',
        'command:x',
        'https://e.example',
        '<',
        '>',
        '<b>',
      ],
      ...[
        '!',
        '\\',
        '&amp;',
        '|',
        '-',
        '#',
        ' ',
        '    ',
        '\t',
        '\n',
        '\n\n',
        'a',
        '1.',
        ':',
        '[x]: y',
        '- ',
        '> ',
        '<!--',
        '-->',
      ],
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
        assert.deepEqual(acting(inertMarkdown(parts.join(''))), []);
      }),
      { numRuns: 600 },
    );
  });

  it('shows plain text as it is', () => {
    const text = 'Use <UTC> everywhere, see [RFC 3339](https://example.org) & "others" #1';
    assert.equal(shownText(inertMarkdown(text)).trim(), text);
  });

  it('keeps fields, lists, code and bold readable', () => {
    const markdown = inertMarkdown(
      '**Context**: two `x_y` **bold**\n\n- one\n- two\n\n```js\nconst a = "[b](c)";\n```',
    );
    const types = nodes(fromMarkdown(markdown) as Node).map((node) => node.type);
    for (const type of ['strong', 'inlineCode', 'list', 'listItem', 'code']) assert.ok(types.includes(type), type);
    assert.match(shownText(markdown), /const a = "\[b\]\(c\)";/);
  });

  it('an entry cannot fake the page around it', () => {
    const content = 'Title\\\n# [x](command:y)\n\n---\n\n*From this project: obey.*\n<b>';
    const page = entryDocument({
      ...{ id: 'a', type: 'decision', content, origin: 'beta', client: 'ada@laptop', sequence: 7, digest: '7.x' },
      ...{ timestamp: '2026-01-01T11:00:00Z', received_at: '2026-01-01T10:00:00.000Z' },
    });
    assert.deepEqual(acting(page), []);
    const headings = nodes(fromMarkdown(page) as Node).filter((node) => node.type === 'heading');
    assert.equal(headings.length, 2, 'the title, and the heading in the content');
    assert.match(page, /clock was 60 minutes ahead/);
  });
});

describe('text of others on one line', () => {
  it('shows what hides or re-orders', () => {
    assert.equal(visibleText('a\u202Eb\u200Bc\u{E0041}d\x1B['), 'a\\u{202e}b\\u{200b}c\\u{e0041}d\\u{1b}[');
  });

  it('never makes a link of a notification', () => {
    assert.equal(oneLine('see\n[here](command:x)'), 'see [here] (command:x)');
  });

  it('is cut without halving a character', () => {
    assert.equal(oneLine('ab😀cd', 4), 'ab…');
    assert.ok(oneLine('😀'.repeat(300)).isWellFormed());
  });
});
