import assert from 'node:assert/strict';
import fc from 'fast-check';
import { checkDraft, cleanDraft, textOfContent, titleAsRead } from '../../../../core/context/draft';
import { fieldKey, isPlaceholder, REQUIRED_FIELDS } from '../../../../core/context/fields';
import { applySplice, insertEntry } from '../../../../core/context/insert';
import type { Draft } from '../../../../core/context/model';
import { parseContext } from '../../../../core/context/parse';
import { checkContent, ENTRY_TYPES, type EntryType } from '../../../../core/entry';
import { HubError } from '../../../../core/errors';

function draft(type: EntryType, more: Partial<Draft> = {}): Draft {
  const fields = Object.fromEntries(REQUIRED_FIELDS[type].map((field) => [field, `About ${field}`]));
  return { type, id: 'id-1', title: 'A title', date: '2026-06-01-120000', fields, ...more };
}

const check = (wanted: Draft): void => checkDraft(cleanDraft(wanted), (field) => `--${field}`);
const refused = (wanted: Draft, message: RegExp): void => {
  assert.throws(
    () => check(wanted),
    (error: unknown) => {
      assert.ok(error instanceof HubError && error.code === 'invalid');
      assert.match(error.message, message);
      return true;
    },
  );
};

describe('drafts', () => {
  it('need every required field, named as the caller names it', () => {
    for (const type of ENTRY_TYPES) check(draft(type));
    for (const type of ['decision', 'learning'] as const) {
      for (const field of REQUIRED_FIELDS[type]) {
        const fields = Object.fromEntries(Object.entries(draft(type).fields).filter(([name]) => name !== field));
        refused(draft(type, { fields }), new RegExp(`--${field}`));
        refused(draft(type, { fields: { ...fields, [field]: ' \n ' } }), new RegExp(`--${field}`));
      }
    }
    refused(draft('decision', { fields: {} }), /--context, --rationale, --consequence/);
  });

  it('take no placeholder for an answer', () => {
    const empty = [
      'TBD',
      'tbd.',
      'n/a',
      'N/A!',
      'na',
      'todo',
      'TODO:',
      '...',
      '…',
      '-',
      '--',
      '???',
      'none',
      'None.',
      'null',
      'x',
      'XXX',
      'pending',
      '[why]',
      '<context>',
      '{{rationale}}',
      '**TBD**',
      '`todo`',
      '_n/a_',
      'to be determined',
      'fill in',
      ' . ',
    ];
    for (const value of empty) {
      assert.ok(isPlaceholder(value), value);
      refused(draft('decision', { fields: { ...draft('decision').fields, rationale: value } }), /--rationale/);
      refused(draft('task', { title: value }), /title/);
    }
    const meant = [
      'No',
      'N/A is what the API answers',
      'TBD was left in the docs',
      '42',
      '[link](x)',
      'a',
      '[x] and [y]',
      'nö',
      '不要',
    ];
    for (const value of meant) assert.ok(!isPlaceholder(value), value);
  });

  it('cannot end their entry or hide what follows', () => {
    const within = (value: string): Draft =>
      draft('decision', { fields: { ...draft('decision').fields, context: value } });
    refused(within('a\n## [2026-01-01] Another\nb'), /--context holds the heading "## \[2026-01-01\] Another"/);
    refused(within('a\n\n# Top'), /heading "# Top"/);
    refused(within('a\n\n<!-- open'), /--context opens a HTML comment/);
    refused(within('```\nopen'), /opens a code fence/);
    refused(draft('convention', { body: '~~~' }), /opens a code fence/);
    check(within('a\n### Smaller\n\n```\n## in code\n```\n\n<!-- closed -->'));
  });

  it('hold only what their type has', () => {
    refused(draft('task', { fields: { context: 'why' } }), /no --context/);
    refused(draft('task', { priority: 'very high' }), /--priority/);
    refused(draft('task', { section: 'TBD' }), /--section/);
    check(draft('decision', { fields: { ...draft('decision').fields, 'alternatives considered': 'none was better' } }));
  });

  it('are cleaned: one-line titles, LF, no controls, no blank lines around', () => {
    const cleaned = cleanDraft(
      draft('learning', {
        title: '  a\n b\u0007\u202Bc ',
        fields: { Contexts: '\r\n\r\nx\r\ny \r\n', lesson: '  ' },
        body: '\n',
      }),
    );
    assert.equal(cleaned.title, 'a b\u202Bc');
    assert.deepEqual(cleaned.fields, { context: 'x\ny' });
    assert.equal(cleaned.body, undefined);
  });

  it('come back as they were written, whatever the words', () => {
    const words = fc
      .array(
        fc.oneof(
          fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
          fc.constantFrom(
            '#tag',
            '#a:b',
            '##',
            '-',
            '1.',
            '`',
            '```',
            '<!-- x -->',
            '<!--',
            '**',
            '**Context**: no',
            '[ ]',
            '\\',
            '>',
            '<div>',
            '---',
            '<!-- ctx:id=z -->',
            'TBD',
            '\t',
            '|',
            '***',
            '====',
            '# h',
            '## [2026-01-01] h',
            'https://x.y/#z',
          ),
        ),
        { minLength: 1, maxLength: 6 },
      )
      .map((parts) => parts.join(' '));
    const lines = fc
      .array(fc.oneof(words, fc.constant('')), { minLength: 1, maxLength: 5 })
      .map((all) => all.join('\n'));
    const drafts = fc
      .record({
        type: fc.constantFrom(...ENTRY_TYPES),
        title: words,
        text: lines,
        body: fc.option(lines, { nil: undefined }),
      })
      .map(({ type, title, text, body }) => {
        const fields = Object.fromEntries(REQUIRED_FIELDS[type].map((field) => [field, text]));
        return cleanDraft(draft(type, { title, fields, body }));
      });
    let written = 0;
    const around = {
      decision: '# D\n\n## [2020-01-01] Old\n\nx\n',
      learning: '',
      convention: '# C\n\n## General\n\n- a\n- b\n',
      task: '# T\n',
    };
    fc.assert(
      fc.property(drafts, (wanted) => {
        try {
          checkDraft(wanted);
        } catch (error) {
          assert.ok(error instanceof HubError);
          return;
        }
        const text = applySplice(around[wanted.type], insertEntry(around[wanted.type], wanted));
        const found = parseContext(wanted.type, text).entries.filter(({ id }) => id === wanted.id);
        // What reads as structure is refused by the writer (context-file.ts), which looks for exactly this.
        if (found.length !== 1 || found[0]?.title !== titleAsRead(wanted)) return;
        written++;
        const [entry] = found;
        checkContent(entry.content);
        for (const [name, value] of Object.entries(wanted.fields)) {
          // A line that is itself a field begins another one.
          if (/^\*\*/m.test(value) || (wanted.body ?? '').includes('**')) continue;
          assert.equal(entry.fields.find((field) => fieldKey(field.name) === name)?.value, value);
        }
        const read = textOfContent(wanted.type, entry.content);
        assert.equal(read.title, entry.title);
      }),
      { numRuns: 1_500 },
    );
    assert.ok(written > 500, `${written} of 1500 were written`);
  });

  it('are read from the form in which entries are shared', () => {
    const content =
      'Title\n\nfirst words\n\n**Context**: a\nb\n\n**Lessons**:\n- c\n\n```\n**Application**: code\n```\n\n**Application**: d';
    assert.deepEqual(textOfContent('learning', content), {
      title: 'Title',
      body: 'first words',
      fields: { context: 'a\nb', lesson: '- c\n\n```\n**Application**: code\n```', application: 'd' },
    });
    assert.deepEqual(textOfContent('task', 'Title\r\n\r\n**Context**: stays text'), {
      title: 'Title',
      fields: {},
      body: '**Context**: stays text',
    });
  });
});
