/** FM-63: entries are missing after a restore: `ctx connection status` shows both positions and histories side by side, and how to go on. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { hubCommand, logEntries } from '../support/hub-log';
import { startHub, type HubProcess } from '../support/hub-process';
import { removeTempDirs, tempDir } from '../support/processes';
import { connect, mirroredIds, newProject, succeeded, type CliProject } from '../support/projects';

describe('FM-63 entries that are missing after a restore', function () {
  this.timeout(120_000);
  let hub: HubProcess;
  after(async () => {
    await hub.kill9();
    removeTempDirs();
  });

  it('status tells of two histories; one sync each puts everything right', async () => {
    hub = await startHub();
    const ada = await newProject('alpha');
    const bob = await newProject('beta');
    for (const each of [ada, bob]) await connect(each, hub);
    const share = async (project: CliProject, id: string): Promise<void> => {
      succeeded(await project.ctx(['add', 'convention', `Title of ${id}`, '--id', id, '--share']));
    };
    await share(ada, 'a-1');
    await share(bob, 'b-1');
    const backup = path.join(tempDir('ctx-backup'), 'copy');
    assert.equal((await hubCommand(hub.dataDir, 'backup', backup)).code, 0);
    await share(ada, 'a-2');
    await share(ada, 'a-3');
    succeeded(await bob.ctx(['connection', 'sync']));
    await hub.kill9();
    hub = await startHub({ dataDir: backup, args: ['--port', String(hub.port)] });

    const { stdout } = succeeded(await bob.ctx(['connection', 'status']));
    assert.match(stdout, /^Hub at: +#2 \(\S+\)$/m);
    assert.match(stdout, /^Local at: #4 \(\S+\)$/m);
    assert.match(stdout, /^History: +not the one known here .*ctx connection sync/m);
    const json = JSON.parse(succeeded(await bob.ctx(['connection', 'status', '--json'])).stdout) as {
      cursor: { sequence: number };
      hub: { head: { sequence: number }; history: string };
    };
    assert.deepEqual([json.cursor.sequence, json.hub.head.sequence, json.hub.history], [4, 2, 'another']);
    for (const project of [ada, bob]) succeeded(await project.ctx(['connection', 'sync']));
    assert.deepEqual(
      logEntries(hub.dataDir).map(({ id }) => id),
      ['a-1', 'b-1', 'a-2', 'a-3'],
    );
    assert.deepEqual(mirroredIds(bob, 'hub/conventions.md'), ['a-1', 'a-2', 'a-3']);
    assert.doesNotMatch(succeeded(await bob.ctx(['connection', 'status'])).stdout, /^History:/m);
  });
});
