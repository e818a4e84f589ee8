/** What a cluster does when nodes are lost: discarded entries are kept, and a survivor can go on alone (FM-16, FM-32, FM-33). */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { publishAnywhere, rejectedFile, sameLogs, takenInVain, whoLeads } from '../support/cluster-clients';
import {
  freePorts,
  logOf,
  startCluster,
  startNode,
  type ClusterNode,
  type TestCluster,
} from '../support/cluster-processes';
import { hubCommand, published } from '../support/hub-log';
import { registerClient } from '../support/hub-process';
import { removeTempDirs, until } from '../support/processes';

describe('a cluster that loses nodes', function () {
  this.timeout(180_000);
  let cluster: TestCluster;
  let token = '';

  before(async () => {
    cluster = await startCluster(3);
    await whoLeads(cluster.nodes);
    const [first] = cluster.nodes;
    assert.ok(first !== undefined);
    ({ token } = await registerClient(first.hub, 'alpha', 'ada@laptop'));
  });
  after(async () => {
    await Promise.all(cluster.nodes.map(({ hub }) => hub.stop()));
    removeTempDirs();
  });

  it('what an isolated leader took in and had to discard is listed, and published again with its origin', async () => {
    await publishAnywhere(cluster.nodes, token, published('kept-1'));
    const leader = await takenInVain(cluster.nodes, token, 'lost-1');
    await leader.restart();
    await until('it is noted as rejected', () => fs.existsSync(rejectedFile(leader)), 60_000);
    const listed = await hubCommand(leader.dataDir, 'rejected', '--json');
    const { entries } = JSON.parse(listed.stdout) as { entries: { id: string; origin: string; reason: string }[] };
    assert.deepEqual(
      entries.map(({ id, origin }) => [id, origin]),
      [['lost-1', 'alpha']],
    );
    assert.match(entries[0]?.reason ?? '', /majority/);
    assert.doesNotMatch(logOf(leader).toString(), /"id":"lost-1"/);
    const replayed = await hubCommand(leader.dataDir, 'rejected', '--replay');
    assert.match(replayed.stdout, /^1 entry published again; there already: 0; refused: 0\./);
    const again = await hubCommand(leader.dataDir, 'rejected', '--replay');
    assert.match(again.stdout, /^0 entries published again; there already: 1;/);
    assert.match((await sameLogs(cluster.nodes)).toString(), /"id":"lost-1".*"origin":"alpha"/);
    for (const node of cluster.nodes) assert.equal(fs.existsSync(rejectedFile(node)), node === leader);
  });

  it('after the loss of a majority a survivor goes on alone, keeps every entry and the old state, and takes in new nodes', async () => {
    const [behind, ...others] = cluster.nodes;
    assert.ok(behind !== undefined);
    await behind.hub.kill9();
    await publishAnywhere(others, token, published('not-everywhere'));
    const before = await sameLogs(others);
    await Promise.all(others.map(({ hub }) => hub.kill9()));
    const [least, , kept] = (await Promise.all(cluster.nodes.map(reach))).toSorted(
      (a, b) => a.term - b.term || a.index - b.index,
    );
    assert.ok(least !== undefined && kept !== undefined);
    assert.equal(least.node, behind);
    assert.equal(kept.sequence, before.toString().split('\n').length - 1);
    assert.equal(least.sequence, kept.sequence - 1);
    await goesOnAlone(kept.node, behind, before);
  });

  /** What `ctx hub recover` says of a stopped node, and that it changes nothing. */
  async function reach(
    node: ClusterNode,
  ): Promise<{ node: ClusterNode; term: number; index: number; sequence: number }> {
    const files = (): readonly string[] =>
      fs
        .readdirSync(node.dataDir, { recursive: true, encoding: 'utf8' })
        .filter((name) => name !== 'hub.lock')
        .sort()
        .map((name) => {
          const { size, mtimeMs } = fs.statSync(path.join(node.dataDir, name));
          return `${name} ${size} ${mtimeMs}`;
        });
    const before = files();
    const asked = await hubCommand(node.dataDir, 'recover');
    assert.deepEqual([asked.code, asked.stdout], [64, '']);
    assert.match(asked.stderr, /highest term[\s\S]*highest index[\s\S]*is lost[\s\S]*--force/);
    assert.deepEqual(files(), before);
    const [, term, index, sequence] = /ends at term (\d+), index (\d+); .* sequence (\d+)\./.exec(asked.stderr) ?? [];
    return { node, term: Number(term), index: Number(index), sequence: Number(sequence) };
  }

  async function goesOnAlone(kept: ClusterNode, old: ClusterNode, before: Buffer): Promise<void> {
    const done = await hubCommand(kept.dataDir, 'recover', '--force', '--json');
    assert.equal(done.code, 0, done.stderr);
    const { copy, node } = JSON.parse(done.stdout) as { copy: string; node: number };
    assert.ok(fs.existsSync(path.join(copy, 'raft', 'node.json')));
    await kept.restart();
    assert.ok(logOf(kept).equals(before));
    await publishAnywhere([kept], token, published('after'));
    // One of the old cluster is a stranger now.
    await old.restart();
    const oldLog = logOf(old).toString();
    const fresh = await newcomer(kept);
    await sameLogs([kept, fresh]);
    assert.doesNotMatch(oldLog, /"id":"after"/);
    const rows = await hubCommand(kept.dataDir, 'peer', 'list', '--json');
    const { peers } = JSON.parse(rows.stdout) as { peers: { node: number }[] };
    assert.deepEqual(
      peers.map((each) => each.node),
      [node, 4],
    );
    await fresh.hub.stop();
  }

  async function newcomer(kept: ClusterNode): Promise<Pick<ClusterNode, 'dataDir' | 'hub'>> {
    const [port = 0] = await freePorts(1);
    const address = `ws://127.0.0.1:${port}`;
    const dataDir = path.join(cluster.folder, 'fresh', 'data');
    fs.mkdirSync(path.dirname(dataDir));
    const peers = [address, kept.address];
    const serving = startNode({ dataDir, port, peers, secretFile: cluster.secretFile });
    await until('it is added', async () => (await hubCommand(kept.dataDir, 'peer', 'add', address)).code === 0, 30_000);
    return { dataDir, hub: await serving };
  }
});
