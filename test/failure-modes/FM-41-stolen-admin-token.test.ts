/** FM-41: on a hub that approves registrations, a stolen admin token registers and publishes, but reads nothing and approves nothing. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { changeAccess, closeCode, errorOf, listedClients, listening, pushedIds, readable } from '../support/access';
import { hubCommand, publishEach } from '../support/hub-log';
import { registerClient, startHub, type HubProcess, type RegisteredClient } from '../support/hub-process';
import { ctx, removeTempDirs, tempDir, userEnv } from '../support/processes';
import { rawSession } from '../support/raw-session';
import { shared } from '../support/shared-entry';

const APPROVE = ['--approve-registrations'];

describe('FM-41: a stolen admin token', function () {
  this.timeout(120_000);
  let hub: HubProcess;
  let honest: RegisteredClient;
  let thief: RegisteredClient;

  beforeEach(async () => {
    hub = await startHub({ args: APPROVE });
    honest = await registerClient(hub, 'alpha', 'ada@laptop');
    await changeAccess(hub, 'approve', honest.clientId);
    await publishEach(hub, honest.token, [shared('secret-1'), shared('secret-2')]);
    thief = await registerClient(hub, 'thief', 'eve@desk');
  });
  afterEach(async () => {
    await hub.kill9();
  });
  after(removeTempDirs);

  const again = async (args: readonly string[] = APPROVE): Promise<void> => {
    await hub.stop();
    hub = await startHub({ dataDir: hub.dataDir, args });
  };
  const refusedToRead = async (token: string): Promise<void> => {
    const session = await rawSession(hub.address, token);
    for (const [request, kind] of ['sync', 'listen'].entries()) {
      const { code, message } = errorOf(await session.ask({ kind, request }));
      assert.equal(code, 'forbidden');
      assert.match(message ?? '', /ctx hub client approve [0-9a-f]{16}/);
    }
    assert.ok(!JSON.stringify(session.messages).includes('secret'));
    session.ws.terminate();
  };

  it('registers and publishes, reads nothing, also after a restart without the flag; its hello says that it waits', async () => {
    await publishEach(hub, thief.token, [shared('of-thief')]);
    await refusedToRead(thief.token);
    const session = await rawSession(hub.address, thief.token);
    assert.deepEqual((await session.next(({ kind }) => kind === 'hello'))['access'], { pending: true });
    session.ws.terminate();
    assert.deepEqual(await readable(hub.address, honest.token), ['secret-1', 'secret-2', 'of-thief']);
    await again([]);
    await refusedToRead(thief.token);
  });

  it('approves nobody: not on the wire, not by HTTP, not by the command with an address', async () => {
    const session = await rawSession(hub.address, hub.adminToken);
    for (const [request, kind] of ['client_approve', 'client_grant'].entries()) {
      const asked = { kind, request, client_id: thief.clientId, all: true };
      assert.equal(errorOf(await session.ask(asked)).code, 'invalid');
      const answer = await fetch(`${hub.address.replace('ws:', 'http:')}/v1/control/${kind}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${hub.adminToken}`, 'content-type': 'application/json' },
        body: JSON.stringify({ client_id: thief.clientId }),
      });
      assert.ok(answer.status === 401 || answer.status === 403, String(answer.status));
    }
    session.ws.terminate();
    const home = tempDir('ctx-elsewhere');
    const token = path.join(home, 'stolen');
    fs.writeFileSync(token, hub.adminToken, { mode: 0o600 });
    const remote = ['--addr', hub.address, '--token-file', token];
    const elsewhere = await ctx(['hub', 'client', 'approve', thief.clientId, ...remote], {
      cwd: home,
      env: userEnv(home),
    });
    assert.equal(elsewhere.code, 64, elsewhere.stderr);
    await refusedToRead(thief.token);
  });

  it('takes over no approved name: whoever registers it again waits for approval again, under a new id', async () => {
    const taken = await registerClient(hub, 'alpha', 'ada@laptop');
    await refusedToRead(taken.token);
    assert.notEqual(taken.clientId, honest.clientId);
    const late = await hubCommand(hub.dataDir, 'client', 'approve', honest.clientId);
    assert.equal(late.code, 65, late.stderr);
    await refusedToRead(taken.token);
    // Without the flag nobody is widened either.
    await again([]);
    const once = await registerClient(hub, 'alpha', 'ada@laptop');
    await refusedToRead(once.token);
  });

  it('is shown by "client list" as pending; approved, the same token reads all, on open sessions too, for good', async () => {
    const table = await hubCommand(hub.dataDir, 'client', 'list');
    assert.match(table.stdout, new RegExp(`${thief.clientId}.* pending\\s*$`, 'm'));
    assert.match(table.stdout, new RegExp(`${honest.clientId}.* active\\s*$`, 'm'));
    const open = await rawSession(hub.address, thief.token);
    assert.equal(errorOf(await open.ask({ kind: 'listen', request: 1 })).code, 'forbidden');
    const said = await changeAccess(hub, 'approve', thief.clientId);
    assert.match(said, /is approved: it reads everything/);
    assert.equal(await closeCode(open), 1001);
    const listener = await listening(hub.address, thief.token);
    await listener.next(() => pushedIds(listener).length === 2);
    listener.ws.terminate();
    await again();
    assert.deepEqual(await readable(hub.address, thief.token), ['secret-1', 'secret-2']);
    assert.ok((await listedClients(hub)).every(({ access }) => access === undefined));
  });

  it('is audited, as is its approval', async () => {
    await changeAccess(hub, 'grant', thief.clientId, '--types', 'task');
    await changeAccess(hub, 'approve', thief.clientId);
    const audit = fs.readFileSync(path.join(hub.dataDir, 'audit.jsonl'), 'utf8').trim().split('\n');
    const events = audit.map((line) => JSON.parse(line) as { event: string; client_id?: string; limits?: string });
    const ofThief = events.filter(({ client_id }) => client_id === thief.clientId);
    assert.deepEqual(
      ofThief.map(({ event }) => event).filter((event) => event !== 'forbidden'),
      ['register', 'grant', 'approve'],
    );
    assert.equal(ofThief.find(({ event }) => event === 'grant')?.limits, 'types: task');
  });
});
