/** A listener goes on while another command of the same project changes what it stands on. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { startHub, type HubProcess } from '../support/hub-process';
import { removeTempDirs, until, type Running } from '../support/processes';
import { connect, DECISION_FIELDS, mirroredIds, newProject, succeeded, type CliProject } from '../support/projects';

describe('listen, while the connection changes', function () {
  this.timeout(60_000);
  let hub: HubProcess;
  let alpha: CliProject;
  let beta: CliProject;
  let listener: Running;
  let shared = 0;

  const share = async (): Promise<void> => {
    succeeded(await alpha.ctx(['add', 'decision', `Decision ${++shared} of many`, ...DECISION_FIELDS, '--share']));
  };
  const arrives = async (): Promise<void> => {
    const before = mirroredIds(beta).length;
    await share();
    await until('the entry arrives', () => mirroredIds(beta).length > before, 20_000);
  };

  before(async () => {
    hub = await startHub();
    alpha = await newProject('alpha');
    await connect(alpha, hub);
  });
  beforeEach(async () => {
    beta = await newProject('beta');
    await connect(beta, hub);
    listener = beta.start(['connection', 'listen']);
    await listener.says(/up to date/);
    await arrives();
  });
  afterEach(async () => {
    listener.process.kill('SIGKILL');
    await listener.finished;
  });
  after(async () => {
    await hub.kill9();
    removeTempDirs();
  });

  it('takes up other subscriptions, and ends with a signal after that', async () => {
    succeeded(await beta.ctx(['connection', 'unsubscribe', 'task']));
    await arrives();
    succeeded(await beta.ctx(['connection', 'subscribe', 'all']));
    await arrives();
    listener.process.kill('SIGTERM');
    assert.deepEqual((await listener.finished).code, 0);
  });

  it('goes on with a new token when the project is registered again', async () => {
    for (let round = 0; round < 3; round++) {
      await connect(beta, hub);
      await arrives();
    }
    assert.equal(listener.process.exitCode, null);
  });

  it('ends when the project is no longer connected, and says so', async () => {
    succeeded(await beta.ctx(['connection', 'unregister']));
    const { code, stderr } = await listener.finished;
    assert.equal(code, 78);
    assert.match(stderr, /not connected/);
  });

  it('outlives a file in the place of its folder, says what is in the way, and goes on when that is gone', async () => {
    const hubDir = path.join(beta.dir, '.context', 'hub');
    fs.rmSync(hubDir, { recursive: true, force: true });
    fs.writeFileSync(hubDir, 'not a folder');
    await listener.says(/outbox\.jsonl: a part of the path is a file/);
    fs.rmSync(hubDir);
    await share();
    await until('the mirror is whole again', () => mirroredIds(beta).length === shared, 30_000);
    assert.equal(listener.process.exitCode, null);
  });

  it('ends when its token is revoked, and says so', async () => {
    const { stdout } = await beta.ctx(['connection', 'status', '--json']);
    const { client } = JSON.parse(stdout) as { client: string };
    const flags = ['--data-dir', hub.dataDir];
    const listed = succeeded(await beta.ctx(['hub', 'client', 'list', ...flags, '--json']));
    const { clients } = JSON.parse(listed.stdout) as {
      clients: { client_id: string; client: string; project: string }[];
    };
    const own = clients.find((each) => each.client === client && each.project === 'beta');
    succeeded(await beta.ctx(['hub', 'client', 'revoke', own?.client_id ?? '', ...flags]));
    const { code, stderr } = await listener.finished;
    assert.equal(code, 77);
    assert.match(stderr, /revoked or replaced/);
  });

  it('with nothing subscribed, sync says that it is up to date', async () => {
    succeeded(await beta.ctx(['connection', 'unsubscribe', 'all']));
    listener.process.kill('SIGKILL');
    await listener.finished;
    await share();
    const { stdout } = succeeded(await beta.ctx(['connection', 'sync']));
    assert.match(stdout, /^Up to date at #\d+: 0 received, 0 sent$/m);
    assert.equal(path.basename(beta.dir), 'beta');
  });
});
