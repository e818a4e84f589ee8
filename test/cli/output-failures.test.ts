/** Standard output that cannot be written, and signals: ends with the documented code, never with a stack. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { CTX, removeTempDirs, tempDir, until, userEnv } from '../support/processes';
import { newProject } from '../support/projects';

const FULL = '/dev/full';

describe('standard output that fails', function () {
  this.timeout(60_000);
  before(function () {
    // The one device that is always full.
    if (!fs.existsSync(FULL)) this.skip();
  });
  after(removeTempDirs);

  it('a full disk behind it is said, with 74', async () => {
    const project = await newProject('full');
    await project.ctx(['add', 'task', 'Something to list']);
    const out = fs.openSync(FULL, 'w');
    const { status, stderr } = spawnSync(process.execPath, [CTX, 'list'], {
      cwd: project.dir,
      env: project.env,
      stdio: ['ignore', out, 'pipe'],
      encoding: 'utf8',
    });
    fs.closeSync(out);
    assert.equal(status, 74, stderr);
    assert.match(stderr, /^ctx: Cannot write to standard output: no space left/);
  });

  it('a hub in the foreground serves on', async () => {
    const dataDir = path.join(tempDir(), 'data');
    const out = fs.openSync(FULL, 'w');
    const args = [CTX, 'hub', 'start', '--port', '0', '--data-dir', dataDir];
    const hub = spawn(process.execPath, args, { env: userEnv(path.dirname(dataDir)), stdio: ['ignore', out, 'pipe'] });
    let log = '';
    hub.stderr?.setEncoding('utf8').on('data', (text: string) => (log += text));
    const ended = new Promise((resolve) => hub.once('exit', resolve));
    try {
      await until('the hub has noticed', () => log.includes('standard output failed'), 20_000);
      const { address } = JSON.parse(fs.readFileSync(path.join(dataDir, 'hub.json'), 'utf8')) as { address: string };
      assert.equal((await fetch(`${address.replace(/^ws/, 'http')}/healthz`)).status, 200);
      hub.kill('SIGTERM');
      assert.equal(await ended, 0);
    } finally {
      hub.kill('SIGKILL');
      fs.closeSync(out);
    }
  });
});

describe('a data directory that cannot be one', () => {
  after(removeTempDirs);
  const start = (dataDir: string): { status: number | null; stderr: string } => {
    const home = tempDir();
    const args = [CTX, 'hub', 'start', '--port', '0', '--data-dir', dataDir];
    return spawnSync(process.execPath, args, { cwd: home, env: userEnv(home), encoding: 'utf8', timeout: 20_000 });
  };

  it('an empty name is a usage error', () => {
    const { status, stderr } = start('');
    assert.equal(status, 64, stderr);
    assert.match(stderr, /--data-dir must not be empty/);
  });

  it('a file is said to be one', () => {
    const file = path.join(tempDir(), 'file');
    fs.writeFileSync(file, 'text', { mode: 0o600 });
    const { status, stderr } = start(file);
    assert.equal(status, 73, stderr);
    assert.match(stderr, /file is not a folder/);
  });
});
