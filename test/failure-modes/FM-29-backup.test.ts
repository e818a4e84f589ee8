/** FM-29, the hub's side: a backup of a running hub is consistent and verified; restored, it knows which cursors are not its own. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { openSession } from '../../core/node/hub-session';
import { registerClient, startHub } from '../support/hub-process';
import {
  backupTarget,
  filledData,
  hubCommand,
  logEntries,
  logFile,
  logText,
  openHub,
  publishEach,
  published,
  readJson,
} from '../support/hub-log';
import { removeTempDirs, tempDir } from '../support/processes';

describe('FM-29: backup', () => {
  after(removeTempDirs);

  it('of a running hub under load: a prefix of its log, with its clients, that verifies and starts', async function () {
    this.timeout(60_000);
    const hub = await startHub({ args: ['--no-rate-limit'] });
    const { token } = await registerClient(hub, 'alpha');
    const session = await openSession({ address: hub.address, token });
    const publisher = { done: false };
    let acknowledged = 0;
    const publishing = (async () => {
      while (!publisher.done) {
        await session.publish([published(`b-${acknowledged}`)]);
        acknowledged++;
      }
    })();
    const backups = [];
    for (let i = 0; i < 3; i++) {
      const target = backupTarget();
      const least = acknowledged;
      const { code, stdout, stderr } = await hubCommand(hub.dataDir, 'backup', target, '--json');
      assert.equal(code, 0, stderr);
      const { entries } = JSON.parse(stdout) as { entries: number };
      assert.ok(entries >= least && entries <= acknowledged + 1, `${least} ≤ ${entries} ≤ ${acknowledged}`);
      assert.equal((await hubCommand(target, 'verify')).code, 0);
      backups.push({ target, entries });
    }
    publisher.done = true;
    await publishing;
    await session.close();
    await hub.stop();
    const all = logText(hub.dataDir);
    for (const { target, entries } of backups) {
      assert.deepEqual(logText(target), all.slice(0, entries));
      assert.equal(fs.statSync(target).mode & 0o077, 0);
      assert.equal(fs.existsSync(path.join(target, 'admin.token')), false);
      const restored = await startHub({ dataDir: target });
      await publishEach(restored, token, [published('restored')]);
      assert.equal((await restored.stop()).code, 0);
    }
  });

  it('restored by copying it back: cursors ahead of it, and of the history that was lost, have diverged', async () => {
    const { hub, token, session: ahead } = await openHub('alpha');
    await publishEach(hub, token, [published('e-1'), published('e-2')]);
    const target = backupTarget();
    assert.equal((await hubCommand(hub.dataDir, 'backup', target)).code, 0);
    await publishEach(hub, token, [published('e-3'), published('e-4')]);
    const { cursor } = await ahead.syncPage({});
    const early = logEntries(hub.dataDir)[1];
    await ahead.close();
    await hub.stop();
    fs.rmSync(hub.dataDir, { recursive: true });
    fs.cpSync(target, hub.dataDir, { recursive: true });

    const restored = await startHub({ dataDir: hub.dataDir });
    const session = await openSession({ address: restored.address, token });
    const diverged = (error: unknown): boolean => (error as { code?: string }).code === 'diverged';
    await assert.rejects(session.syncPage({ cursor }), diverged);
    await publishEach(restored, token, [published('x-3'), published('x-4'), published('x-5')]);
    await assert.rejects(session.syncPage({ cursor }), diverged, 'the same sequence, another history');
    const page = await session.syncPage({ cursor: { sequence: 2, digest: early?.digest ?? '' } });
    assert.deepEqual(
      page.entries.map((each) => each.id),
      ['x-3', 'x-4', 'x-5'],
    );
    await session.close();
    await restored.stop();
  });

  it('of a stopped hub, of a crashed one without its torn tail; never of a damaged one', async () => {
    const stopped = await filledData(3);
    const first = backupTarget();
    assert.equal((await hubCommand(stopped, 'backup', first)).code, 0);
    assert.deepEqual(logText(first), logText(stopped));

    const crashed = await filledData(3, 'kill9');
    fs.appendFileSync(logFile(crashed), '{"id":"half');
    const second = backupTarget();
    assert.equal((await hubCommand(crashed, 'backup', second)).code, 0);
    assert.equal(logText(second).length, 3);
    assert.equal(readJson(path.join(second, 'meta.json'))['closed'], true);
    assert.equal((await hubCommand(second, 'verify')).code, 0);

    fs.writeFileSync(logFile(stopped), fs.readFileSync(logFile(stopped), 'utf8').replace('Body', 'Bode'));
    const third = backupTarget();
    const refused = await hubCommand(stopped, 'backup', third);
    assert.equal(refused.code, 65);
    assert.match(refused.stderr, /line 1 at byte 0/);
    assert.equal(fs.existsSync(path.join(third, 'meta.json')), false);
  });

  it('a running hub whose log was damaged under it makes no backup of that', async () => {
    const dataDir = await filledData(5);
    const hub = await startHub({ dataDir });
    const text = fs.readFileSync(logFile(dataDir), 'utf8').replace('Title of e-2', 'Title of x-2');
    fs.writeFileSync(logFile(dataDir), text);
    const target = backupTarget();
    const { code, stderr } = await hubCommand(dataDir, 'backup', target);
    assert.deepEqual([code, stderr.includes('damaged, no backup was made')], [65, true]);
    assert.deepEqual(fs.readdirSync(target), []);
    await hub.stop();
  });

  it('never in the data directory itself, where it is lost with it', async () => {
    const dataDir = await filledData(2);
    for (const name of ['copy', 'entries.bak', '.']) {
      const { code, stderr } = await hubCommand(dataDir, 'backup', path.join(dataDir, name));
      assert.deepEqual([code, stderr.includes('lies in the data directory itself')], [64, true], stderr);
    }
    assert.equal(fs.existsSync(path.join(dataDir, 'copy')), false);
  });

  it('never into folders that are not there: perhaps a disk is not mounted', async () => {
    const dataDir = await filledData(1);
    const parent = path.join(tempDir('ctx-backup'), 'mounted');
    const { code, stderr } = await hubCommand(dataDir, 'backup', path.join(parent, 'monday'));
    assert.deepEqual([code, stderr.includes(`There is no folder ${parent}. Make it first`)], [73, true], stderr);
    assert.equal(fs.existsSync(parent), false);
  });

  it('never over what is there', async () => {
    const dataDir = await filledData(1);
    const target = tempDir('ctx-backup');
    fs.writeFileSync(path.join(target, 'precious'), 'x');
    const { code } = await hubCommand(dataDir, 'backup', target);
    assert.equal(code, 73);
    assert.deepEqual(fs.readdirSync(target), ['precious']);
  });
});
