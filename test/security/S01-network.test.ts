/** S01: a hub does not open itself to a network without protection, unless told so, and then says so each time. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { openSession } from '../../core/node/hub-session';
import { registerClient, startHub } from '../support/hub-process';
import { ctx, removeTempDirs, tempDir, userEnv } from '../support/processes';
import { upgradeStatus } from '../support/raw-session';

const OPEN_HOSTS = ['0.0.0.0', '::', '192.0.2.1', 'hub.example.org', '127.0.0.1.nip.io'];

describe('S01: no network without TLS', () => {
  after(removeTempDirs);

  for (const host of OPEN_HOSTS) {
    it(`--host ${host} is refused, names the way out, and touches nothing`, async () => {
      const home = tempDir('ctx-open');
      const dataDir = path.join(home, 'data');
      const args = ['hub', 'start', '--host', host, '--port', '0', '--data-dir', dataDir];
      const refused = await ctx(args, { cwd: home, env: userEnv(home) });
      assert.deepEqual([refused.code, refused.stdout], [78, '']);
      assert.match(refused.stderr, /TLS.*--insecure/);
      assert.ok(!fs.existsSync(dataDir));
    });
  }

  it('--insecure starts, warns at every start, and serves under the addresses it is reached by', async () => {
    const args = ['--host', '0.0.0.0', '--insecure'];
    const first = await startHub({ args });
    const { token } = await registerClient({ ...first, address: `ws://127.0.0.1:${first.port}` }, 'alpha');
    assert.match(first.process.stderr(), /warning: listening on 0\.0\.0\.0 without TLS/);
    const own = Object.values(os.networkInterfaces())
      .flatMap((each) => each ?? [])
      .find((each) => each.family === 'IPv4' && !each.internal)?.address;
    if (own !== undefined) {
      await (await openSession({ address: `ws://${own}:${first.port}`, token })).close();
      const rebound = await upgradeStatus(`ws://${own}:${first.port}`, { token, headers: { host: 'evil.example' } });
      assert.equal(rebound, 403);
    }
    await first.stop();
    const again = await startHub({ dataDir: first.dataDir, args });
    assert.match(again.process.stderr(), /warning: listening on 0\.0\.0\.0 without TLS/);
    const status = await ctx(['hub', 'status', '--exit-code', '--data-dir', again.dataDir], { cwd: os.tmpdir() });
    assert.equal(status.code, 0, status.stderr);
    await again.stop();
  });
});
