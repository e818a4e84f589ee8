import assert from 'node:assert/strict';
import zlib from 'node:zlib';
import fc from 'fast-check';
import { HubError } from '../../../core/errors';
import { crc32Hex, formatToken, parseToken, requireToken, TOKEN_KINDS, type Token } from '../../../core/token';

const hex = (length: number): fc.Arbitrary<string> =>
  fc
    .array(
      fc.nat(15).map((digit) => digit.toString(16)),
      { minLength: length, maxLength: length },
    )
    .map((all) => all.join(''));

const token: fc.Arbitrary<Token> = fc.record(
  { kind: fc.constantFrom(...TOKEN_KINDS), id: hex(16), secret: hex(64) },
  { noNullPrototype: true },
);

describe('token', () => {
  it('has the check digits of CRC-32 (ISO-HDLC)', () => {
    assert.equal(crc32Hex('123456789'), 'cbf43926');
    if ('crc32' in zlib) {
      const crc32 = zlib.crc32 as (text: string) => number;
      fc.assert(fc.property(hex(40), (text) => crc32Hex(text) === crc32(text).toString(16).padStart(8, '0')));
    }
  });

  it('comes back as it was', () => {
    fc.assert(fc.property(token, (each) => assert.deepEqual(parseToken(formatToken(each)), each)));
  });

  it('is refused when any one character is changed, left out or added', () => {
    fc.assert(
      fc.property(token, fc.nat(), fc.constantFrom('0', 'f', 'g', '_', ' ', 'A', ''), (each, at, put) => {
        const text = formatToken(each);
        const where = at % text.length;
        const changed = text.slice(0, where) + put + text.slice(where + 1);
        if (changed !== text) assert.equal(parseToken(changed), undefined);
        assert.equal(parseToken(`${text}0`), undefined);
        assert.equal(parseToken(`${text}\n`), undefined);
      }),
    );
  });

  it('of another kind is refused with a message that does not repeat it', () => {
    const text = formatToken({ kind: 'cli', id: 'a'.repeat(16), secret: 'b'.repeat(64) });
    assert.throws(
      () => requireToken(text, 'adm', 'The token'),
      (error: unknown) => error instanceof HubError && error.code === 'usage' && !error.message.includes('bbbb'),
    );
    assert.throws(() => requireToken(text.slice(0, -1), 'cli', 'The token'), /mistyped or cut/);
    assert.equal(requireToken(` ${text}\n`, 'cli', 'The token').id, 'a'.repeat(16));
  });
});
