/** What a node of version 0.1.0 left on its disk when it was killed, every later version takes up: log, clients, membership. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { whoLeads } from '../support/cluster-clients';
import { logOf, secretFileIn, startNode } from '../support/cluster-processes';
import { hubCommand, published, publishEach } from '../support/hub-log';
import { registerClient } from '../support/hub-process';
import { removeTempDirs, tempDir } from '../support/processes';

const GOLDEN = path.resolve('test/fixtures/golden/cluster-node');

/** With the modes that a hub asks for, which git does not keep. */
function copyOfGolden(dataDir: string): void {
  fs.cpSync(GOLDEN, dataDir, { recursive: true });
  for (const name of fs.readdirSync(dataDir, { recursive: true, encoding: 'utf8' })) {
    const file = path.join(dataDir, name);
    fs.chmodSync(file, fs.statSync(file).isDirectory() ? 0o700 : 0o600);
  }
  fs.chmodSync(dataDir, 0o700);
}

describe('the golden node', function () {
  this.timeout(60_000);
  after(removeTempDirs);

  it('starts, keeps every byte, client and member, and goes on', async () => {
    const folder = tempDir('ctx-golden');
    const dataDir = path.join(folder, 'data');
    copyOfGolden(dataDir);
    const before = logOf({ dataDir });
    const hub = await startNode({ dataDir, port: 0, secretFile: secretFileIn(folder) });
    try {
      await whoLeads([{ address: hub.address, hub }]);
      assert.ok(logOf({ dataDir }).equals(before));
      const clients = (await hubCommand(dataDir, 'client', 'list')).stdout;
      assert.match(clients, /alpha +ada@laptop .* active/);
      assert.match(clients, /beta +bob@desk .* active.*decision, ?learning/);
      assert.match(clients, /gamma +eve@desk .* revoked/);
      const { peers } = JSON.parse((await hubCommand(dataDir, 'peer', 'list', '--json')).stdout) as { peers: object[] };
      assert.equal(peers.length, 1);
      const { token } = await registerClient(hub, 'delta');
      await publishEach(hub, token, [published('e-6')]);
      assert.ok(logOf({ dataDir }).subarray(0, before.length).equals(before));
      assert.match(logOf({ dataDir }).toString(), /"id":"e-6".*"sequence":6/);
    } finally {
      await hub.stop();
    }
  });
});
