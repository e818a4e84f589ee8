/** FM-66: `ctx hub status --exit-code` is a number for monitoring: 0 healthy, 1 degraded, 3 not running; here and from any machine. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { filledData, hubCommand, logFile, openHub } from '../support/hub-log';
import { registerClient, startHub } from '../support/hub-process';
import { ctx, removeTempDirs, tempDir, userEnv, type Finished } from '../support/processes';

describe('FM-66: status by exit code', function () {
  this.timeout(60_000);
  let home: string;
  beforeEach(() => {
    home = tempDir('ctx-status');
  });
  after(removeTempDirs);

  const hub = (...args: string[]): Promise<Finished> => ctx(['hub', ...args], { cwd: home, env: userEnv(home) });

  it('healthy and not running; with the data directory, and with --addr with and without a token', async () => {
    const dataDir = path.join(home, 'data');
    assert.equal((await hub('status', '--exit-code', '--data-dir', dataDir)).code, 3);
    assert.equal((await hub('status', '--data-dir', dataDir)).code, 69);
    const running = await startHub({ dataDir });
    const local = await hub('status', '--exit-code', '--json', '--data-dir', dataDir);
    assert.equal(local.code, 0);
    const answer = JSON.parse(local.stdout) as { schemaVersion: number; kind: string; state: string; status: object };
    assert.deepEqual([answer.schemaVersion, answer.kind, answer.state], [1, 'hub_status', 'healthy']);
    assert.ok('data_dir' in answer.status);
    const open = await hub('status', '--exit-code', '--addr', running.address);
    assert.equal(open.code, 0);
    assert.ok(!open.stdout.includes('Sequence'));
    const { token } = await registerClient(running, 'alpha');
    fs.writeFileSync(path.join(home, 'token'), token);
    const detailed = await hub('status', '--addr', running.address, '--token-file', 'token', '--json');
    const details = JSON.parse(detailed.stdout) as { status: { clients: number; data_dir?: string } };
    assert.equal(details.status.clients, 1);
    assert.equal(details.status.data_dir, undefined);
    await running.stop();
    assert.equal((await hub('status', '--exit-code', '--addr', running.address)).code, 3);
  });

  it('degraded, with and without a token, once the hub has met damage', async () => {
    const dataDir = await filledData(20);
    const { hub: running, session } = await openHub('alpha', dataDir);
    const file = fs.openSync(logFile(dataDir), 'r+');
    fs.writeSync(file, 'X', fs.readFileSync(logFile(dataDir)).indexOf('Title of e-10\\n'));
    fs.closeSync(file);
    await assert.rejects(session.syncPage({}), { code: 'store_failed' });
    await session.close();
    assert.equal((await hubCommand(dataDir, 'status', '--exit-code')).code, 1);
    assert.equal((await hub('status', '--exit-code', '--addr', running.address)).code, 1);
    await running.kill9();
  });
});
