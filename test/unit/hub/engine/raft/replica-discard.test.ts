/** What a node has to discard is durable elsewhere before it goes: of an overwritten suffix, and of what a snapshot replaces (FM-32). */
import assert from 'node:assert/strict';
import { Replica } from '../../../../../hub/engine/raft/replica';
import type { StateMachine } from '../../../../../hub/engine/raft/state-machine';
import { EMPTY_CONFIGURATION } from '../../../../../hub/raft/configuration';
import type { Entry } from '../../../../../hub/raft/entry';
import type { Message } from '../../../../../hub/raft/message';
import type { RaftLog } from '../../../../../hub/raft-log/raft-log';
import { until } from '../../../../support/processes';

const CONFIGURATION = { ...EMPTY_CONFIGURATION, voters: [1, 2, 3] };
const entry = (term: number, index: number): Entry => ({ kind: 'data', term, index, data: Buffer.from('{}') });
const append = (from: number, term: number, previous: { term: number; index: number }, entries: Entry[]): Message => ({
  ...{ kind: 'append', from, to: 1, term, previous, commit: 0 },
  entries,
});

describe('what a node has to discard', () => {
  let done: string[];
  let discarding: { readonly entries: readonly Entry[]; readonly kept: () => void } | undefined;
  let replica: Replica;
  const wrote = (): string[] => done.filter((each) => /^(write|restore) /.test(each));

  beforeEach(() => {
    done = [];
    discarding = undefined;
    const now = { term: 1, index: 1, configuration: CONFIGURATION, members: [], nextId: 4 };
    const machine = {
      now,
      durable: 1,
      mark: () => Promise.resolve(),
      install: ({ index }: { index: number }) => {
        done.push(`install ${index}`);
        return Promise.resolve();
      },
    };
    const log = {
      write: ({ restore, entries }: { restore?: { index: number }; entries: readonly Entry[] }) => {
        if (restore !== undefined) done.push(`restore ${restore.index}`);
        for (const { term, index } of entries) done.push(`write ${term}.${index}`);
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    };
    replica = new Replica({
      id: 1,
      log: log as unknown as RaftLog,
      recovered: { hardState: { term: 1, vote: 0, commit: 1 }, base: { term: 1, index: 1 }, entries: [] },
      machine: machine as unknown as StateMachine,
      keepEntries: 100,
      send: () => undefined,
      discard: (entries) =>
        new Promise((resolve) => {
          for (const { term, index } of entries) done.push(`keep ${term}.${index}`);
          discarding = { entries, kept: resolve };
        }),
      applied: () => undefined,
      changed: () => undefined,
      warn: () => undefined,
      crash: (error) => assert.fail(String(error)),
    });
    replica.step(append(2, 2, { term: 1, index: 1 }, [entry(2, 2), entry(2, 3)]));
  });
  afterEach(async () => {
    discarding?.kept();
    await replica.close();
  });

  async function discarded(): Promise<readonly Entry[]> {
    const { entries } = await until('it is about to be discarded', () => discarding);
    // Whatever would not wait has had its turns.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    return entries;
  }

  it('is kept before another leader’s entries take its place', async () => {
    await until('two are written', () => wrote().length === 2);
    replica.step(append(3, 3, { term: 2, index: 2 }, [entry(3, 3)]));
    const gone = await discarded();
    assert.deepEqual(
      gone.map(({ term, index }) => [term, index]),
      [[2, 3]],
    );
    assert.deepEqual(done, ['write 2.2', 'write 2.3', 'keep 2.3']);
    discarding?.kept();
    await until('the other one is written', () => done.includes('write 3.3'));
    assert.deepEqual(done, ['write 2.2', 'write 2.3', 'keep 2.3', 'write 3.3']);
  });

  it('is kept before a snapshot takes its place', async () => {
    await until('two are written', () => wrote().length === 2);
    const snapshot = { term: 3, index: 9, configuration: CONFIGURATION, data: Buffer.from('{}') };
    replica.step({ kind: 'snapshot', from: 3, to: 1, term: 3, snapshot });
    const gone = await discarded();
    assert.deepEqual(
      gone.map(({ index }) => index),
      [2, 3],
    );
    assert.deepEqual(done, ['write 2.2', 'write 2.3', 'keep 2.2', 'keep 2.3']);
    discarding?.kept();
    await until('the snapshot is in the log', () => done.includes('restore 9'));
    assert.deepEqual(done.slice(2), ['keep 2.2', 'keep 2.3', 'install 9', 'restore 9']);
  });
});
