import assert from 'node:assert/strict';
import { supersededIds, type Versioned } from '../../../core/newest';

const version = (id: string, sequence: number, supersedes?: string, origin = 'alpha'): Versioned => ({
  ...{ id, sequence, origin },
  ...(supersedes === undefined ? {} : { supersedes }),
});
const pairs = (...entries: readonly Versioned[]): string[][] => [...supersededIds(entries)].map((pair) => [...pair]);

describe('newest versions', () => {
  it('every older version leads to the newest, over any number of steps', () => {
    assert.deepEqual(pairs(version('a', 1), version('b', 2, 'a'), version('c', 3, 'b')), [
      ['a', 'c'],
      ['b', 'c'],
    ]);
  });

  it('a project hides nothing that another one wrote', () => {
    assert.deepEqual(pairs(version('a', 1), version('b', 2, 'a', 'mallory')), []);
  });

  it('of two changes of one entry the later in the log is the newest', () => {
    assert.deepEqual(pairs(version('a', 1), version('c', 3, 'a'), version('b', 2, 'a')), [['a', 'c']]);
  });

  it('a circle or a claim about a later entry ends, and hides nothing', () => {
    assert.deepEqual(pairs(version('a', 1, 'b'), version('b', 2, 'a')), [['a', 'b']]);
    assert.deepEqual(pairs(version('a', 1, 'b'), version('b', 1, 'a')), []);
    assert.deepEqual(pairs(version('a', 1, 'a')), []);
  });
});
