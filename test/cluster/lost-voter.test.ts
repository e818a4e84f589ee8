/**
 * A voter whose disk went back behind what it acknowledged (thesis §3.8, FM-23): the leader ends it, and it never votes again,
 * whoever leads then.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { publishAnywhere, whoLeads } from '../support/cluster-clients';
import { sharedCluster, type ClusterNode } from '../support/cluster-processes';
import { endedStart, published, readJson } from '../support/hub-log';
import { registerClient } from '../support/hub-process';
import { until, type Finished } from '../support/processes';

describe('a voter whose data directory is put back as it was', function () {
  this.timeout(180_000);
  const cluster = sharedCluster(3);

  const startOf = (node: ClusterNode, until?: RegExp): Promise<Finished> => {
    const { port } = new URL(node.address);
    return endedStart(node.dataDir, ['--port', port, '--cluster-secret-file', cluster.secretFile], until);
  };

  it('is ended by the leader, and refused at every later start, also when that leader is gone', async () => {
    const leader = await whoLeads(cluster.nodes);
    const { token } = await registerClient(leader.hub, 'alpha', 'ada@laptop');
    const [voter, other] = cluster.nodes.filter((node) => node !== leader);
    assert.ok(voter !== undefined && other !== undefined);
    await publishAnywhere([leader], token, published('before'));
    await voter.hub.stop();
    const old = path.join(cluster.folder, 'old');
    fs.cpSync(voter.dataDir, old, { recursive: true });
    await voter.restart();
    for (const id of ['later-1', 'later-2']) await publishAnywhere([leader], token, published(id));
    await until('the voter has them', () =>
      fs.readFileSync(path.join(voter.dataDir, 'entries.jsonl')).includes('later-2'),
    );
    await voter.hub.stop();
    fs.rmSync(voter.dataDir, { recursive: true });
    fs.cpSync(old, voter.dataDir, { recursive: true });
    // It may serve for a moment, until the leader's first word.
    const ended = await startOf(voter, /lost what it promised/);
    assert.match(ended.stderr, /the leader has this node's word for \d+: this node lost what it promised/);
    assert.match(String(readJson(path.join(voter.dataDir, 'raft', 'node.json'))['lost']), /has this node's word/);

    // With it the other one would be a majority, and would lead without what was acknowledged.
    await leader.hub.kill9();
    for (const time of ['first', 'again']) {
      const { code, stderr, stdout } = await startOf(voter);
      assert.equal(code, 65, `${time}: ${stdout}${stderr}`);
      assert.match(stderr, /word for \d+: this node lost what it promised.*ctx hub peer remove.*ctx hub peer add/);
    }
    await leader.restart();
    assert.equal((await startOf(voter)).code, 65);
  });
});
