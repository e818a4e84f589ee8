/** FM-10: `listen` gets exactly everything newer, however often and wherever its connection breaks. */
import assert from 'node:assert/strict';
import { openSession } from '../../core/node/hub-session';
import type { PublishedEntry } from '../../core/entry';
import { registerClient, startHub, type HubProcess } from '../support/hub-process';
import { removeTempDirs, until } from '../support/processes';
import { connect, logOf, mirroredIds, newProject, type CliProject } from '../support/projects';
import { scaled } from '../support/scale';
import { TcpProxy } from '../support/tcp-proxy';

describe('FM-10 listen survives the connection breaking', function () {
  this.timeout(scaled(180_000, 3_600_000));
  let hub: HubProcess;
  let proxy: TcpProxy;
  let reader: CliProject;
  let token: string;
  let minted = 0;

  before(async () => {
    hub = await startHub();
    proxy = await TcpProxy.listen(hub.port);
    reader = await newProject('reader');
    await connect(reader, { ...hub, address: proxy.address });
    ({ token } = await registerClient(hub, 'writer'));
  });
  after(async () => {
    await proxy.close();
    await hub.kill9();
    removeTempDirs();
  });

  async function publish(count: number): Promise<void> {
    const session = await openSession({ address: hub.address, token });
    const entries = Array.from({ length: count }, (): PublishedEntry => {
      const id = `entry-${++minted}`;
      return { id, type: 'decision', content: `Title of ${id}\n\nBody.`, timestamp: '2026-01-31T09:30:00Z' };
    });
    await session.publish(entries);
    await session.close();
  }

  const everything = (): string[] => logOf(hub).map(({ id }) => id);
  const inStep = (): Promise<unknown> =>
    until('the mirror is the log', () => JSON.stringify(mirroredIds(reader)) === JSON.stringify(everything()), 30_000);

  it('cut at bytes all over a session, each in a new life: no gap, no duplicate', async () => {
    const step = scaled(150, 1);
    for (let bytes = 1; bytes < 1_800; bytes += step) {
      await publish(2);
      proxy.cuts = [bytes];
      const faults = proxy.faults;
      const listener = reader.start(['connection', 'listen']);
      await inStep();
      listener.process.kill('SIGTERM');
      assert.equal((await listener.finished).code, 0);
      // Beyond the end of the session there is nothing to cut.
      if (proxy.cuts.length === 0 && bytes < 300) assert.ok(proxy.faults > faults, `nothing was cut at ${bytes}`);
      proxy.cuts = [];
    }
    assert.ok(proxy.faults >= 5, `only ${proxy.faults} cuts`);
  });

  it('one listener through resets, cuts and a restart of the hub: says so, comes back by itself', async () => {
    const listener = reader.start(['connection', 'listen']);
    await listener.says(/up to date/);
    for (let round = 0; round < 3; round++) {
      const accepted = proxy.accepted;
      proxy.reset();
      await publish(1);
      await inStep();
      assert.ok(proxy.accepted > accepted, 'it came back on a new connection');
    }
    await hub.kill9();
    await listener.says(/Next attempt in \d+ ms/);
    hub = await startHub({ dataDir: hub.dataDir, args: ['--port', String(hub.port)] });
    await publish(3);
    await inStep();
    const waits = [...listener.stderr().matchAll(/Next attempt in (\d+) ms/g)].map(([, ms]) => Number(ms));
    assert.ok(waits.length >= 4 && (waits[0] ?? 501) <= 500, `waits were ${waits.join(', ')}`);
    const shown = [...listener.stdout().matchAll(/^#(\d+) /gm)].map(([, sequence]) => Number(sequence));
    assert.deepEqual(
      shown,
      [...new Set(shown)].sort((a, b) => a - b),
      'each entry is printed once, in order',
    );
    listener.process.kill('SIGTERM');
    assert.equal((await listener.finished).code, 0);
  });
});
