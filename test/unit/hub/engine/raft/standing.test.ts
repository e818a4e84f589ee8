/** When a follower stands after the leader's connection closed (P10). */
import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { CLOSED_LEADER_MAX_MS, CLOSED_LEADER_MIN_MS, CLOSED_LEADER_TRIES } from '../../../../../hub/engine/raft/limits';
import { Standing } from '../../../../../hub/engine/raft/standing';

describe('standing for election when the leader is gone', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
  afterEach(() => mock.timers.reset());

  function standing(random = 0.999): { standing: Standing; stood: () => number; elect: () => void } {
    let stood = 0;
    let hasLeader = false;
    const made = new Standing({ isLeaderless: () => !hasLeader, stand: () => (stood += 1), random: () => random });
    return { standing: made, stood: () => stood, elect: () => (hasLeader = true) };
  }

  it('comes soon, but not at once: the others must have noticed too', () => {
    const { standing: each, stood } = standing(0);
    each.begin();
    mock.timers.tick(CLOSED_LEADER_MIN_MS - 1);
    assert.equal(stood(), 0);
    mock.timers.tick(1);
    assert.equal(stood(), 1);
  });

  it('comes again, after longer and longer waits, and then no more', () => {
    const { standing: each, stood } = standing();
    each.begin();
    for (let tries = 0; tries < CLOSED_LEADER_TRIES; tries++) {
      assert.equal(stood(), tries);
      mock.timers.tick(CLOSED_LEADER_MAX_MS * 2 ** tries);
      assert.equal(stood(), tries + 1);
    }
    mock.timers.tick(60_000);
    assert.equal(stood(), CLOSED_LEADER_TRIES);
  });

  it('does not come when somebody leads, or when it is called off', () => {
    const led = standing();
    led.standing.begin();
    led.elect();
    const off = standing();
    off.standing.begin();
    off.standing.stop();
    mock.timers.tick(60_000);
    assert.deepEqual([led.stood(), off.stood()], [0, 0]);
  });
});
