/** What a node finds in its data directory at a start: a log that another cluster left, and files that do not belong together. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { openSession } from '../../core/node/hub-session';
import { publishAnywhere } from '../support/cluster-clients';
import { freePorts, startCluster, startNode, type ClusterNode, type TestCluster } from '../support/cluster-processes';
import { backupTarget, hubCommand, published, readJson } from '../support/hub-log';
import { registerClient, startHub, type HubProcess } from '../support/hub-process';
import { removeTempDirs } from '../support/processes';
import { succeeded } from '../support/projects';

const json = (...names: readonly string[]): Record<string, unknown> => readJson(path.join(...names));
const writeJson = (value: unknown, ...names: readonly string[]): void =>
  fs.writeFileSync(path.join(...names), `${JSON.stringify(value, undefined, 2)}\n`);

async function knows(hub: HubProcess, token: string): Promise<boolean> {
  const session = await openSession({ address: hub.address, token }).catch(() => undefined);
  session?.terminate();
  return session !== undefined;
}

describe('a backup of a cluster that becomes another cluster', function () {
  this.timeout(180_000);
  let cluster: TestCluster;
  let node: ClusterNode;
  let token = '';
  let clientId = '';

  before(async () => {
    cluster = await startCluster(1);
    const [first] = cluster.nodes;
    assert.ok(first !== undefined);
    node = first;
    ({ token } = await registerClient(node.hub, 'alpha', 'ada@laptop'));
    for (let i = 1; i <= 5; i++) await publishAnywhere(cluster.nodes, token, published(`e-${i}`));
    // Clients of a higher index than anything a new cluster begins with.
    ({ clientId } = await registerClient(node.hub, 'beta', 'bob@desk'));
    await node.hub.stop();
  });
  after(removeTempDirs);

  async function backup(): Promise<string> {
    const target = backupTarget();
    succeeded(await hubCommand(node.dataDir, 'backup', target));
    return target;
  }

  /** As a backup was that did not leave out what is said of the Raft log. */
  async function oldBackup(): Promise<string> {
    const target = await backup();
    const { checksum, ...meta } = json(target, 'meta.json');
    assert.ok(checksum !== undefined);
    const { raft } = json(node.dataDir, 'meta.json');
    writeJson({ ...meta, raft }, target, 'meta.json');
    fs.copyFileSync(path.join(node.dataDir, 'clients.json'), path.join(target, 'clients.json'));
    assert.ok(Number(json(target, 'clients.json')['applied_index']) > 5);
    return target;
  }

  const single = async (dataDir: string): Promise<void> => {
    const hub = await startHub({ dataDir });
    assert.ok(await knows(hub, token));
    await hub.stop();
  };

  /** What is changed in the new cluster stays, although the old one counted further. */
  async function grows(dataDir: string): Promise<void> {
    const [port = 0] = await freePorts(1);
    const { secretFile } = cluster;
    const first = await startNode({ dataDir, port, secretFile, peers: [`ws://127.0.0.1:${port}`] });
    const carol = await registerClient(first, 'gamma', 'carol@tower');
    assert.ok(await knows(first, token));
    assert.ok(await knows(first, carol.token), 'a client that registers is known');
    succeeded(await hubCommand(dataDir, 'client', 'revoke', clientId));
    await first.kill9();
    const again = await startNode({ dataDir, port, secretFile });
    assert.ok(await knows(again, token));
    assert.ok(await knows(again, carol.token), 'and still after a restart');
    const { clients } = JSON.parse(succeeded(await hubCommand(dataDir, 'client', 'list', '--json')).stdout) as {
      clients: { client_id: string; revoked_at?: string }[];
    };
    assert.ok(clients.find(({ client_id }) => client_id === clientId)?.revoked_at !== undefined, 'a revocation holds');
    assert.equal(await publishAnywhere([again], token, published('more')), 6);
    await again.stop();
  }

  it('says nothing of a Raft log that it does not hold', async () => {
    const target = await backup();
    assert.ok(Number(json(node.dataDir, 'clients.json')['applied_index']) > 5);
    assert.ok(json(node.dataDir, 'meta.json')['raft'] !== undefined);
    assert.equal(json(target, 'clients.json')['applied_index'], undefined);
    assert.equal(json(target, 'meta.json')['raft'], undefined);
    assert.deepEqual(json(target, 'clients.json')['clients'], json(node.dataDir, 'clients.json')['clients']);
  });

  it('grows at once', async () => grows(await backup()));

  it('grows after it was a single hub', async () => {
    const target = await backup();
    await single(target);
    await grows(target);
  });

  it('grows when it was made by a version that left nothing out', async () => grows(await oldBackup()));

  it('and that one as a single hub keeps nothing of the Raft log, and then grows', async () => {
    const target = await oldBackup();
    await single(target);
    assert.equal(json(target, 'clients.json')['applied_index'], undefined);
    assert.equal(json(target, 'meta.json')['raft'], undefined);
    await grows(target);
  });
});
