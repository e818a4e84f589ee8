import assert from 'node:assert/strict';
import net from 'node:net';
import path from 'node:path';
import { ctx, removeTempDirs, tempDir, userEnv } from '../support/processes';

describe('a hub that cannot start', () => {
  after(removeTempDirs);

  it('ends its process, so that a service manager sees it', async () => {
    const home = tempDir('ctx-failed-start');
    const taken = net.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as net.AddressInfo;
    const args = ['hub', 'start', '--port', String(port), '--data-dir', path.join(home, 'data')];
    const { code, stdout, stderr } = await ctx(args, { cwd: home, env: userEnv(home) });
    taken.close();
    assert.deepEqual([code, stdout], [73, '']);
    assert.match(stderr, /is in use/);
  });
});
