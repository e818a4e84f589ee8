import assert from 'node:assert/strict';
import fs from 'node:fs';
import fc from 'fast-check';
import { ENTRY_TYPES, type StoredEntry } from '../../../core/entry';
import { asciiAt, base64url, emptyLogDigest, encodeLine, lineDigest, splitLine } from '../../../core/line';
import { sha256 } from '../../support/sha256';

const HUB_ID = '018f6a3e-7c1b-7d2a-9b60-3f1c2d4e5a6b';
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (view: Uint8Array | undefined): string => new TextDecoder().decode(view);

type Undigested = Omit<StoredEntry, 'digest'>;

const entry = (more: Partial<Undigested> = {}): Undigested => ({
  id: 'e-1',
  type: 'decision',
  content: 'Use UTC\n\nEverywhere.',
  origin: 'alpha',
  client: 'ada@laptop',
  timestamp: '2026-01-31T09:30:00+01:00',
  received_at: '2026-01-31T08:30:00.123Z',
  sequence: 1,
  ...more,
});

/** The digest as a reader computes it from a line's bytes alone. */
function recompute(line: Uint8Array, previous: string): string {
  const parts = splitLine(line);
  if (typeof parts === 'string') return parts;
  const value = line.subarray(parts.valueStart, parts.valueEnd);
  const hash = parts.redacted ? Buffer.from(text(value), 'base64url') : sha256(value);
  const head = line.subarray(parts.start, parts.headEnd);
  return lineDigest(sha256, previous, parts.batchFirst, head, line.subarray(parts.tailStart, parts.tailEnd), hash);
}

function digestOf(line: Uint8Array): string | undefined {
  const parts = splitLine(line);
  return typeof parts === 'string' ? undefined : asciiAt(line, parts.digestStart, parts.digestEnd);
}

const anyEntry = fc.record({
  id: fc.stringMatching(/^[A-Za-z0-9._:-]{1,128}$/),
  type: fc.constantFrom(...ENTRY_TYPES),
  content: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }),
  origin: fc.constant('alpha'),
  client: fc.constant('ada@laptop'),
  timestamp: fc.constant('2026-01-31T09:30:00Z'),
  received_at: fc.constant('2026-01-31T09:30:00.000Z'),
  sequence: fc.integer({ min: 1, max: 2 ** 40 }),
  meta: fc.option(fc.record({ display_name: fc.string({ maxLength: 40 }) }), { nil: undefined }),
}) as fc.Arbitrary<Undigested>;

describe('line', () => {
  it('is the golden file, byte for byte', () => {
    const golden = fs.readFileSync('test/fixtures/golden/entries.jsonl', 'utf8').trimEnd().split('\n');
    const inputs: [Undigested, number][] = [
      [entry(), 1],
      [
        entry({
          id: 'e-2',
          type: 'task',
          sequence: 2,
          content: 'Quotes " and \\ and \u2028 and \u{1F600} and <tab>\t',
        }),
        2,
      ],
      [entry({ id: 'e-3', type: 'learning', sequence: 3, meta: { display_name: 'Ada', tool: 'cli' } }), 2],
      [entry({ id: 'e-4', type: 'convention', sequence: 4, supersedes: 'e-3' }), 4],
    ];
    let previous = emptyLogDigest(HUB_ID, sha256);
    const lines = inputs.map(([each, batchFirst]) => {
      const line = encodeLine(sha256, each, previous, batchFirst);
      previous = line.digest;
      return line.text;
    });
    assert.deepEqual(lines, golden);
  });

  it('keeps the documented member order', () => {
    const line = encodeLine(sha256, entry({ meta: { host: 'h' }, supersedes: 'e-0' }), '0.x', 1).text;
    assert.deepEqual(
      Object.keys(JSON.parse(line) as object).join(' '),
      'id type content origin client timestamp received_at sequence meta supersedes digest',
    );
  });

  it('splits into the bytes its digest is computed from', () => {
    fc.assert(
      fc.property(anyEntry, (each) => {
        const previous = emptyLogDigest(HUB_ID, sha256);
        const line = encodeLine(sha256, each, previous, each.sequence);
        const parts = splitLine(bytes(line.text));
        assert.ok(typeof parts !== 'string');
        const value = text(bytes(line.text).subarray(parts.valueStart, parts.valueEnd));
        assert.equal(JSON.parse(`"${value}"`), each.content);
        assert.equal(digestOf(bytes(line.text)), line.digest);
        assert.deepEqual([parts.sequence, parts.batchFirst], [each.sequence, each.sequence]);
        assert.equal(recompute(bytes(line.text), previous), line.digest);
      }),
    );
  });

  it('every single changed byte of a line changes its digest or its shape', () => {
    const previous = emptyLogDigest(HUB_ID, sha256);
    const line = encodeLine(sha256, entry({ meta: { display_name: 'Ada' }, supersedes: 'e-0' }), previous, 1);
    const original = bytes(line.text);
    for (let at = 0; at < original.length; at++) {
      for (const flip of [1, 0x20, 0x80]) {
        const changed = original.slice();
        changed[at] = (changed[at] ?? 0) ^ flip;
        const intact = recompute(changed, previous) === digestOf(changed);
        assert.equal(intact, false, `byte ${at} ^ ${flip}`);
      }
    }
  });

  it('a redacted line still verifies', () => {
    const previous = emptyLogDigest(HUB_ID, sha256);
    const line = encodeLine(sha256, entry(), previous, 1);
    const content = JSON.stringify(entry().content);
    const kept = Buffer.from(sha256(content.slice(1, -1))).toString('base64url');
    const redacted = line.text.replace(`"content":${content},`, `"content":null,"content_sha256":"${kept}",`);
    assert.notEqual(redacted, line.text);
    assert.equal(recompute(bytes(redacted), previous), line.digest);
  });

  it('names what a line lacks', () => {
    const digest = '"digest":"1.aaaaaaaaaaaaaaaaaaaaaa"}';
    const head = '{"id":"a","type":"task",';
    const said = (line: string): unknown => splitLine(bytes(line));
    assert.equal(said(''), 'it has no digest at its end');
    assert.equal(said(`{"x":1,${digest}`), 'it has no id and type at its start');
    assert.equal(said(`${head}"x":1,${digest}`), 'it has no content after its type');
    assert.equal(said(`${head}"content":"x\\",${digest}`), 'its content does not end');
    assert.equal(said(`${head}"content":"x","origin":"a",${digest}`), 'it has no sequence after its stamps');
  });

  it('writes members just as JSON does, whatever they hold', () => {
    const any = fc.string({ unit: 'binary', maxLength: 30 });
    fc.assert(
      fc.property(any, any, any, fc.option(any), (origin, client, timestamp, tool) => {
        const given = entry({
          ...{ origin, client, timestamp, supersedes: client },
          ...(tool === null ? {} : { meta: { tool } }),
        });
        const { text: line, digest } = encodeLine(sha256, given, emptyLogDigest(HUB_ID, sha256), 1);
        const { supersedes, meta, ...members } = given;
        const ordered = { ...members, ...(meta === undefined ? {} : { meta }), supersedes, digest };
        assert.equal(line, JSON.stringify(ordered));
      }),
    );
  });

  it('writes base64url as Node does', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (given) => {
        assert.equal(base64url(given), Buffer.from(given).toString('base64url'));
      }),
    );
  });
});
