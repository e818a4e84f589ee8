import assert from 'node:assert/strict';
import fc from 'fast-check';
import { backoffBoundMs, backoffMs } from '../../../../core/sync/backoff';

describe('backoff', () => {
  it('first at most half a second, doubles, never above 30 s', () => {
    assert.deepEqual(
      [0, 1, 2, 5, 6, 7, 1_000].map(backoffBoundMs),
      [500, 1_000, 2_000, 16_000, 30_000, 30_000, 30_000],
    );
  });

  it('full jitter: anything from zero up to the bound', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (failures, random) => {
        const ms = backoffMs(failures, () => random);
        assert.ok(Number.isInteger(ms) && ms >= 0 && ms <= backoffBoundMs(failures));
      }),
    );
    assert.equal(
      backoffMs(3, () => 0),
      0,
    );
    assert.equal(
      backoffMs(3, () => 0.5),
      2_000,
    );
  });
});
