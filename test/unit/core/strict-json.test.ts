import assert from 'node:assert/strict';
import fc from 'fast-check';
import { HubError } from '../../../core/errors';
import { MAX_JSON_VALUES, parseStrictJson } from '../../../core/strict-json';

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

function refused(text: string): boolean {
  try {
    parseStrictJson(text);
    return false;
  } catch (error) {
    if (error instanceof HubError && error.code === 'invalid') return true;
    throw error;
  }
}

/** [what, text]; what JSON.parse would swallow comes first. */
const BAD: readonly (readonly [string, string])[] = [
  ['__proto__', '{"__proto__":{"x":1}}'],
  ['__proto__, escaped', '{"\\u005f_proto__":{"x":1}}'],
  ['constructor', '{"a":{"constructor":1}}'],
  ['prototype', '[{"prototype":1}]'],
  ['a key twice', '{"a":1,"b":2,"a":3}'],
  ['a key twice, escaped', '{"a":1,"\\u0061":3}'],
  ['a key twice, spaced', '{ "a" : 1 ,\n"a" : 3 }'],
  ['nine levels', nested(9)],
  ['a million levels', nested(1_000_000)],
  ['nine levels of objects', `${'{"a":'.repeat(9)}1${'}'.repeat(9)}`],
  ['65 keys', `{${Array.from({ length: 65 }, (_, i) => `"k${i}":0`).join(',')}}`],
  ['many values', `[${Array.from({ length: MAX_JSON_VALUES + 2 }, () => '0').join(',')}]`],
  ['lone high surrogate', '{"a":"\\ud800"}'],
  ['lone low surrogate', '{"a":["\\uDC00x"]}'],
  ['lone surrogate in a key', '{"\\ud800":1}'],
  ['swapped surrogates', '"\\udc00\\ud800"'],
  ['raw lone surrogate', '"\ud800"'],
  ['nothing', ''],
  ['half an object', '{"a":'],
  ['half a string', '{"a":"b'],
  ['half an escape', '"\\'],
  ['a bad escape in a key', '{"\\x":1}'],
  ['a trailing comma', '{"a":1,}'],
  ['two values', '{} {}'],
  ['a colon in an array', '["a":1]'],
  ['only a colon', ':'],
  ['single quotes', "{'a':1}"],
  ['NaN', '{"a":NaN}'],
  ['a comment', '{/* */"a":1}'],
  ['byte order mark', '\ufeff{}'],
  ['a raw control character', '"\u0001"'],
  ['closing first', ']['],
];

describe('strict JSON', () => {
  for (const [what, text] of BAD) it(`refuses ${what}`, () => assert.ok(refused(text)));

  it('leaves the prototype of objects alone', () => {
    for (const [, text] of BAD) refused(text);
    assert.equal(({} as Record<string, unknown>)['x'], undefined);
  });

  it('lets in eight levels, 64 keys, and pairs of surrogates', () => {
    assert.ok(!refused(nested(8)));
    assert.ok(!refused(`{${Array.from({ length: 64 }, (_, i) => `"k${i}":0`).join(',')}}`));
    assert.equal(parseStrictJson('"\\ud83d\\ude00"'), '\u{1f600}');
    assert.deepEqual(parseStrictJson('{"a":{"x":1},"b":{"x":1}}'), { a: { x: 1 }, b: { x: 1 } });
    assert.deepEqual(parseStrictJson('{"a":"a\\"b:{,\\\\"}'), { a: 'a"b:{,\\' });
  });

  it('reads what JSON.parse reads, when no rule is broken', () => {
    const json = fc
      .json({ maxDepth: 6, noUnicodeString: false })
      .filter((text) => !/__proto__|constructor|prototype/.test(text));
    fc.assert(
      fc.property(json, (text) => {
        const keys = /"(?:[^"\\]|\\.)*"\s*:/g;
        fc.pre((text.match(keys) ?? []).length < 64);
        assert.deepEqual(parseStrictJson(text), JSON.parse(text));
      }),
    );
  });

  it('never throws anything but its own refusal', () => {
    const piece = fc.constantFrom('{', '}', '[', ']', ':', ',', '"', '\\', 'a', '0', ' ', '\\u', 'd800', 'null');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => void refused(pieces.join(''))),
      {
        numRuns: 2000,
      },
    );
  });

  it('stays linear on strings of quotes and backslashes', () => {
    const text = JSON.stringify('\\"'.repeat(1_000_000));
    const start = performance.now();
    parseStrictJson(text);
    assert.ok(performance.now() - start < 2_000);
  });
});
