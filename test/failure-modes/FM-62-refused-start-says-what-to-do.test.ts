/** FM-62: a hub that does not start after a crash names file, line, byte and the command that repairs it; and that command does. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { hubCommand, logEntries, logFile, openHub, published, refusedStart } from '../support/hub-log';
import { startHub } from '../support/hub-process';
import { removeTempDirs } from '../support/processes';

describe('FM-62: a start that is refused after a crash', function () {
  this.timeout(60_000);
  after(removeTempDirs);

  it('the message leads from the crash to a hub that runs, by what it says alone', async () => {
    const { hub, session } = await openHub('alpha');
    for (let i = 1; i <= 5; i++) await session.publish([published(`e-${i}`)]);
    await hub.kill9();
    const text = fs.readFileSync(logFile(hub.dataDir), 'utf8');
    const at = text.indexOf('Title of e-3');
    fs.writeFileSync(logFile(hub.dataDir), text.replace('Title of e-3', 'Title of X-3'));
    const lineStart = text.lastIndexOf('\n', at) + 1;

    const { code, stdout, stderr } = await refusedStart(hub.dataDir);
    assert.deepEqual([code, stdout], [65, '']);
    assert.ok(stderr.includes(logFile(hub.dataDir)), stderr);
    assert.match(stderr, new RegExp(`line 3 at byte ${lineStart}\\b`));
    const command = /ctx hub (repair --\S+) --data-dir ([^\s\\]+)/.exec(stderr);
    assert.ok(command !== null, stderr);
    assert.equal(path.resolve(command[2] ?? ''), hub.dataDir);

    const repaired = await hubCommand(hub.dataDir, ...(command[1] ?? '').split(' '));
    assert.equal(repaired.code, 0, repaired.stderr);
    const again = await startHub({ dataDir: hub.dataDir });
    assert.deepEqual(
      logEntries(hub.dataDir).map(({ id }) => id),
      ['e-1', 'e-2', 'e-4', 'e-5'],
    );
    await again.kill9();
  });
});
