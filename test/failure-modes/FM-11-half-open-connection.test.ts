/** FM-11: a peer that is gone without a word is noticed within 30 s, on both ends. The real intervals, so this takes its time. */
import assert from 'node:assert/strict';
import { startHub, type HubProcess } from '../support/hub-process';
import { removeTempDirs, until } from '../support/processes';
import { connect, newProject, succeeded, type CliProject } from '../support/projects';
import { TcpProxy } from '../support/tcp-proxy';

describe('FM-11 a half-open connection is noticed by both ends', function () {
  this.timeout(90_000);
  let hub: HubProcess;
  let proxy: TcpProxy;
  let reader: CliProject;

  before(async () => {
    hub = await startHub();
    proxy = await TcpProxy.listen(hub.port);
    reader = await newProject('reader');
    await connect(reader, { ...hub, address: proxy.address });
  });
  after(async () => {
    await proxy.close();
    await hub.kill9();
    removeTempDirs();
  });

  async function sessions(): Promise<number> {
    const { stdout } = succeeded(await reader.ctx(['hub', 'status', '--json', '--data-dir', hub.dataDir]));
    return Number(/"sessions":\s*(\d+)/.exec(stdout)?.[1]);
  }

  it('the listener gives up and reconnects, the hub drops the session', async () => {
    const listener = reader.start(['connection', 'listen']);
    await listener.says(/up to date/);
    const before = await sessions();
    const accepted = proxy.accepted;
    proxy.stall();
    // No way back for the client yet: what the hub counts is the dead session alone.
    proxy.mute = true;
    const began = performance.now();
    assert.equal(proxy.faults, 1);
    await listener.says(/silent|broke|Next attempt/, 35_000);
    const clientMs = performance.now() - began;
    await until('the hub dropped it', async () => (await sessions()) === before - 1, 35_000);
    const hubMs = performance.now() - began;
    assert.ok(clientMs <= 31_000, `the client took ${clientMs} ms`);
    // The hub is asked now and then, through a process of its own.
    assert.ok(hubMs <= 33_000, `the hub took ${hubMs} ms`);
    proxy.mute = false;
    await until('reconnected', () => proxy.accepted > accepted && proxy.open > 0, 40_000);
    listener.process.kill('SIGTERM');
    await listener.finished;
  });
});
