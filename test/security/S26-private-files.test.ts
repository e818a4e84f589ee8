/** S09, S26, S32, FM-46: who looks into the data directory, a log or an audit learns no token and no content it should not. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { openSession } from '../../core/node/hub-session';
import { parseToken } from '../../core/token';
import { registerClient, startHub } from '../support/hub-process';
import { ctx, removeTempDirs, tempDir, until, userEnv, type Finished } from '../support/processes';
import { shared } from '../support/shared-entry';

const modeOf = (file: string): string => (fs.statSync(file).mode & 0o777).toString(8);

describe('S09, S26, S32: what lies on the disk', () => {
  let home: string;
  let dataDir: string;
  const start = (): Promise<Finished> =>
    ctx(['hub', 'start', '--port', '0', '--data-dir', dataDir], { cwd: home, env: userEnv(home) });

  beforeEach(() => {
    home = tempDir('ctx-private');
    dataDir = path.join(home, 'data');
  });
  after(removeTempDirs);

  it('the directory is 0700 and every file 0600, also under umask 0 and as a daemon', async function () {
    if (process.platform === 'win32') this.skip(); // Modes say nothing there.
    const before = process.umask(0);
    try {
      const args = ['hub', 'start', '--daemon', '--port', '0', '--data-dir', dataDir];
      const started = await ctx(args, { cwd: home, env: userEnv(home) });
      assert.equal(started.code, 0, started.stderr);
      const address = /ws:\S+/.exec(started.stdout)?.[0] ?? '';
      const adminToken = fs.readFileSync(path.join(dataDir, 'admin.token'), 'utf8').trim();
      const { token } = await registerClient({ address, adminToken }, 'alpha');
      const session = await openSession({ address, token });
      await session.publish([shared('e-1')]);
      await session.close();
      const check = (): void => {
        assert.equal(modeOf(dataDir), '700');
        for (const name of fs.readdirSync(dataDir)) assert.equal(modeOf(path.join(dataDir, name)), '600', name);
      };
      const meta = (): string => fs.readFileSync(path.join(dataDir, 'meta.json'), 'utf8');
      await until('the watermark is written', () => /"sequence": ?1\b/.test(meta()));
      check();
      await ctx(['hub', 'stop', '--data-dir', dataDir], { cwd: home, env: userEnv(home) });
      check();
      assert.ok(fs.readdirSync(dataDir).includes('hub.log'));
    } finally {
      process.umask(before);
    }
  });

  it('refuses to start on looser modes, names the file and the command', async function () {
    if (process.platform === 'win32') this.skip();
    await (await startHub({ dataDir })).stop();
    for (const [name, mode] of [
      ['.', 0o755],
      ['admin.token', 0o640],
      ['entries.jsonl', 0o604],
      ['hub.id', 0o666],
    ] as const) {
      const file = path.join(dataDir, name);
      const right = fs.statSync(file).mode & 0o777;
      fs.chmodSync(file, mode);
      const refused = await start();
      assert.deepEqual([refused.code, refused.stdout], [78, ''], name);
      assert.match(refused.stderr, /open to other users.*chmod [67]00/);
      fs.chmodSync(file, right);
    }
    await (await startHub({ dataDir })).stop();
  });

  it('refuses a planted symbolic link instead of following it', async function () {
    if (process.platform === 'win32') this.skip();
    await (await startHub({ dataDir })).stop();
    const victim = path.join(home, 'victim');
    fs.writeFileSync(victim, 'precious\n', { mode: 0o600 });
    for (const name of ['audit.jsonl', 'admin.token', 'hub.json', 'hub.log', 'hub.lock', 'clients.json']) {
      const file = path.join(dataDir, name);
      const kept = fs.existsSync(file) ? fs.readFileSync(file) : undefined;
      fs.rmSync(file, { force: true });
      fs.symlinkSync(victim, file);
      const refused = await start();
      assert.equal(refused.code, 78, name);
      assert.match(refused.stderr, new RegExp(`${name.replace('.', '\\.')} is not a plain file`));
      assert.equal(fs.readFileSync(victim, 'utf8'), 'precious\n');
      fs.rmSync(file);
      if (kept !== undefined) fs.writeFileSync(file, kept, { mode: 0o600 });
    }
  });

  it('refuses a directory of another user', async function () {
    if (process.getuid?.() !== 0) this.skip(); // Only root can give a file away.
    await (await startHub({ dataDir })).stop();
    fs.chownSync(path.join(dataDir, 'entries.jsonl'), 12_345, 12_345);
    const refused = await start();
    assert.equal(refused.code, 78);
    assert.match(refused.stderr, /belongs to another user \(uid 12345\)/);
  });

  it('a data directory behind a symbolic link of the operator is that directory', async function () {
    if (process.platform === 'win32') this.skip();
    fs.mkdirSync(path.join(home, 'disk'), { mode: 0o700 });
    fs.symlinkSync(path.join(home, 'disk'), dataDir);
    const hub = await startHub({ dataDir });
    assert.ok(hub.process.stdout().includes(`Data directory: ${path.join(home, 'disk')}`));
    assert.equal((await hub.stop()).code, 0);
  });

  it('no client token, used or refused, stands in any file or log; admin.token is the one secret in clear', async () => {
    const hub = await startHub({ dataDir });
    const { token } = await registerClient(hub, 'alpha');
    const session = await openSession({ address: hub.address, token });
    const content = `Title\n\n{"level":60,"msg":"forged"} and a body-that-must-not-be-logged`;
    await session.publish([shared('e-1', { content })]);
    const forged = { ...shared('x'), id: 'x\n{"level":60,"msg":"forged"}' };
    await session.publish([forged]);
    await session.close();
    const wrong = token.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    await assert.rejects(openSession({ address: hub.address, token: wrong }));
    await hub.stop();
    const secret = parseToken(token)?.secret ?? '';
    const admin = parseToken(hub.adminToken)?.secret ?? '';
    const files = new Map(
      fs.readdirSync(dataDir).map((name) => [name, fs.readFileSync(path.join(dataDir, name), 'utf8')]),
    );
    const log = hub.process.stderr();
    for (const [name, text] of [...files, ['standard error', log] as const]) {
      assert.ok(!text.includes(secret), name);
      assert.equal(text.includes(admin), name === 'admin.token', name);
      if (name !== 'entries.jsonl') assert.ok(!text.includes('body-that-must-not-be-logged'), name);
    }
    for (const text of [log, files.get('audit.jsonl') ?? '']) {
      for (const line of text.trim().split('\n')) {
        assert.ok(!('forged' in (JSON.parse(line) as object)));
        assert.notEqual((JSON.parse(line) as { msg?: string }).msg, 'forged');
      }
    }
    const events = (files.get('audit.jsonl') ?? '').match(/"event":"\w+"/g) ?? [];
    assert.deepEqual([...new Set(events)].sort(), [
      '"event":"admin_token_made"',
      '"event":"auth_failed"',
      '"event":"hub_start"',
      '"event":"hub_stop"',
      '"event":"register"',
    ]);
  });

  it('goes on when nobody reads its log any more', async () => {
    const hub = await startHub({ dataDir });
    hub.process.process.stderr?.destroy();
    hub.process.process.stdout?.destroy();
    const { token } = await registerClient(hub, 'alpha');
    for (let i = 0; i < 3; i++) {
      const session = await openSession({ address: hub.address, token });
      assert.equal((await session.publish([shared(`e-${i}`)])).length, 1);
      await session.close();
    }
    const stopped = await ctx(['hub', 'stop', '--data-dir', dataDir], { cwd: home, env: userEnv(home) });
    assert.equal(stopped.code, 0, stopped.stderr);
    assert.equal((await hub.process.finished).code, 0);
  });
});
