/** Bursts are gathered; times are said as people say them. */
import assert from 'node:assert/strict';
import { gather } from '../../../extension/feed/gather';
import { relativeTime } from '../../../extension/feed/relative-time';
import { until } from '../../support/processes';

describe('gathering', () => {
  it('tells the first change at once and the rest of a burst together', async () => {
    let told = 0;
    const gatherer = gather(40, () => (told += 1));
    gatherer.changed();
    assert.equal(told, 1, 'the first one waits for nothing');
    for (let at = 0; at < 100; at++) gatherer.changed();
    assert.equal(told, 1);
    await until('the rest is told', () => told === 2);
    gatherer.changed();
    assert.equal(told, 2, 'still within the pause after the second telling');
    await until('the late one is told', () => told === 3);
    gatherer.close();
  });
});

describe('relative time', () => {
  const now = Date.UTC(2026, 0, 31, 12, 0, 0);
  const ago = (seconds: number): string => relativeTime(new Date(now - seconds * 1000).toISOString(), now, 'en');

  it('counts in the largest whole unit', () => {
    assert.deepEqual([5, 59, 60, 3_600, 86_400, 7 * 86_400, 40 * 86_400, 800 * 86_400].map(ago), [
      ...['now', 'now', '1 minute ago', '1 hour ago', 'yesterday', 'last week', 'last month', '2 years ago'],
    ]);
  });

  it('takes a time ahead for now, and leaves what is no time alone', () => {
    assert.equal(ago(-4000), 'now');
    assert.equal(relativeTime('soon', now, 'en'), 'soon');
  });
});
