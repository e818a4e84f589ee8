/** Whatever is committed is applied, at whatever moment the one before it is finished: nothing else has to happen for it. */
import assert from 'node:assert/strict';
import { Replica } from '../../../../../hub/engine/raft/replica';
import type { StateMachine } from '../../../../../hub/engine/raft/state-machine';
import { EMPTY_CONFIGURATION } from '../../../../../hub/raft/configuration';
import type { Entry } from '../../../../../hub/raft/entry';
import type { Message } from '../../../../../hub/raft/message';
import type { RaftLog } from '../../../../../hub/raft-log/raft-log';

const CONFIGURATION = { ...EMPTY_CONFIGURATION, voters: [1, 2, 3] };
const entry = (index: number): Entry => ({ kind: 'data', term: 1, index, data: Buffer.from('{}') });
/** Turns of the microtask queue between two messages: more than a write and an application take. */
const MOST_TURNS = 40;

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
};

describe('a node that applies', () => {
  function open(): { replica: Replica; applied: number[] } {
    const applied: number[] = [];
    let now = { term: 1, index: 1, configuration: CONFIGURATION, members: [], nextId: 4 };
    const machine = {
      get now() {
        return now;
      },
      durable: 1,
      mark: () => Promise.resolve(),
      apply: ({ index }: Entry) => {
        now = { ...now, index };
        return Promise.resolve([]);
      },
    };
    const log = { write: () => Promise.resolve(), close: () => Promise.resolve() };
    const replica = new Replica({
      id: 1,
      log: log as unknown as RaftLog,
      recovered: { hardState: { term: 1, vote: 0, commit: 1 }, base: { term: 1, index: 1 }, entries: [] },
      machine: machine as unknown as StateMachine,
      keepEntries: 100,
      send: () => undefined,
      discard: () => Promise.resolve(),
      applied: ({ index }) => void applied.push(index),
      changed: () => undefined,
      warn: () => undefined,
      crash: (error) => assert.fail(String(error)),
    });
    return { replica, applied };
  }
  /** One entry, committed as soon as it is there. */
  const append = (index: number): Message => ({
    ...{ kind: 'append', from: 2, to: 1, term: 1, previous: { term: 1, index: index - 1 }, commit: index },
    entries: [entry(index)],
  });

  it('applies the next entry whenever it comes while the one before is on its way', async () => {
    for (let between = 0; between <= MOST_TURNS; between++) {
      const { replica, applied } = open();
      replica.step(append(2));
      await turns(between);
      replica.step(append(3));
      await turns(10 * MOST_TURNS);
      const found = [...applied];
      await replica.close();
      assert.deepEqual(found, [2, 3], `${between} turns between the two`);
    }
  });
});
