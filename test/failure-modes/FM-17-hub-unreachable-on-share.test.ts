/** FM-17: the local write comes first and stays; a warning, exit code 75, an entry in the outbox; nobody waits beyond 5 s. */
import assert from 'node:assert/strict';
import net from 'node:net';
import { startHub, type HubProcess } from '../support/hub-process';
import { removeTempDirs, tempDir } from '../support/processes';
import { connect, DECISION_FIELDS, logOf, newProject, succeeded, type CliProject } from '../support/projects';
import { TcpProxy } from '../support/tcp-proxy';

/** The deadline, and what starting a process costs on a busy machine. */
const LIMIT_MS = 5_000 + 4_000;

describe('FM-17 hub unreachable during a share', function () {
  this.timeout(120_000);
  let hub: HubProcess;
  let proxy: TcpProxy;
  let project: CliProject;

  beforeEach(async () => {
    hub = await startHub();
    proxy = await TcpProxy.listen(hub.port);
    project = await newProject('alpha');
    await connect(project, { ...hub, address: proxy.address });
  });
  afterEach(async () => {
    await proxy.close();
    await hub.kill9();
  });
  after(removeTempDirs);

  async function shareOffline(title: string): Promise<void> {
    const began = performance.now();
    const finished = await project.ctx(['add', 'decision', title, ...DECISION_FIELDS, '--share']);
    assert.ok(performance.now() - began < LIMIT_MS, `took ${performance.now() - began} ms`);
    assert.equal(finished.code, 75, finished.stderr);
    assert.match(finished.stderr, /warning: saved locally, not shared/);
    assert.match(project.read('DECISIONS.md'), new RegExp(title));
    assert.match(project.read('hub/outbox.jsonl'), new RegExp(title));
  }

  it('no hub at the address', async () => {
    await hub.kill9();
    await shareOffline('Refused connection');
  });

  it('a hub that accepts and never answers', async () => {
    proxy.mute = true;
    await shareOffline('Accepted and silent');
    assert.ok(proxy.faults > 0, 'it was really asked');
  });

  it('a hub that is stopped in the middle of its work (SIGSTOP)', async () => {
    hub.process.process.kill('SIGSTOP');
    try {
      await shareOffline('Frozen hub');
    } finally {
      hub.process.process.kill('SIGCONT');
    }
  });

  it('a hub that breaks off at any point of the share: not shared twice, not lost', async () => {
    const titles: string[] = [];
    for (let bytes = 0; bytes < 1_200; bytes += 97) {
      proxy.cuts = [bytes];
      const title = `Cut after ${bytes} bytes.`;
      titles.push(title);
      const finished = await project.ctx(['add', 'decision', title, ...DECISION_FIELDS, '--share']);
      assert.ok(finished.code === 0 || finished.code === 75, finished.stderr);
    }
    assert.ok(proxy.faults >= 8, `only ${proxy.faults} cuts`);
    proxy.cuts = [];
    succeeded(await project.ctx(['connection', 'publish']));
    const shared = logOf(hub).map(({ content }) => content.slice(0, content.indexOf('\n')));
    assert.deepEqual(shared.toSorted(), titles.toSorted());
  });

  it('something at the address that is no hub', async () => {
    const other = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'));
    });
    const { port } = proxy;
    await proxy.close();
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
    try {
      await shareOffline('Not a hub');
    } finally {
      await new Promise((resolve) => other.close(resolve));
      proxy = await TcpProxy.listen(hub.port);
    }
  });

  it('not connected at all: saved, in the outbox, and the next step is named', async () => {
    const fresh = await newProject('fresh');
    const finished = await fresh.ctx(['add', 'decision', 'No connection', ...DECISION_FIELDS, '--share']);
    assert.equal(finished.code, 75, finished.stderr);
    assert.match(finished.stderr, /ctx connection register/);
    assert.match(fresh.read('DECISIONS.md'), /No connection/);
    await connect(fresh, hub);
    succeeded(await fresh.ctx(['connection', 'publish']));
    assert.ok(logOf(hub).some(({ content, origin }) => origin === 'fresh' && content.startsWith('No connection')));
  });

  it('a key that was lost says "register again" and blocks no local write', async () => {
    const moved = { ...project.env, HOME: tempDir('ctx-user'), USERPROFILE: '' };
    const { ctx } = await import('../support/processes');
    const add = ['add', 'decision', 'Lost key', ...DECISION_FIELDS, '--share'];
    const finished = await ctx(add, { cwd: project.dir, env: moved });
    assert.equal(finished.code, 75, finished.stderr);
    assert.match(finished.stderr, /[Rr]egister again/);
    assert.match(project.read('DECISIONS.md'), /Lost key/);
  });
});
