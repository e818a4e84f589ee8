/** What a node had to discard reaches `entries.jsonl.rejected` whole, whatever its disk did at that moment (FM-20, FM-32; I9). */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {
  publishAnywhere,
  rejectedFile,
  rejectedIds,
  sameLogs,
  statusOf,
  takenInVain,
  whoLeads,
} from '../support/cluster-clients';
import { startCluster, type TestCluster } from '../support/cluster-processes';
import { diskFaults, diskFaultsImpossible, type DiskFaults } from '../support/faults/disk-faults';
import { published } from '../support/hub-log';
import { registerClient } from '../support/hub-process';
import { removeTempDirs, until } from '../support/processes';

describe('discarded entries and a disk that fails', function () {
  this.timeout(180_000);
  let cluster: TestCluster | undefined;
  let token = '';
  const faults = new Map<string, DiskFaults>();

  before(async function () {
    const why = diskFaultsImpossible();
    if (why !== undefined) {
      console.log(`      NOT RUN: ${why}`);
      this.skip();
    }
    const { nodes } = (cluster = await startCluster(3, [], (folder) => {
      const made = diskFaults(folder);
      faults.set(folder, made);
      return made.env;
    }));
    ({ token } = await registerClient((await whoLeads(nodes)).hub, 'alpha', 'ada@laptop'));
  });
  after(async () => {
    await Promise.all((cluster?.nodes ?? []).map(({ hub }) => hub.kill9()));
    removeTempDirs();
  });

  it('a disk that is full at the verdict: the node goes on, says so, and notes them when there is room', async () => {
    assert.ok(cluster !== undefined);
    const node = await takenInVain(cluster.nodes, token, 'lost-1');
    const disk = faults.get(path.dirname(node.dataDir));
    assert.ok(disk !== undefined);
    disk.command('full entries.jsonl.rejected');
    await node.restart();
    await until(
      'it says what is wrong',
      async () => (await statusOf(node)).problems.some((each) => /noted as rejected: .*rejected: no space/.test(each)),
      60_000,
    );
    assert.equal(fs.readFileSync(rejectedFile(node), 'utf8'), '');
    await publishAnywhere([node], token, published('goes-on'));
    disk.clear();
    await until('it is noted', () => rejectedIds(node).length > 0, 60_000);
    assert.deepEqual(rejectedIds(node), ['lost-1']);
    await until('it has no fault any more', async () => (await statusOf(node)).problems.length === 0, 30_000);
    assert.doesNotMatch((await sameLogs(cluster.nodes)).toString(), /"id":"lost-1"/);
  });

  it('a failed fsync of what is to be discarded ends the node before it discards: the next start finds and keeps it', async () => {
    assert.ok(cluster !== undefined);
    const node = await takenInVain(cluster.nodes, token, 'lost-2');
    const disk = faults.get(path.dirname(node.dataDir));
    assert.ok(disk !== undefined);
    const before = rejectedIds(node);
    disk.command('sync-eio discarded.jsonl');
    const starting = node.restart();
    starting.catch(() => undefined); // It may end before it listens.
    await until('the fsync has failed', () => disk.happened(), 60_000);
    const ended = await starting.then(
      (hub) => hub.process.finished,
      () => undefined,
    );
    assert.notEqual(ended?.code, 0);
    await node.restart();
    await until('it is noted', () => rejectedIds(node).length > before.length, 60_000);
    assert.deepEqual(rejectedIds(node), [...before, 'lost-2']);
  });
});
