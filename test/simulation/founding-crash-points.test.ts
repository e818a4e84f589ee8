/** Crash points of a node's first start: a founding that was cut short anywhere is done at the next start, and loses nothing. */
import assert from 'node:assert/strict';
import { joinCluster, type JoinedNode } from '../../hub/engine/raft/join';
import { openData } from '../../hub/engine/raft/open-data';
import type { SimulatedDisk } from '../support/simulated-disk';
import { atEachOperation } from './crash-points';
import { FILES, FOLDER, linesOf, stoppedStore, textOf, type Files } from './stopped-stores';

const MAX_MS = 120_000;
const ADDRESS = 'ws://127.0.0.1:9900';

const join = (disk: SimulatedDisk): Promise<JoinedNode> =>
  joinCluster({
    ...{ disk, folder: FOLDER, host: '127.0.0.1', port: 0, version: 'lab' },
    config: {
      advertise: ADDRESS,
      peers: [ADDRESS],
      secret: '5ec2e7'.repeat(10),
      keepEntries: 5,
      maxAuthAgeMs: 600_000,
    },
    certificate: () => undefined,
    warn: () => undefined,
    crash: () => undefined,
    signal: new AbortController().signal,
  });

/** Joined, and with the founding's own state: what was there is there, of that cluster. */
async function isFounded(disk: SimulatedDisk, lines: readonly string[], clients: number): Promise<void> {
  const { cluster, node, uid, address } = await join(disk);
  assert.deepEqual([node, address], [1, ADDRESS]);
  assert.equal(textOf(disk.peek(FILES.hubId)).trim(), cluster);
  const { store, raft, state } = await openData({ disk, folder: FOLDER, warn: () => undefined });
  assert.deepEqual([state.index, state.members, state.configuration.voters], [1, [{ id: 1, uid, address }], [1]]);
  assert.deepEqual(raft.recovered.base, { term: 1, index: 1 });
  assert.equal(store.head.sequence, lines.length);
  assert.equal(store.initialClients.records.length, clients);
  assert.equal(store.initialClients.appliedIndex, undefined);
  await store.close();
  await raft.log.close();
  assert.deepEqual(linesOf(new Map([[FILES.entries, disk.peek(FILES.entries) ?? new Uint8Array(0)]])), lines);
}

const story = (files: Files, clients: number): Parameters<typeof atEachOperation>[0] => ({
  files,
  work: async (disk) => {
    await join(disk);
  },
  check: (disk) => isFounded(disk, linesOf(files), clients),
});

describe('every crash point of a founding', function () {
  this.timeout(MAX_MS);

  it('in an empty directory', async () => {
    const happened = await atEachOperation(story(new Map(), 0));
    assert.ok(happened >= 100, `${happened} faults`);
  });

  it('of a single hub that grows', async () => {
    const happened = await atEachOperation(story(await stoppedStore(5), 1));
    assert.ok(happened >= 100, `${happened} faults`);
  });

  it('of a backup that says how far the Raft log of another cluster was applied', async () => {
    const files = new Map(await stoppedStore(5));
    const change = (name: string, more: object): void => {
      const { checksum, ...value } = JSON.parse(textOf(files.get(name))) as Record<string, unknown>;
      const kept = name === FILES.clients ? { checksum } : {};
      files.set(name, Buffer.from(JSON.stringify({ ...value, ...kept, ...more })));
    };
    const configuration = { voters: [1], outgoing: [], learners: [], learnersNext: [], autoLeave: false };
    change(FILES.clients, { applied_index: 900 });
    change(FILES.meta, { raft: { term: 9, index: 901, configuration, members: [], nextId: 7 } });
    for (const name of [FILES.knownClients, FILES.index]) files.delete(name);
    const happened = await atEachOperation(story(files, 1));
    assert.ok(happened >= 100, `${happened} faults`);
  });
});
