/** FM-26: what is no file in the place of one makes no command wait; a directory that lost its files is not taken for a new one. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { backupTarget, filledData, hubCommand, refusedStart } from '../support/hub-log';
import { removeTempDirs } from '../support/processes';

describe('FM-26: data directories that are no longer whole', () => {
  after(removeTempDirs);

  for (const name of ['meta.json', 'hub.id', 'entries.jsonl', 'hub.json', 'hub.lock']) {
    it(`a pipe in the place of ${name}: every command comes to an end`, async function () {
      if (process.platform === 'win32') this.skip();
      const dataDir = await filledData(2);
      const file = path.join(dataDir, name);
      fs.rmSync(file, { force: true });
      execFileSync('mkfifo', ['-m', '600', file]);
      const isOfData = !name.startsWith('hub.') || name === 'hub.id';
      const { code, stderr } = await hubCommand(dataDir, 'verify');
      assert.deepEqual([code, stderr.includes('is not a plain file')], isOfData ? [74, true] : [0, false], stderr);
      assert.equal((await refusedStart(dataDir)).code, 78);
      assert.equal((await hubCommand(dataDir, 'stop')).code, 0);
      for (const args of [
        ['repair', '--quarantine'],
        ['backup', backupTarget()],
      ]) {
        assert.notEqual((await hubCommand(dataDir, ...args)).signal, 'SIGKILL');
      }
    });
  }

  it('log and meta.json lost together: the hub does not begin again at 1 as if it were new', async () => {
    const dataDir = await filledData(3);
    for (const name of ['entries.jsonl', 'meta.json']) fs.rmSync(path.join(dataDir, name));
    const { code, stderr } = await refusedStart(dataDir);
    assert.deepEqual([code, /meta\.json is missing, but .* has been in use/.test(stderr)], [65, true], stderr);
  });

  it('hub.id and meta.json lost together: the way out is named, and works', async () => {
    const dataDir = await filledData(3);
    for (const name of ['hub.id', 'meta.json']) fs.rmSync(path.join(dataDir, name));
    const { code, stderr } = await hubCommand(dataDir, 'repair', '--rebuild-meta');
    const [, file = ''] = /ctx hub import (\S+) --data-dir/.exec(stderr) ?? [];
    assert.deepEqual([code, path.basename(file)], [65, 'entries.jsonl'], stderr);
    const other = await filledData(0);
    const { stdout } = await hubCommand(other, 'import', file);
    assert.match(stdout, /Imported 3 entries/);
  });
});
