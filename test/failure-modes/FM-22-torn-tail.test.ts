/** FM-22: what a crash left half-written is set aside at the next start; what was acknowledged is never cut. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { registerClient, startHub } from '../support/hub-process';
import { filledData, hubCommand, logEntries, logFile, publishEach, published, refusedStart } from '../support/hub-log';
import { removeTempDirs, until } from '../support/processes';

const partials = (dataDir: string): string[] => fs.readdirSync(dataDir).filter((name) => name.includes('.partial-'));

describe('FM-22: torn tail', () => {
  after(removeTempDirs);

  /** Two more lines as a next batch would have been, of this very log. */
  async function nextBatch(dataDir: string): Promise<Buffer> {
    const before = fs.statSync(logFile(dataDir)).size;
    const hub = await startHub({ dataDir });
    const { token } = await registerClient(hub, 'alpha');
    await publishEach(hub, token, [published('later-1'), published('later-2')]);
    await hub.kill9();
    return fs.readFileSync(logFile(dataDir)).subarray(before);
  }

  const tails: readonly (readonly [string, (batch: Buffer) => Buffer])[] = [
    ['half a line', (batch) => batch.subarray(0, 40)],
    ['a line without its line feed', (batch) => batch.subarray(0, batch.indexOf('\n'))],
    ['NUL bytes', () => Buffer.alloc(5000)],
    [
      'NUL bytes, then the end of a line',
      (batch) => Buffer.concat([Buffer.alloc(100), batch.subarray(100, batch.indexOf('\n') + 1)]),
    ],
    ['NUL bytes within a line', (batch) => Buffer.from(batch.subarray(0, batch.indexOf('\n') + 1)).fill(0, 50, 90)],
  ];
  for (const [name, tail] of tails) {
    it(`${name}: saved, cut, told, and the hub starts`, async () => {
      const dataDir = await filledData(3);
      const good = fs.readFileSync(logFile(dataDir));
      const meta = fs.readFileSync(`${dataDir}/meta.json`, 'utf8');
      const batch = await nextBatch(dataDir);
      const torn = tail(batch);
      fs.writeFileSync(logFile(dataDir), Buffer.concat([good, torn]));
      // As after the crash: the watermark is of before, and says that the hub was running.
      fs.writeFileSync(`${dataDir}/meta.json`, meta.replace('"closed": true', '"closed": false'));

      const hub = await startHub({ dataDir });
      const [partial = ''] = partials(dataDir);
      assert.deepEqual(fs.readFileSync(`${dataDir}/${partial}`), torn);
      assert.equal(fs.statSync(`${dataDir}/${partial}`).mode & 0o077, 0);
      assert.deepEqual(fs.readFileSync(logFile(dataDir)), good);
      const told = hub.process.stderr();
      assert.match(told, new RegExp(`entries\\.jsonl: cut ${torn.length} bytes at byte ${good.length} `));
      assert.ok(told.includes(partial));
      const { token } = await registerClient(hub, 'alpha');
      await publishEach(hub, token, [published('e-4')]);
      assert.equal((await hub.stop()).code, 0);
      assert.deepEqual(
        logEntries(dataDir).map(({ id, sequence }) => `${id} ${sequence}`),
        ['e-1 1', 'e-2 2', 'e-3 3', 'e-4 4'],
      );
    });
  }

  it('what lies below the watermark is never cut, torn or not', async () => {
    const dataDir = await filledData(3);
    const whole = fs.readFileSync(logFile(dataDir));
    fs.writeFileSync(logFile(dataDir), Buffer.concat([whole.subarray(0, -30), Buffer.alloc(30)]));
    const before = fs.readFileSync(logFile(dataDir));
    const refused = await refusedStart(dataDir);
    assert.equal(refused.code, 65);
    assert.match(refused.stderr, /line 3 at byte \d+/);
    assert.deepEqual([fs.readFileSync(logFile(dataDir)), partials(dataDir)], [before, []]);
  });

  it('the watermark follows when the hub is idle, so that a crash later cannot cut below it', async () => {
    const hub = await startHub();
    const { token } = await registerClient(hub, 'alpha');
    await publishEach(hub, token, [published('e-1')]);
    const size = fs.statSync(logFile(hub.dataDir)).size;
    const watermark = (): number =>
      (JSON.parse(fs.readFileSync(`${hub.dataDir}/meta.json`, 'utf8')) as { watermark: { length: number } }).watermark
        .length;
    await until('the watermark follows', () => watermark() === size);
    await hub.kill9();
    fs.truncateSync(logFile(hub.dataDir), size - 10);
    assert.equal((await refusedStart(hub.dataDir)).code, 65);
  });

  it('verify calls a torn tail no damage', async () => {
    const dataDir = await filledData(2, 'kill9');
    fs.appendFileSync(logFile(dataDir), '{"id":"half');
    const { code, stdout, stderr } = await hubCommand(dataDir, 'verify');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /sound, 2 entries/);
    assert.match(stderr, /11 bytes .* never acknowledged/);
  });
});
