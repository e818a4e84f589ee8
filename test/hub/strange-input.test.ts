/** What is typed at a hub's commands and leads nowhere: each is named in words, with its exit code, and none waits for ever. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { freePorts, secretFileIn, startNode } from '../support/cluster-processes';
import { startHub, type HubProcess } from '../support/hub-process';
import { removeTempDirs, until } from '../support/processes';
import { connect, newProject, type CliProject } from '../support/projects';

describe('what leads nowhere', function () {
  this.timeout(60_000);
  let hub: HubProcess;
  let project: CliProject;
  let pipe = '';

  before(async () => {
    hub = await startHub({ args: ['--max-sessions-per-token', '1'] });
    project = await newProject('alpha');
    await connect(project, hub);
    pipe = path.join(project.dir, 'pipe');
    if (process.platform !== 'win32') execFileSync('mkfifo', [pipe]);
  });
  after(async () => {
    await hub.kill9();
    removeTempDirs();
  });

  const register = (address: string, ...more: string[]): string[] => ['connection', 'register', address, ...more];
  const token = (): string[] => ['--token-file', path.join(hub.dataDir, 'admin.token')];
  const start = (...more: string[]): string[] => ['hub', 'start', '--data-dir', 'none', '--port', '0', ...more];

  async function fails(args: readonly string[], exit: number, says: RegExp): Promise<void> {
    const { code, stdout, stderr } = await project.ctx(args);
    assert.deepEqual([code, stdout], [exit, ''], `${args.join(' ')}\n${stderr}`);
    assert.match(stderr, says);
    assert.doesNotMatch(stderr, /\n {4}at |SSL routines|[0-9a-f]{8}:error/i);
  }

  it('a fingerprint that is none is a mistake of typing', async () => {
    const secure = hub.address.replace('ws:', 'wss:');
    for (const text of ['zz', 'AB:CD', '', `${'ab'.repeat(32)}00`]) {
      await fails(register(secure, ...token(), '--fingerprint', text), 64, /--fingerprint.*64 hex digits/);
      await fails(['hub', 'status', '--addr', secure, '--fingerprint', text], 64, /--fingerprint.*64 hex digits/);
    }
  });

  it('a pipe, a device or a huge file where a token, a secret or a certificate is named is refused, and nobody waits', async function () {
    if (process.platform === 'win32') this.skip();
    const huge = path.join(project.dir, 'huge');
    fs.writeFileSync(huge, '');
    fs.truncateSync(huge, 1 << 30);
    for (const [file, says] of [
      [pipe, /pipe: it is not a plain file/],
      ['/dev/zero', /zero: it is not a plain file/],
      [huge, /huge: it has 1073741824 bytes/],
    ] as const) {
      await fails(register(hub.address, '--token-file', file), 74, says);
      await fails(register(hub.address, ...token(), '--ca', file), 74, says);
      await fails(['hub', 'status', '--addr', hub.address, '--token-file', file], 74, says);
      await fails(['hub', 'client', 'list', '--addr', hub.address, '--token-file', file], 74, says);
      await fails(start('--tls-cert', file, '--tls-key', file), 74, says);
      await fails(start('--cluster-secret-file', file, '--peers', '127.0.0.1:1'), 74, says);
    }
  });

  it('TLS with a hub that speaks none, and none with a hub that does, is said in words', async () => {
    const secure = hub.address.replace('ws:', 'wss:');
    const none = /does not speak TLS.*ws:\/\//;
    await fails(register(secure, ...token()), 69, none);
    await fails(register(secure, ...token(), '--fingerprint', 'ab'.repeat(32)), 69, none);
    await fails(['hub', 'status', '--addr', secure], 69, none);
    const tls = await startHub({ args: ['--tls-self-signed'] });
    try {
      const clear = tls.address.replace('wss:', 'ws:');
      await fails(register(clear, ...token()), 69, /wss:\/\//);
      await fails(['hub', 'status', '--addr', clear], 69, /wss:\/\//);
    } finally {
      await tls.kill9();
    }
  });

  it('a port that nobody has, and all addresses of a machine as those of a node, are mistakes of typing', async () => {
    const secret = secretFileIn(project.dir);
    const cluster = (...more: string[]): string[] => start('--cluster-secret-file', secret, ...more);
    for (const port of ['0', '65536', '99999']) {
      const at = `127.0.0.1:${port}`;
      await fails(register(at, ...token()), 64, /port is a number from 1 to 65535/);
      await fails(cluster('--peers', at, '--advertise', '127.0.0.1:1'), 64, /port is a number from 1 to 65535/);
    }
    for (const all of ['0.0.0.0:9900', '[::]:9900']) {
      await fails(cluster('--peers', all, '--advertise', '127.0.0.1:1'), 64, /no address that other nodes can go to/);
      await fails(cluster('--advertise', all), 64, /no address that other nodes can go to/);
    }
  });

  it('a command for a cluster at a hub of another kind says which kind it is', async () => {
    for (const args of [['peer', 'list'], ['peer', 'add', '127.0.0.1:1'], ['peer', 'remove', '2'], ['stepdown']]) {
      await fails(['hub', ...args, '--data-dir', hub.dataDir], 65, /stands alone.*--peers/);
      await fails(['hub', ...args, '--data-dir', hub.dataDir, '--json'], 65, /stands alone/);
    }
    await fails(['hub', 'recover', '--force', '--data-dir', hub.dataDir], 73, /ctx hub stop/);
    await fails(['hub', 'rejected', '--data-dir', 'nowhere'], 64, /no data directory/);
    const [port = 0] = await freePorts(1);
    const secretFile = secretFileIn(project.dir);
    fs.chmodSync(secretFile, 0o644);
    const dataDir = path.join(project.dir, 'node');
    const node = await startNode({ dataDir, port, peers: [`ws://127.0.0.1:${port}`], secretFile });
    try {
      assert.match(node.process.stderr(), /warning: other users.*cluster\.secret.*chmod 600/);
      const alone = hub.address.replace('ws://', '');
      await fails(['hub', 'peer', 'add', alone, '--data-dir', dataDir], 69, /no node of a cluster \(HTTP 404\)/);
      await fails(['hub', 'stepdown', '--data-dir', dataDir], 69, /No other node could take over/);
    } finally {
      await node.stop();
    }
  });

  it('too many sessions of one token: named, with the time to wait, and no fault of the hub', async () => {
    const listener = project.start(['connection', 'listen']);
    await listener.says(/Listening|live|#0|up to date/i).catch(() => undefined);
    await until('the session is refused', async () => (await project.ctx(['connection', 'status'])).code !== 0);
    const { code, stdout } = await project.ctx(['connection', 'status', '--json']);
    assert.equal(code, 69, stdout);
    const { hub: side } = JSON.parse(stdout) as { hub: { code: string; reason: string } };
    assert.equal(side.code, 'rate_limited');
    assert.match(side.reason, /as many sessions as it may.*again in 1 s/);
    listener.process.kill('SIGTERM');
    await listener.finished;
  });
});
