import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  checkPublishedEntry,
  isClientName,
  isProjectName,
  isTimestamp,
  normalizeContent,
  titleOf,
  type PublishedEntry,
} from '../../../core/entry';
import { CODE_FACTS, HubError, LOCAL_CODES, WIRE_CODES } from '../../../core/errors';
import { MAX_CONTENT_BYTES } from '../../../core/limits';

const entry = (more: Partial<PublishedEntry> = {}): PublishedEntry => ({
  id: 'e-1',
  type: 'decision',
  content: 'Use UTC',
  timestamp: '2026-01-31T09:30:00Z',
  ...more,
});

function codeOf(more: Partial<PublishedEntry>): string {
  try {
    checkPublishedEntry(entry(more));
    return 'ok';
  } catch (error) {
    assert.ok(error instanceof HubError);
    return error.code;
  }
}

describe('entry', () => {
  it('content of exactly 1 MiB passes, one byte more is too large, counted in bytes', () => {
    assert.equal(codeOf({ content: 'x'.repeat(MAX_CONTENT_BYTES) }), 'ok');
    assert.equal(codeOf({ content: 'x'.repeat(MAX_CONTENT_BYTES + 1) }), 'too_large');
    assert.equal(codeOf({ content: 'é'.repeat(MAX_CONTENT_BYTES / 2) }), 'ok');
    assert.equal(codeOf({ content: 'é'.repeat(MAX_CONTENT_BYTES / 2) + 'x' }), 'too_large');
  });

  for (const [what, more] of Object.entries<Partial<PublishedEntry>>({
    'an empty id': { id: '' },
    'an id of 129 characters': { id: 'a'.repeat(129) },
    'an id with a space': { id: 'a b' },
    'an id with a letter outside ASCII': { id: 'é' },
    'empty content': { content: '' },
    'content with NUL': { content: 'a\0b' },
    'content with a lone surrogate': { content: 'a\ud800b' },
    'content with CRLF': { content: 'a\r\nb' },
    'content with white space at its end': { content: 'a\n' },
    'a date without time': { timestamp: '2026-01-31' },
    'a date that is none': { timestamp: '2026-13-41T00:00:00Z' },
    'itself as superseded': { supersedes: 'e-1' },
    'meta of two lines': { meta: { host: 'a\nb' } },
    'meta of 257 bytes': { meta: { host: 'x'.repeat(257) } },
  })) {
    it(`refuses ${what}`, () => assert.equal(codeOf(more), 'invalid'));
  }

  it('normal form is reached in one step', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', ' ', '\t', '\r', '\n', '\r\n', '\uFEFF', 'é')), (parts) => {
        const once = normalizeContent(parts.join(''));
        assert.equal(normalizeContent(once), once);
      }),
    );
  });

  it('normal form keeps indentation and inner blank lines', () => {
    assert.equal(normalizeContent('\uFEFF\r\n  \r\n  a\r\n\r\n    b  \r\n\r\n'), '  a\n\n    b');
    assert.equal(titleOf('a\nb'), 'a');
  });

  it('knows names from paths', () => {
    for (const good of ['a', 'my-project', '0.9', 'a_b.c']) assert.ok(isProjectName(good), good);
    for (const bad of ['', '.a', 'A', 'a/b', 'a..b', 'con', 'nul.txt', 'com1', 'a\0', 'x'.repeat(65), '-a'])
      assert.ok(!isProjectName(bad), JSON.stringify(bad));
    assert.ok(isClientName('ada@laptop.local'));
    assert.ok(!isClientName('Ada Lovelace'));
  });

  it('knows timestamps', () => {
    for (const good of ['2026-01-31T09:30:00Z', '2026-01-31t09:30:00.123456789+05:30'])
      assert.ok(isTimestamp(good), good);
    for (const bad of ['now', '2026-01-31 09:30:00Z', '2026-01-31T09:30:00', '1']) assert.ok(!isTimestamp(bad), bad);
  });
});

describe('error codes', () => {
  it('each has its facts, and a valid close code', () => {
    for (const code of [...WIRE_CODES, ...LOCAL_CODES]) {
      const { close, exit, http } = CODE_FACTS[code];
      assert.ok((close >= 4000 && close < 5000) || [1001, 1009, 1011].includes(close), code);
      assert.ok(exit >= 64 && exit <= 78, code);
      assert.ok(http >= 400 && http < 600, code);
    }
  });
});
