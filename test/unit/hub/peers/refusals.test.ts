/** What a node logs of peers that it refuses: enough to act on, and not without bound. */
import assert from 'node:assert/strict';
import { Refusals } from '../../../../hub/peers/refusals';

const MINUTE_MS = 60_000;

describe('refused peers', () => {
  let said: string[];
  let now: number;
  let refusals: Refusals;

  beforeEach(() => {
    said = [];
    now = 5;
    refusals = new Refusals(
      (message) => said.push(message),
      () => now,
    );
  });

  it('are named at once, each reason of each address, and again after a minute with how often they came', () => {
    for (let dial = 0; dial < 240; dial++) refusals.note('10.0.0.9', 'wrong cluster secret');
    refusals.note('10.0.0.8', 'wrong cluster secret');
    refusals.note('10.0.0.9', 'it sends more than a proof');
    assert.deepEqual(said.splice(0), [
      'A peer at 10.0.0.9 was refused: wrong cluster secret',
      'A peer at 10.0.0.8 was refused: wrong cluster secret',
      'A peer at 10.0.0.9 was refused: it sends more than a proof',
    ]);
    now += MINUTE_MS;
    refusals.note('10.0.0.9', 'wrong cluster secret');
    refusals.note('10.0.0.8', 'wrong cluster secret');
    assert.deepEqual(said, [
      'A peer at 10.0.0.9 was refused: wrong cluster secret (and 239 times since that was said last)',
      'A peer at 10.0.0.8 was refused: wrong cluster secret',
    ]);
  });

  it('of any number of addresses fill neither log nor memory', () => {
    for (let host = 0; host < 5_000; host++) refusals.note(`fd00::${host.toString(16)}`, 'not understood');
    assert.ok(said.length < 100, `${said.length} lines`);
    assert.match(said.at(-1) ?? '', /^A peer at other addresses was refused: not understood$/);
    now += MINUTE_MS;
    refusals.note('10.0.0.9', 'not understood');
    assert.equal(said.at(-1), 'A peer at 10.0.0.9 was refused: not understood');
  });
});
