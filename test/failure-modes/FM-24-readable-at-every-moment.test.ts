/** FM-24: `jq -c .` reads entries.jsonl at every moment, up to the last complete line; long lines load. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { openSession } from '../../core/node/hub-session';
import { registerClient, startHub } from '../support/hub-process';
import { logEntries, logFile, publishEach, published } from '../support/hub-log';
import { removeTempDirs } from '../support/processes';
import { scaled } from '../support/scale';

const PUBLISHERS = 16;
const hasJq = spawnSync('jq', ['--version']).error === undefined;

/** How many JSON values jq, or without it JSON.parse, finds in whole lines. @throws for anything that is no JSON */
function readBy(text: Buffer): number {
  if (!hasJq)
    return text
      .toString('utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as unknown).length;
  const { status, stdout, stderr } = spawnSync('jq', ['-c', '.'], { input: text, maxBuffer: 1 << 30 });
  assert.equal(status, 0, stderr.toString());
  return stdout.toString('utf8').split('\n').length - 1;
}

describe('FM-24: the log can be read by other tools at every moment', () => {
  after(removeTempDirs);

  it(`${hasJq ? 'jq' : 'JSON.parse (jq is not installed)'} over the file while ${PUBLISHERS} publishers write`, async function () {
    this.timeout(120_000);
    const hub = await startHub({ args: ['--no-rate-limit', '--max-sessions-per-token', '50'] });
    const { token } = await registerClient(hub, 'alpha');
    let done = false;
    let counter = 0;
    const publisher = async (): Promise<void> => {
      const session = await openSession({ address: hub.address, token });
      while (!done)
        await session.publish([
          published(`j-${counter++}`, `Quotes " and \\ \u{1F600}\n\n${'y'.repeat(counter % 3000)}`),
        ]);
      await session.close();
    };
    const publishers = Array.from({ length: PUBLISHERS }, publisher);
    const reads = scaled(15, 100);
    let lines = 0;
    for (let read = 0; read < reads; read++) {
      const text = fs.readFileSync(logFile(hub.dataDir));
      const whole = text.subarray(0, text.lastIndexOf('\n') + 1);
      const found = readBy(whole);
      assert.equal(found, whole.toString('utf8').split('\n').length - 1);
      assert.ok(found >= lines, 'the log only grows');
      lines = found;
      await new Promise((resolve) => setImmediate(resolve));
    }
    done = true;
    await Promise.all(publishers);
    await hub.stop();
    assert.ok(lines > 0);
    assert.equal(readBy(fs.readFileSync(logFile(hub.dataDir))), counter);
  });

  it('lines of more than 1 MiB, six-fold escaped too, are kept over a restart', async function () {
    this.timeout(60_000);
    const hub = await startHub();
    const { token } = await registerClient(hub, 'alpha');
    const plain = published('plain', 'x'.repeat(1024 * 1024));
    const escaped = published('escaped', `x${'\u0001'.repeat(1024 * 1024 - 2)}x`);
    await publishEach(hub, token, [plain, escaped]);
    await hub.kill9();
    const again = await startHub({ dataDir: hub.dataDir });
    await publishEach(again, token, [plain, escaped]);
    await again.stop();
    const entries = logEntries(hub.dataDir);
    assert.deepEqual(
      entries.map((each) => each.content),
      [plain.content, escaped.content],
    );
    assert.equal(readBy(fs.readFileSync(logFile(hub.dataDir))), 2);
  });
});
