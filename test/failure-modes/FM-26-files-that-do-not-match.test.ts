/** FM-26 and FM-27: files of different times or hubs are refused, with what is behind and by how much; never after a crash. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { registerClient, startHub } from '../support/hub-process';
import {
  filledData,
  hubCommand,
  logFile,
  logText,
  publishEach,
  published,
  readJson,
  refusedStart,
} from '../support/hub-log';
import { removeTempDirs, tempDir } from '../support/processes';

/** The directory as it was with fewer entries, and as it is. */
async function older(): Promise<{ dataDir: string; backup: string }> {
  const dataDir = await filledData(3);
  const backup = path.join(tempDir('ctx-backup'), 'older');
  fs.cpSync(dataDir, backup, { recursive: true });
  const hub = await startHub({ dataDir });
  const { token } = await registerClient(hub, 'alpha');
  await publishEach(hub, token, [published('e-4'), published('e-5')]);
  await hub.stop();
  return { dataDir, backup };
}

const copy = (from: string, to: string, name: string): void =>
  fs.copyFileSync(path.join(from, name), path.join(to, name));

async function refusedWith(dataDir: string, message: RegExp): Promise<string> {
  const { code, stdout, stderr } = await refusedStart(dataDir);
  assert.deepEqual([code, stdout], [65, '']);
  assert.match(stderr, message);
  assert.match(stderr, /ctx hub repair --|from a backup/);
  return stderr;
}

describe('FM-26: files that do not match', () => {
  after(removeTempDirs);

  it('an older entries.jsonl: behind meta.json, by entries and bytes', async () => {
    const { dataDir, backup } = await older();
    const bytes = fs.statSync(logFile(dataDir)).size - fs.statSync(logFile(backup)).size;
    copy(backup, dataDir, 'entries.jsonl');
    await refusedWith(dataDir, new RegExp(`entries\\.jsonl is behind meta\\.json by 2 entries \\(${bytes} bytes\\)`));
  });

  it('an older meta.json: behind entries.jsonl', async () => {
    const { dataDir, backup } = await older();
    copy(backup, dataDir, 'meta.json');
    await refusedWith(dataDir, /meta\.json is behind entries\.jsonl by 2 entries \(\d+ bytes\)/);
  });

  it('a truncated entries.jsonl, at a line or within one', async () => {
    const dataDir = await filledData(4);
    const whole = fs.readFileSync(logFile(dataDir));
    fs.truncateSync(logFile(dataDir), whole.length - 20);
    const message = await refusedWith(dataDir, /entries\.jsonl is behind meta\.json by 1 entries \(20 bytes\)/);
    const [, mode = ''] = /ctx hub repair (--\S+)/.exec(message) ?? [];
    const copied = path.join(tempDir('ctx-data'), 'data');
    fs.cpSync(dataDir, copied, { recursive: true });
    assert.equal((await hubCommand(copied, 'repair', mode)).code, 0, 'the command that the refusal names mends it');
    await (await startHub({ dataDir: copied })).stop();
    fs.truncateSync(logFile(dataDir), 0);
    await refusedWith(dataDir, /entries\.jsonl is behind meta\.json by 4 entries/);
  });

  it('entries.jsonl or meta.json or hub.id is missing', async () => {
    for (const [name, message] of [
      ['entries.jsonl', /entries\.jsonl is missing: it is behind meta\.json by 2 entries/],
      ['meta.json', /meta\.json is missing/],
      ['hub.id', /hub\.id is missing/],
    ] as const) {
      const dataDir = await filledData(2);
      fs.rmSync(path.join(dataDir, name));
      await refusedWith(dataDir, message);
      assert.equal(fs.existsSync(path.join(dataDir, name)), false);
    }
  });

  it('meta.json of another hub', async () => {
    const [dataDir, other] = [await filledData(2), await filledData(2)];
    copy(other, dataDir, 'meta.json');
    const id = readJson(path.join(other, 'meta.json'))['hub_id'];
    await refusedWith(dataDir, new RegExp(`of another hub: it says ${String(id)}`));
  });

  it('another history of the same hub', async () => {
    const { dataDir, backup } = await older();
    const hub = await startHub({ dataDir: backup });
    const { token } = await registerClient(hub, 'alpha');
    await publishEach(hub, token, [published('x-4'), published('x-5')]);
    await hub.stop();
    copy(backup, dataDir, 'entries.jsonl');
    await refusedWith(dataDir, /of different histories/);
  });

  it('a meta.json whose sequence was changed by hand', async () => {
    const dataDir = await filledData(2);
    const file = path.join(dataDir, 'meta.json');
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('"sequence": 2', '"sequence": 9'));
    await refusedWith(dataDir, /meta\.json has sequence 9/);
  });

  it('a meta.json or clients.json that is no JSON', async () => {
    for (const name of ['meta.json', 'clients.json']) {
      const dataDir = await filledData(1);
      fs.writeFileSync(path.join(dataDir, name), '{"format":1,', { mode: 0o600 });
      const { code, stderr } = await refusedStart(dataDir);
      assert.equal(code, 65);
      assert.ok(stderr.includes(path.join(dataDir, name)));
    }
  });

  it('a newer format is refused by name', async () => {
    for (const name of ['meta.json', 'clients.json']) {
      const dataDir = await filledData(1);
      const file = path.join(dataDir, name);
      const clients = '{"format": 1, "version": 1, "clients": []}\n';
      if (name === 'clients.json') fs.writeFileSync(file, clients, { mode: 0o600 });
      fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('"format": 1', '"format": 2'));
      const { code, stderr } = await refusedStart(dataDir);
      assert.equal(code, 76);
      assert.match(stderr, new RegExp(`${name}.* newer hub \\(format 2; this one knows 1\\)`));
    }
  });

  it('a kill -9 is no mismatch, at any moment', async function () {
    this.timeout(120_000);
    const dataDir = path.join(tempDir('ctx-kill'), 'data');
    for (let round = 0; round < 6; round++) {
      const hub = await startHub({ dataDir });
      if (round % 3 !== 2) {
        const { token } = await registerClient(hub, 'alpha');
        await publishEach(hub, token, [published(`r-${round}`)]);
      }
      await (round % 2 === 0 ? hub.kill9() : hub.stop());
    }
    const last = await startHub({ dataDir });
    assert.equal((await last.stop()).code, 0);
    assert.equal(logText(dataDir).length, 4);
  });
});

