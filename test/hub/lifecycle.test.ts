/** `ctx hub start|stop|status` as an operator meets them. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { openSession } from '../../core/node/hub-session';
import { isProcessAlive } from '../../core/node/platform';
import { registerClient, startHub, type HubProcess } from '../support/hub-process';
import { rawSession } from '../support/raw-session';
import { ctx, removeTempDirs, tempDir, until, userEnv, type Finished } from '../support/processes';

interface HubFile {
  readonly pid: number;
  readonly address: string;
  readonly nonce: string;
}

describe('hub: life', () => {
  let home: string;
  let dataDir: string;
  const hub = (...args: string[]): Promise<Finished> => ctx(['hub', ...args], { cwd: home, env: userEnv(home) });
  const hubFile = (): HubFile => JSON.parse(fs.readFileSync(path.join(dataDir, 'hub.json'), 'utf8')) as HubFile;

  beforeEach(() => {
    home = tempDir('ctx-life');
    dataDir = path.join(home, 'data');
  });
  afterEach(async () => {
    await hub('stop', '--data-dir', dataDir);
  });
  after(removeTempDirs);

  it('--daemon returns when the hub serves, says what start says, and stop waits until it is gone', async () => {
    const started = await hub('start', '--daemon', '--port', '0', '--data-dir', dataDir);
    assert.equal(started.code, 0, started.stderr);
    const lines = started.stdout.split('\n');
    assert.match(lines[0] ?? '', /^ctx hub listening on ws:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(lines[1], `Data directory: ${dataDir}`);
    const token = fs.readFileSync(path.join(dataDir, 'admin.token'), 'utf8').trim();
    assert.equal(lines[2], `Admin token (shown once, kept in ${path.join(dataDir, 'admin.token')}): ${token}`);
    const { pid, address } = hubFile();
    assert.equal(lines[0], `ctx hub listening on ${address}`);
    const session = await openSession({ address, token });
    await session.close();
    assert.match(fs.readFileSync(path.join(dataDir, 'hub.log'), 'utf8'), /"msg":"hub started"/);
    const stopped = await hub('stop', '--data-dir', dataDir);
    assert.deepEqual([stopped.code, stopped.stderr], [0, '']);
    assert.ok(!isProcessAlive(pid));
    assert.ok(!fs.existsSync(path.join(dataDir, 'hub.json')));
    assert.ok(!fs.existsSync(path.join(dataDir, 'hub.lock')));
  });

  it('--daemon that cannot start says why and has its exit code', async () => {
    const taken = net.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as net.AddressInfo;
    const started = await hub('start', '--daemon', '--port', String(port), '--data-dir', dataDir);
    assert.deepEqual([started.code, started.stdout], [73, '']);
    assert.match(started.stderr, new RegExp(`Port 127\\.0\\.0\\.1:${port} is in use`));
    // In the foreground the process itself has to end, and in both cases it lets go of the directory.
    const foreground = await hub('start', '--port', String(port), '--data-dir', dataDir);
    taken.close();
    assert.equal(foreground.code, 73);
    const { pid } = JSON.parse(fs.readFileSync(path.join(dataDir, 'hub.log'), 'utf8').split('\n')[0] ?? '') as HubFile;
    await until('the process behind --daemon has ended', () => !isProcessAlive(pid));
    assert.ok(!fs.existsSync(path.join(dataDir, 'hub.lock')));
  });

  it('shows the admin token on the first start only, and makes a new one when its file is deleted (FM-40)', async () => {
    const start = (): Promise<Finished> => hub('start', '--daemon', '--port', '0', '--data-dir', dataDir);
    const file = path.join(dataDir, 'admin.token');
    const token = (text: string): string | undefined => /: (ctx_adm_\S+)$/m.exec(text)?.[1];
    const first = token((await start()).stdout);
    const client = await registerClient({ address: hubFile().address, adminToken: first ?? '' }, 'alpha');
    await hub('stop', '--data-dir', dataDir);
    assert.equal(token((await start()).stdout), undefined);
    await hub('stop', '--data-dir', dataDir);
    fs.rmSync(file);
    // Standard output in the foreground belongs to a service manager, which keeps it: no place for a secret.
    const foreground = await startHub({ dataDir });
    assert.match(foreground.process.stdout(), /Admin token: kept in \S+admin\.token$/m);
    assert.equal(foreground.process.stdout().includes(foreground.adminToken), false);
    await foreground.stop();
    fs.rmSync(file);
    const second = token((await start()).stdout);
    assert.equal(fs.readFileSync(file, 'utf8').trim(), second);
    assert.notEqual(second, first);
    await assert.rejects(openSession({ address: hubFile().address, token: first ?? '' }), { code: 'unauthenticated' });
    await (await openSession({ address: hubFile().address, token: client.token })).close();
  });

  it('token rotate replaces the admin token at once, also on open sessions; client tokens keep working', async () => {
    const running = await startHub({ dataDir });
    const client = await registerClient(running, 'alpha');
    const admin = await openSession({ address: running.address, token: running.adminToken });
    const rotated = await hub('token', 'rotate', '--data-dir', dataDir, '--json');
    const { token } = JSON.parse(rotated.stdout) as { token: string };
    assert.equal((await admin.closed).error.code, 'unauthenticated');
    await assert.rejects(openSession({ address: running.address, token: running.adminToken }), {
      code: 'unauthenticated',
    });
    await registerClient({ address: running.address, adminToken: token }, 'beta');
    await (await openSession({ address: running.address, token: client.token })).close();
    assert.equal(fs.readFileSync(path.join(dataDir, 'admin.token'), 'utf8').trim(), token);
  });

  it('SIGTERM answers what is under way, says goodbye with 1001, and exits 0 (FM-30)', async () => {
    const running = await startHub({ dataDir });
    const { token } = await registerClient(running, 'alpha');
    const session = await openSession({ address: running.address, token });
    const listener = await rawSession(running.address, token);
    await listener.ask({ kind: 'listen', request: 1 });
    // Large enough that the signal arrives in the middle of them.
    const body = 'x'.repeat(400_000);
    const answers = Array.from({ length: 40 }, (_, i) =>
      session
        .publish([{ id: `e-${i}`, type: 'task', content: `Task ${i}\n\n${body}`, timestamp: '2026-01-31T09:30:00Z' }])
        .then((results) => results[0]),
    );
    await answers[0];
    const stopped = running.stop();
    const settled = await Promise.allSettled(answers);
    assert.equal((await listener.closed).code, 1001);
    assert.equal(listener.messages.at(-1)?.['kind'], 'going_away');
    assert.equal((await stopped).code, 0);
    const stored = fs.readFileSync(path.join(dataDir, 'entries.jsonl'), 'utf8').trim().split('\n').length;
    const acknowledged = settled.filter((each) => each.status === 'fulfilled').length;
    // What was refused is not there, what was acknowledged is.
    assert.equal(stored, acknowledged);
    for (const each of settled) {
      if (each.status === 'rejected') assert.equal((each.reason as { code: string }).code, 'going_away');
    }
  });

  it('a start with bad flags says which, and leaves nothing behind', async () => {
    for (const [flags, code, says] of [
      [['--port', '70000'], 64, /--port must be a whole number from 0 to 65535/],
      [['--port', '9900x'], 64, /--port/],
      [['--host', '0.0.0.0'], 78, /--insecure/],
      [['--allow-origin', 'example.org'], 64, /--allow-origin/],
      [['--no-such-flag'], 64, /unknown option/],
    ] as const) {
      const finished = await hub('start', '--data-dir', dataDir, ...flags);
      assert.equal(finished.code, code, finished.stderr);
      assert.match(finished.stderr, says);
      assert.equal(finished.stdout, '');
      assert.ok(!fs.existsSync(dataDir));
    }
  });
});

describe('hub: client list and revoke', () => {
  let running: HubProcess;
  let home: string;
  const hub = (args: readonly string[], env: Record<string, string> = {}): Promise<Finished> =>
    ctx(['hub', ...args], { cwd: home, env: userEnv(home, env) });

  before(async () => {
    running = await startHub();
    home = path.dirname(running.dataDir);
  });
  after(async () => {
    await running.stop();
    removeTempDirs();
  });

  it('lists ids, projects and times, never a token', async () => {
    const client = await registerClient(running, 'alpha', 'ada@laptop');
    const local = await hub(['client', 'list', '--data-dir', running.dataDir]);
    assert.equal(local.code, 0);
    assert.match(local.stdout, new RegExp(`^${client.clientId} +alpha +ada@laptop .*active$`, 'm'));
    assert.ok(!/ctx_cli_|[0-9a-f]{32}/.test(local.stdout));
    const remote = await hub(['client', 'list', '--json', '--addr', running.address], {
      CTX_ADMIN_TOKEN: running.adminToken,
    });
    const { clients } = JSON.parse(remote.stdout) as { clients: { client_id: string }[] };
    assert.deepEqual(
      clients.map((each) => each.client_id),
      [client.clientId],
    );
  });

  it('revoke closes open streams at once with 4401; the token is dead, others go on (FM-42)', async () => {
    const doomed = await registerClient(running, 'doomed');
    const other = await registerClient(running, 'other');
    const listener = await rawSession(running.address, doomed.token);
    await listener.ask({ kind: 'listen', request: 1 });
    const publisher = await openSession({ address: running.address, token: other.token });
    const begun = performance.now();
    const revoked = await hub(['client', 'revoke', doomed.clientId, '--data-dir', running.dataDir]);
    assert.equal(revoked.code, 0, revoked.stderr);
    assert.equal((await listener.closed).code, 4401);
    assert.ok(performance.now() - begun < 5_000);
    await assert.rejects(openSession({ address: running.address, token: doomed.token }), { code: 'unauthenticated' });
    const entry = { id: 'after', type: 'task' as const, content: 'x', timestamp: '2026-01-31T09:30:00Z' };
    assert.equal((await publisher.publish([entry])).length, 1);
    await publisher.close();
    assert.match((await hub(['client', 'list', '--data-dir', running.dataDir])).stdout, /doomed .*revoked 2/);
  });

  it('registering again keeps the client id, and ends the old token on open sessions', async () => {
    const first = await registerClient(running, 'again', 'ada@laptop');
    const session = await openSession({ address: running.address, token: first.token });
    const second = await registerClient(running, 'again', 'ada@laptop');
    assert.equal(second.clientId, first.clientId);
    assert.equal((await session.closed).error.code, 'unauthenticated');
    await assert.rejects(openSession({ address: running.address, token: first.token }), { code: 'unauthenticated' });
    await (await openSession({ address: running.address, token: second.token })).close();
    const another = await registerClient(running, 'again', 'bob@desk');
    assert.notEqual(another.clientId, first.clientId);
    await until('last seen is noted', async () => {
      const { stdout } = await hub(['client', 'list', '--data-dir', running.dataDir, '--json']);
      const { clients } = JSON.parse(stdout) as { clients: { client_id: string; last_seen_at?: string }[] };
      return clients.find((each) => each.client_id === first.clientId)?.last_seen_at !== undefined;
    });
  });

  it('says what is wrong: unknown client, no token, no hub', async () => {
    const unknown = await hub(['client', 'revoke', 'feedfacefeedface', '--data-dir', running.dataDir]);
    assert.equal(unknown.code, 65);
    assert.match(unknown.stderr, /feedfacefeedface.*ctx hub client list/);
    const noToken = await hub(['client', 'list', '--addr', running.address]);
    assert.equal(noToken.code, 64);
    assert.match(noToken.stderr, /--token-file/);
    const noHub = await hub(['client', 'list', '--data-dir', path.join(home, 'elsewhere')]);
    assert.equal(noHub.code, 69);
    assert.match(noHub.stderr, /No hub is running/);
  });
});
