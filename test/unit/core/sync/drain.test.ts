import assert from 'node:assert/strict';
import fc from 'fast-check';
import { utf8Length, type PublishedEntry } from '../../../../core/entry';
import { HubError, WIRE_CODES, type ErrorCode } from '../../../../core/errors';
import { judgeFailure, judgeResults, nextBatch } from '../../../../core/sync/drain';
import { toWireError, type PublishResult } from '../../../../core/wire';

const entry = (id: string, content = 'x'): PublishedEntry => ({
  id,
  type: 'decision',
  content,
  timestamp: '2026-01-01T00:00:00Z',
});
const entries = (count: number): PublishedEntry[] => Array.from({ length: count }, (_, i) => entry(`e${i}`));
const LIMITS = { batch_entries: 64, frame_bytes: 8 * 1024 * 1024 };

const refused = (id: string, code: (typeof WIRE_CODES)[number], retryAfterMs?: number): PublishResult => ({
  id,
  error: toWireError(new HubError(code, code, retryAfterMs === undefined ? {} : { retryAfterMs }), code),
});

describe('what to send of the outbox', () => {
  it('from the front, in order, at most what a message may hold, at least one', () => {
    assert.deepEqual(nextBatch(entries(100), LIMITS), entries(64));
    assert.deepEqual(nextBatch([], LIMITS), []);
    const huge = entry('huge', '\u0001'.repeat(1024 * 1024));
    assert.deepEqual(nextBatch([huge, entry('a')], { batch_entries: 64, frame_bytes: 1024 }), [huge]);
  });

  it('never above the frame limit when it is more than one', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 80 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 2_000, max: 20_000 }), (lengths, frame_bytes) => {
        const waiting = lengths.map((length, i) => entry(`e${i}`, '\u0001ä'.repeat(length)));
        const batch = nextBatch(waiting, { batch_entries: 64, frame_bytes });
        assert.deepEqual(batch, waiting.slice(0, batch.length));
        const bytes = utf8Length(JSON.stringify({ kind: 'publish', request: 1, entries: batch }));
        assert.ok(batch.length === 1 || bytes <= frame_bytes, `${batch.length} entries are ${bytes} bytes`);
      }),
    );
  });
});

describe('what an answer means', () => {
  it('a hub that asks for a wait of years is given a day: a longer timer would overflow into none', () => {
    const { next } = judgeResults(entries(1), [refused('e0', 'rate_limited', 1e15)]);
    assert.equal(next.kind === 'later' ? next.afterMs : undefined, 86_400_000);
  });

  it('shared ones leave, with their sequence; the rest of the outbox is next', () => {
    const outcome = judgeResults(entries(2), [
      { id: 'e0', sequence: 7, duplicate: false },
      { id: 'e1', sequence: 3, duplicate: true },
    ]);
    assert.deepEqual(
      outcome.shared.map(({ entry: { id }, sequence, duplicate }) => [id, sequence, duplicate]),
      [
        ['e0', 7, false],
        ['e1', 3, true],
      ],
    );
    assert.deepEqual(outcome.next, { kind: 'go on' });
  });

  it('what is wrong with the entry itself is rejected; what may pass waits', () => {
    const faults = new Set<ErrorCode>(['invalid', 'too_large', 'id_conflict', 'origin_mismatch']);
    for (const code of WIRE_CODES) {
      const { rejected, next } = judgeResults([entry('a')], [refused('a', code, 1_234)]);
      assert.equal(rejected.length, faults.has(code) ? 1 : 0, code);
      assert.equal(next.kind, faults.has(code) ? 'go on' : 'later', code);
      if (next.kind === 'later') assert.equal(next.afterMs, 1_234);
    }
  });

  it('one that the hub says nothing of stays, and is not asked for without a pause', () => {
    const outcome = judgeResults(entries(2), [{ id: 'e0', sequence: 1, duplicate: false }]);
    assert.equal(outcome.shared.length, 1);
    assert.deepEqual([outcome.rejected.length, outcome.next.kind], [0, 'later']);
  });

  it('a batch that is refused as a whole is sent one by one, so that only the bad one is rejected', () => {
    const error = new HubError('invalid', 'entries.1.supersedes');
    assert.deepEqual(judgeFailure(entries(2), error), { shared: [], rejected: [], next: { kind: 'one by one' } });
    const [one] = entries(1);
    assert.ok(one);
    assert.deepEqual(judgeFailure([one], error), {
      shared: [],
      rejected: [{ entry: one, error }],
      next: { kind: 'go on' },
    });
  });

  it('an unknown outcome keeps everything', () => {
    const error = new HubError('timeout', 'no answer', { outcome: 'unknown' });
    const { shared, rejected, next } = judgeFailure(entries(3), error);
    assert.deepEqual([shared.length, rejected.length, next.kind], [0, 0, 'later']);
  });
});