describe('FM-27: meta.json made anew', () => {
  after(removeTempDirs);

  for (const [name, spoil] of [
    ['missing', (file: string) => fs.rmSync(file)],
    ['unreadable', (file: string) => fs.writeFileSync(file, 'oops')],
    [
      'of another hub',
      (file: string) => {
        const other = (_: string, first: string): string => `"hub_id": "${first === 'f' ? 'e' : 'f'}`;
        fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(/"hub_id": "(.)/, other));
      },
    ],
  ] as const) {
    it(`${name}: from entries.jsonl and hub.id, and the hub goes on`, async () => {
      const dataDir = await filledData(3);
      spoil(path.join(dataDir, 'meta.json'));
      assert.equal((await refusedStart(dataDir)).code, 65);
      const { code, stdout, stderr } = await hubCommand(dataDir, 'repair', '--rebuild-meta');
      assert.equal(code, 0, stderr);
      assert.match(stdout, /the log ends at sequence 3/);
      const hub = await startHub({ dataDir });
      const { token } = await registerClient(hub, 'alpha');
      await publishEach(hub, token, [published('e-4')]);
      await hub.stop();
      assert.equal((await hubCommand(dataDir, 'verify')).code, 0);
    });
  }

  it('a mismatch is settled in favour of entries.jsonl, and sequences that were given away stay so', async () => {
    const { dataDir, backup } = await older();
    copy(backup, dataDir, 'entries.jsonl');
    const { code, stdout } = await hubCommand(dataDir, 'repair', '--rebuild-meta');
    assert.equal(code, 0);
    assert.match(stdout, /at the end of the log: sequences 4 to 5 lost/);
    const hub = await startHub({ dataDir });
    const { token } = await registerClient(hub, 'alpha');
    await publishEach(hub, token, [published('e-6')]);
    await hub.stop();
    assert.match(logText(dataDir)[3] ?? '', /"sequence":6/);
  });

  it('hub.id comes back from meta.json when it is lost', async () => {
    const dataDir = await filledData(2);
    const id = fs.readFileSync(path.join(dataDir, 'hub.id'), 'utf8');
    fs.rmSync(path.join(dataDir, 'hub.id'));
    assert.equal((await hubCommand(dataDir, 'repair', '--rebuild-meta')).code, 0);
    assert.equal(fs.readFileSync(path.join(dataDir, 'hub.id'), 'utf8'), id);
    await (await startHub({ dataDir })).stop();
  });

  it('not over a damaged log', async () => {
    const dataDir = await filledData(3);
    fs.rmSync(path.join(dataDir, 'meta.json'));
    fs.writeFileSync(logFile(dataDir), fs.readFileSync(logFile(dataDir), 'utf8').replace('Body', 'Bode'));
    const { code, stderr } = await hubCommand(dataDir, 'repair', '--rebuild-meta');
    assert.equal(code, 65);
    assert.match(stderr, /line 1 at byte 0: .*--quarantine/);
  });
});
