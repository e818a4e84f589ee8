/** What an operator sees at the first start of a cluster, and when a node is started otherwise than before. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { freePorts, secretFileIn } from '../support/cluster-processes';
import { ctx, removeTempDirs, start, tempDir, until, userEnv, type Running } from '../support/processes';

describe('the first start of a cluster', function () {
  this.timeout(120_000);
  const folder = tempDir('ctx-first');
  const secretFile = secretFileIn(folder);
  const options = { cwd: folder, env: userEnv(folder) };
  const dirs = ['a', 'b'].map((name) => path.join(folder, name));
  const started: Running[] = [];
  let ports: readonly number[] = [];

  const startArgs = (at: number, ...more: readonly string[]): string[] => [
    ...['hub', 'start', '--data-dir', dirs[at] ?? '', '--port', String(ports[at])],
    ...['--cluster-secret-file', secretFile, ...more],
  ];
  const startFirst = (at: number, more: readonly string[] = ['--daemon']): Running => {
    const addresses = ports.map((port) => `127.0.0.1:${port}`);
    const own = ['--advertise', addresses[at] ?? '', '--peers', addresses.join(',')];
    const running = start(startArgs(at, ...more, '--tls-self-signed', ...own), options);
    started.push(running);
    return running;
  };
  const stop = (): Promise<unknown> => Promise.all(dirs.map((dir) => ctx(['hub', 'stop', '--data-dir', dir], options)));

  before(async () => {
    ports = await freePorts(dirs.length);
  });
  after(async () => {
    for (const each of started) each.process.kill('SIGINT');
    await Promise.all(started.map(({ finished }) => finished));
    await stop();
    removeTempDirs();
  });

  it('is called off by an interrupt, and leaves no process behind', async () => {
    const alone = startFirst(0);
    await alone.says(/Waiting for the other nodes/, 60_000);
    alone.process.kill('SIGINT');
    const { code, stderr } = await alone.finished;
    assert.equal(code, 69);
    assert.match(stderr, /The start was called off before the cluster was complete/);
    const lock = path.join(dirs[0] ?? '', 'hub.lock');
    await until('its process has ended', () => !fs.existsSync(lock), 60_000);
  });

  it('waiting as a daemon: `ctx hub status` says for whom, `ctx hub stop` ends it, and nothing is left', async () => {
    const waiting = startFirst(0);
    await waiting.says(/Waiting for the other nodes/, 60_000);
    const dir = ['--data-dir', dirs[0] ?? ''];
    const told = new RegExp(`not part of a cluster yet\\. Waiting for the other nodes: wss://127.0.0.1:${ports[1]}`);
    const shown = await until(
      'it can be asked',
      async () => {
        const answer = await ctx(['hub', 'status', '--exit-code', ...dir], options);
        return answer.code === 3 ? undefined : answer;
      },
      60_000,
    );
    assert.deepEqual([shown.code, shown.stderr], [1, '']);
    assert.match(shown.stdout, told);
    const asJson = await ctx(['hub', 'status', '--json', ...dir], options);
    assert.match(asJson.stdout, /"state":"waiting".*"waiting":"Waiting for the other nodes/);
    const refused = await ctx(['hub', 'peer', 'list', ...dir], options);
    assert.equal(refused.code, 69);
    assert.match(refused.stderr, /does not serve yet\. Waiting for the other nodes/);
    const stopped = await ctx(['hub', 'stop', ...dir], options);
    assert.deepEqual([stopped.code, stopped.stderr], [0, '']);
    assert.match(stopped.stdout, /has stopped/);
    assert.equal((await waiting.finished).code, 69);
    for (const name of ['hub.lock', 'hub.json']) assert.ok(!fs.existsSync(path.join(dirs[0] ?? '', name)), name);
    assert.match((await ctx(['hub', 'status', '--exit-code', ...dir], options)).stdout, /not running/);
  });

  it('waiting in the foreground: a stop, or a signal, ends it with 0 as it ends a hub that serves', async () => {
    for (const end of ['stop', 'SIGTERM'] as const) {
      const waiting = startFirst(0, []);
      await until(
        'it waits',
        async () => {
          const { stdout } = await ctx(['hub', 'status', '--data-dir', dirs[0] ?? ''], options);
          return stdout.includes('Waiting for');
        },
        60_000,
      );
      // From elsewhere too: it is there, and serves nobody.
      const remote = ['hub', 'status', '--addr', `wss://127.0.0.1:${ports[0]}`, '--exit-code'];
      const cert = path.join(dirs[0] ?? '', 'tls.cert.pem');
      const seen = await ctx([...remote, '--ca', cert], options);
      assert.equal(seen.code, 1, seen.stderr);
      if (end === 'stop') assert.equal((await ctx(['hub', 'stop', '--data-dir', dirs[0] ?? ''], options)).code, 0);
      else waiting.process.kill(end);
      assert.equal((await waiting.finished).code, 0);
    }
  });

  it('of more than seven nodes is refused, this one counted whether it is named or not', async () => {
    const others = [1, 2, 3, 4, 5, 6, 7].map((host) => `10.0.0.${host}:9900`).join(',');
    const refused = await ctx(startArgs(0, '--advertise', '10.0.0.8:9900', '--peers', others), options);
    assert.equal(refused.code, 64);
    assert.match(refused.stderr, /at most 7 nodes/);
  });

  it('on loopback, for a cluster of several machines, warns and names --host', async () => {
    const others = '192.0.2.2:9900,192.0.2.3:9900';
    // So that it ends before it goes there.
    const noFolder = path.join(folder, 'a-file');
    fs.writeFileSync(noFolder, '');
    const told = async (own: string): Promise<string> => {
      const args = ['--advertise', own, '--peers', `${own},${others}`, '--data-dir', noFolder];
      const { code, stderr } = await ctx(startArgs(0, ...args), options);
      assert.equal(code, 73, stderr);
      return stderr;
    };
    assert.match(
      await told('192.0.2.1:9900'),
      /warning: listening on 127\.0\.0\.1 only, .*192\.0\.2\.1:9900\. Give --host 192/,
    );
    assert.match(
      await told('127.0.0.1:9900'),
      /warning: ws:\/\/192\.0\.2\.2:9900 cannot reach .*--advertise, and --host/,
    );
  });

  it('as a daemon says whom it waits for, and serves once they are there', async () => {
    const first = startFirst(0);
    await first.says(new RegExp(`Waiting for the other nodes: wss://127.0.0.1:${ports[1]}`), 60_000);
    assert.equal(first.stdout(), '');
    const second = startFirst(1);
    for (const { code, stdout } of await Promise.all([first.finished, second.finished])) {
      assert.equal(code, 0);
      assert.match(stdout, /ctx hub listening on wss:/);
    }
  });

  it('a later start without the TLS of the first is refused, and says so', async () => {
    await stop();
    const { code, stderr } = await ctx(startArgs(0, '--daemon'), options);
    assert.equal(code, 78);
    assert.match(stderr, /to its cluster, with TLS\. Start it with the TLS flags of before\./);
  });

  it('a later start with a damaged raft/node.json is refused, and names the file and the way out', async () => {
    const file = path.join(dirs[0] ?? '', 'raft', 'node.json');
    const whole = fs.readFileSync(file, 'utf8');
    for (const bad of [whole.slice(0, 40), '{"format":1}\n']) {
      fs.writeFileSync(file, bad);
      const { code, stderr } = await ctx(startArgs(0, '--tls-self-signed'), options);
      assert.equal(code, 65);
      assert.ok(stderr.includes(file), stderr);
      assert.match(stderr, /is damaged.*ctx hub peer remove.*ctx hub peer add/);
      assert.doesNotMatch(stderr, / at .*\.js:/);
    }
  });
});
