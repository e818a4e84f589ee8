/** FM-28: two hubs on one data directory cannot be; a dead one is never in the way; `stop` hurts nobody else. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { isProcessAlive } from '../../core/node/platform';
import { startHub } from '../support/hub-process';
import { ctx, removeTempDirs, start, tempDir, userEnv, type Finished, type Running } from '../support/processes';

const RACES = 20;

describe('FM-28: one hub per data directory', () => {
  let home: string;
  let dataDir: string;
  let bystander: ChildProcess | undefined;
  const hub = (...args: string[]): Promise<Finished> => ctx(['hub', ...args], { cwd: home, env: userEnv(home) });
  const startArgs = (): string[] => ['hub', 'start', '--port', '0', '--data-dir', dataDir];

  /** A process that is no hub. */
  const stranger = (): number => {
    bystander = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' });
    assert.ok(bystander.pid !== undefined);
    return bystander.pid;
  };

  beforeEach(() => {
    home = tempDir('ctx-lock');
    dataDir = path.join(home, 'data');
  });
  afterEach(() => {
    bystander?.kill('SIGKILL');
    bystander = undefined;
  });
  after(removeTempDirs);

  it('the second hub refuses to start, names the first, and leaves it alone', async () => {
    const first = await startHub({ dataDir });
    const second = await hub('start', '--port', '0', '--data-dir', dataDir);
    assert.deepEqual([second.code, second.stdout], [73, '']);
    assert.match(second.stderr, new RegExp(`${first.process.process.pid ?? ''}.*ctx hub stop --data-dir`));
    assert.equal((await hub('status', '--exit-code', '--data-dir', dataDir)).code, 0);
    assert.equal((await first.stop()).code, 0);
  });

  it('a copy of a folder in use is told from the folder: no start, and no stop of the hub that it was copied from', async () => {
    const first = await startHub({ dataDir });
    const copy = path.join(home, 'copy');
    fs.cpSync(dataDir, copy, { recursive: true });
    assert.ok(fs.existsSync(path.join(copy, 'hub.lock')));
    const second = await hub('start', '--port', '0', '--data-dir', copy);
    assert.deepEqual([second.code, second.stdout], [73, '']);
    assert.match(
      second.stderr,
      /copy is a copy of .*data, made while a hub ran there.*ctx hub backup <dir> --data-dir .*data\./,
    );
    assert.doesNotMatch(second.stderr, /ctx hub stop/);
    assert.equal((await hub('status', '--exit-code', '--data-dir', copy)).code, 3);
    assert.match((await hub('stop', '--data-dir', copy)).stdout, /No hub is running on .*copy\./);
    assert.equal((await hub('status', '--exit-code', '--data-dir', dataDir)).code, 0);
    // Under another name the folder is the same.
    const link = path.join(home, 'link');
    fs.symlinkSync(dataDir, link);
    assert.match((await hub('start', '--port', '0', '--data-dir', link)).stderr, /ctx hub stop --data-dir/);
    assert.equal((await hub('stop', '--data-dir', link)).code, 0);
    assert.equal((await first.process.finished).code, 0);
    // The hub is gone, and with it what the copied lock stood for.
    const third = await startHub({ dataDir: copy });
    assert.equal((await third.stop()).code, 0);
  });

  it(`of two that race for it exactly one becomes the hub, ${RACES} times, also over a dead one's lock`, async function () {
    this.timeout(180_000);
    for (let race = 0; race < RACES; race++) {
      const racers: Running[] = [0, 1].map(() => start(startArgs(), { cwd: home, env: userEnv(home) }));
      const fates = await Promise.all(
        racers.map((racer) =>
          racer.says(/^Data directory: /m, 30_000).then(
            () => 'serves',
            () => 'refused',
          ),
        ),
      );
      assert.deepEqual([...fates].sort(), ['refused', 'serves'], `race ${race}`);
      const winner = racers[fates.indexOf('serves')];
      const loser = racers[fates.indexOf('refused')];
      assert.equal((await loser?.finished)?.code, 73);
      // Odd races leave a dead hub's lock behind for the next pair.
      winner?.process.kill(race % 2 === 0 ? 'SIGTERM' : 'SIGKILL');
      await winner?.finished;
      assert.equal(fs.existsSync(path.join(dataDir, 'hub.lock')), race % 2 === 1);
    }
  });

  it('the lock and hub.json of a killed hub do not block the next start', async () => {
    const first = await startHub({ dataDir });
    await first.kill9();
    assert.ok(fs.existsSync(path.join(dataDir, 'hub.lock')));
    assert.ok(fs.existsSync(path.join(dataDir, 'hub.json')));
    assert.equal((await hub('status', '--exit-code', '--data-dir', dataDir)).code, 3);
    const second = await startHub({ dataDir });
    assert.equal((await second.stop()).code, 0);
  });

  it('a lock whose pid was given to another process since is stale', async function () {
    if (process.platform !== 'linux') this.skip(); // Elsewhere a start time is not known, and silence decides.
    const first = await startHub({ dataDir });
    await first.kill9();
    const lock = path.join(dataDir, 'hub.lock');
    const text = fs.readFileSync(lock, 'utf8');
    const pid = stranger();
    fs.writeFileSync(lock, text.replace(/"pid":\d+/, `"pid":${pid}`));
    assert.notEqual(fs.readFileSync(lock, 'utf8'), text);
    const second = await startHub({ dataDir });
    assert.equal((await second.stop()).code, 0);
    assert.ok(isProcessAlive(pid));
  });

  it('after a reboot the lock of before holds the start up only until it has proven silent', async function () {
    this.timeout(90_000);
    const first = await startHub({ dataDir });
    await first.kill9();
    const lock = path.join(dataDir, 'hub.lock');
    const held = JSON.parse(fs.readFileSync(lock, 'utf8')) as { machine: string };
    const machine = `${held.machine.split('/')[0] ?? ''}/the-boot-before`;
    fs.writeFileSync(lock, JSON.stringify({ ...held, machine }));
    const second = await startHub({ dataDir, deadlineMs: 60_000 });
    assert.equal((await second.stop()).code, 0);
  });

  it('stop never touches a process that is not this hub: pid reused, port dead', async () => {
    const first = await startHub({ dataDir });
    await first.kill9();
    const file = path.join(dataDir, 'hub.json');
    const pid = stranger();
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(/"pid": \d+/, `"pid": ${pid}`));
    const stopped = await hub('stop', '--data-dir', dataDir);
    assert.ok(isProcessAlive(pid));
    assert.equal(stopped.code, 0, stopped.stderr);
    assert.match(stopped.stdout, /No hub is running/);
  });

  it('stop never asks a stranger on the old port, nor shows it the control secret', async () => {
    const first = await startHub({ dataDir });
    await first.kill9();
    const seen: string[] = [];
    const impostor = http.createServer((request, response) => {
      seen.push(`${request.method ?? ''} ${request.url ?? ''} ${request.headers.authorization ?? ''}`);
      response.end(JSON.stringify({ ok: true, degraded: false, instance: '0'.repeat(16) }));
    });
    await new Promise<void>((resolve) => impostor.listen(first.port, '127.0.0.1', resolve));
    assert.equal((impostor.address() as AddressInfo).port, first.port);
    const stopped = await hub('stop', '--data-dir', dataDir);
    await new Promise((resolve) => impostor.close(resolve));
    assert.match(stopped.stdout, /No hub is running/);
    assert.deepEqual(seen, ['GET /healthz ']);
  });

  it('a lock that says nothing (cut by a power failure) blocks only while it may be fresh', async () => {
    const first = await startHub({ dataDir });
    await first.stop();
    const lock = path.join(dataDir, 'hub.lock');
    fs.writeFileSync(lock, '', { mode: 0o600 });
    const old = new Date(Date.now() - 120_000);
    fs.utimesSync(lock, old, old);
    const second = await startHub({ dataDir });
    assert.equal((await second.stop()).code, 0);
  });
});
