/** The hub that the editor starts, with real processes: shared, found again, on another port when it must be. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { isProcessAlive } from '../../../core/node/platform';
import { register } from '../../../core/node/registration';
import {
  ensureLocalHub,
  findRunningHub,
  readAdminToken,
  stopLocalHub,
  trustOf,
  type LocalHubOptions,
} from '../../../extension/hub/local-hub';
import { ctx, removeTempDirs, tempDir, until, userEnv } from '../../support/processes';
import { makeProject } from '../../support/test-project';

async function occupy(): Promise<{ readonly port: number; readonly free: () => Promise<void> }> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { port: address.port, free: () => new Promise((resolve) => server.close(() => resolve())) };
}

describe('local hub of the editor', function () {
  this.timeout(60_000);
  const started: LocalHubOptions[] = [];

  function options(port: number): LocalHubOptions {
    const home = tempDir('ctx-local-hub');
    const made = {
      ...{ distDir: path.resolve('dist'), home, dataDir: path.join(home, 'hub-data'), port, version: '0.0.0-test' },
      log: () => undefined,
    };
    started.push(made);
    return made;
  }

  afterEach(async () => {
    for (const each of started.splice(0)) await stopLocalHub(each);
  });
  after(removeTempDirs);

  it('takes the next free port when the wanted one is taken', async () => {
    const taken = await occupy();
    try {
      const hub = await ensureLocalHub(options(taken.port));
      assert.ok(hub.port > taken.port && hub.port <= taken.port + 20, `port ${hub.port}`);
    } finally {
      await taken.free();
    }
  });

  it('two windows that start it at once get the same one', async () => {
    const { port, free } = await occupy();
    await free();
    const here = options(port);
    const [one, other] = await Promise.all([ensureLocalHub(here), ensureLocalHub(here)]);
    assert.equal(one.pid, other.pid);
  });

  it('after a kill it is not believed, and comes back on its port with its data', async () => {
    const { port, free } = await occupy();
    await free();
    const here = options(port);
    const first = await ensureLocalHub(here);
    const token = await readAdminToken(here.dataDir);
    process.kill(first.pid, 'SIGKILL');
    await until('it is dead', () => !isProcessAlive(first.pid));
    assert.equal(await findRunningHub(here.dataDir), undefined);
    // Its port is remembered even if the setting has changed meanwhile.
    const again = await ensureLocalHub({ ...here, port: port + 1 });
    assert.equal(again.port, first.port);
    assert.notEqual(again.pid, first.pid);
    assert.equal(await readAdminToken(here.dataDir), token);
  });

  it('a stranger on the port of a dead hub is not taken for it', async () => {
    const { port, free } = await occupy();
    await free();
    const here = options(port);
    const hub = await ensureLocalHub(here);
    const file = path.join(here.dataDir, 'hub.json');
    const honest = fs.readFileSync(file, 'utf8');
    fs.writeFileSync(file, honest.replace(hub.nonce, 'another-nonce'));
    const found = await findRunningHub(here.dataDir);
    fs.writeFileSync(file, honest);
    assert.equal(found, undefined);
    assert.equal((await findRunningHub(here.dataDir))?.pid, hub.pid);
  });

  it('one that was started elsewhere with a certificate of its own is found, and its certificate trusted', async () => {
    const here = options(0);
    const project = makeProject();
    const started = await ctx(
      ['hub', 'start', '--daemon', '--port', '0', '--data-dir', here.dataDir, '--tls-self-signed'],
      { cwd: here.home, env: userEnv(here.home) },
    );
    assert.equal(started.code, 0, started.stderr);
    const hub = await ensureLocalHub(here);
    assert.match(hub.address, /^wss:/);
    const adminToken = (await readAdminToken(here.dataDir)) ?? '';
    const registration = { address: hub.address, adminToken, project: 'alpha', client: 'ada@laptop' };
    await register(project.paths, project.env, { ...registration, trust: trustOf(hub) });
  });

  it('leaves a launcher "ctx" that needs nothing but the editor’s own Node', async function () {
    if (process.platform === 'win32') this.skip();
    const here = options((await occupy().then(async (it) => (await it.free(), it))).port);
    await ensureLocalHub(here);
    const launcher = path.join(here.home, 'bin', here.version, 'ctx');
    const version = execFileSync(launcher, ['--version'], { env: { PATH: '/usr/bin:/bin' }, encoding: 'utf8' });
    assert.match(version, /^\d+\.\d+\.\d+/);
  });

  it('says that none runs when none runs', async () => {
    const here = options(9900);
    assert.equal(await stopLocalHub(here), false);
  });
});
