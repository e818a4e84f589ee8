/** The bench's own arithmetic: turns, quiet rounds, ratios. No real time and no processes. */
import assert from 'node:assert/strict';
import { compare, keepQuiet, runRounds, type Contender, type Round, type Sample } from '../../bench/rounds';
import { median, quantile } from '../../bench/statistics';

const contender = (name: string, log: string[], samples: Sample | Error): Contender => ({
  name,
  slice: () => {
    log.push(name);
    return samples instanceof Error ? Promise.reject(samples) : Promise.resolve(samples);
  },
});

const round = (ours: number, other: number, foreignCores?: number): Round => ({
  samples: new Map([
    ['ours', { count: ours, seconds: 1 }],
    ['other', { count: other, seconds: 1 }],
  ]),
  foreignCores,
});

const options = { rounds: 2, maxRounds: 6, sliceMs: 1, watchMachine: () => () => 0 };

describe('bench rounds', () => {
  it('quantiles interpolate and refuse nothing', () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([1, 2]), 1.5);
    assert.equal(quantile([0, 10], 0.25), 2.5);
    assert.throws(() => median([]));
  });

  it('contenders warm up, then take turns in rotating order', async () => {
    const log: string[] = [];
    const work = { count: 1, seconds: 1 };
    await runRounds([contender('a', log, work), contender('b', log, work)], options);
    assert.deepEqual(log, ['a', 'b', 'a', 'b', 'b', 'a']);
  });

  it('a contender that fails is out and said to be, the others go on', async () => {
    const log: string[] = [];
    const { rounds, failures } = await runRounds(
      [contender('a', log, { count: 1, seconds: 1 }), contender('b', log, new Error('broken'))],
      options,
    );
    assert.deepEqual([...failures], [['b', 'broken']]);
    assert.equal(rounds.length, 2);
    assert.equal(compare(rounds, 'a', 'b', 'rate'), undefined);
  });

  it('a contender that did no work is out: its rate would be a lie', async () => {
    const { failures } = await runRounds([contender('a', [], { count: 0, seconds: 1 })], options);
    assert.ok(failures.has('a'));
  });

  it('noisy rounds are run again, up to a bound', async () => {
    const noise = [1, 0, 1, 0];
    let at = 0;
    const work = { count: 1, seconds: 1 };
    const some = await runRounds([contender('a', [], work)], { ...options, watchMachine: () => () => noise[at++] });
    assert.deepEqual(
      some.rounds.map((each) => each.foreignCores),
      [1, 0, 1, 0],
    );
    const never = await runRounds([contender('a', [], work)], { ...options, watchMachine: () => () => 1 });
    assert.equal(never.rounds.length, 6);
  });

  it('quiet rounds are kept; too few of them, and the calmest ones do, marked as noisy', () => {
    const rounds = [round(1, 1, 0.9), round(1, 1, 0.05), round(1, 1, 0.3), round(1, 1, 0.1)];
    const quiet = keepQuiet(rounds, 2);
    assert.deepEqual([quiet.rounds, quiet.discarded, quiet.noisy], [[rounds[1], rounds[3]], 2, false]);
    const noisy = keepQuiet(rounds, 3);
    assert.deepEqual([noisy.rounds.length, noisy.discarded, noisy.noisy], [3, 1, true]);
    assert.ok(!noisy.rounds.some((each) => each === rounds[0]));
  });

  it('where noise cannot be measured every round counts', () => {
    assert.deepEqual(keepQuiet([round(1, 1), round(2, 1)], 5).noisy, false);
  });

  it('the ratio is the median of per-round ratios, not the ratio of medians', () => {
    const rounds = [round(10, 1), round(2, 2), round(30, 10)];
    assert.equal(compare(rounds, 'ours', 'other', 'rate')?.ratio, 3);
    assert.equal(compare(rounds, 'ours', 'other', 'time')?.ratio, 1 / 3);
  });
});
