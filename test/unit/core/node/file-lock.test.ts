import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { HubError } from '../../../../core/errors';
import { acquireLock, copiedFrom, withLock } from '../../../../core/node/file-lock';
import { machineId, processStartTime } from '../../../../core/node/platform';
import { removeTempDirs, tempDir } from '../../../support/processes';

const locked = (error: unknown): boolean => error instanceof HubError && error.code === 'locked';

/** The id of a process that has certainly ended. */
function deadPid(): number {
  const { pid } = spawnSync(process.execPath, ['-e', '0']);
  return pid;
}

function plant(file: string, holder: Record<string, unknown>): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, JSON.stringify({ nonce: 'abcdef0123456789', machine: machineId(), ...holder }));
}

describe('file lock', () => {
  after(removeTempDirs);

  it('lets one in at a time and the next one in when it is given back', async () => {
    const file = path.join(tempDir(), 'a', 'lock');
    const lock = await acquireLock(file);
    await assert.rejects(acquireLock(file, { deadlineMs: 30, what: 'DECISIONS.md' }), (error: unknown) => {
      assert.ok(locked(error));
      assert.match(String(error), new RegExp(`Process ${process.pid} is working on DECISIONS.md`));
      return true;
    });
    await lock.release();
    await lock.release();
    await (await acquireLock(file, { deadlineMs: 0 })).release();
    assert.deepEqual(fs.readdirSync(path.dirname(file)), [], 'nothing is left behind');
  });

  it('takes over from a dead process, and from one whose id another process has now', async () => {
    const file = path.join(tempDir(), 'lock');
    plant(file, { pid: deadPid(), started: '1' });
    await (await acquireLock(file, { deadlineMs: 0 })).release();
    if (processStartTime(process.pid) === undefined) return;
    plant(file, { pid: process.pid, started: '1' });
    await (await acquireLock(file, { deadlineMs: 0 })).release();
    assert.deepEqual(fs.readdirSync(path.dirname(file)), []);
  });

  it('takes over when a process died while it was taking over', async () => {
    const file = path.join(tempDir(), 'lock');
    plant(file, { pid: deadPid() });
    plant(`${file}.abcdef0123456789.claim`, { nonce: '77', pid: deadPid() });
    await (await acquireLock(file, { deadlineMs: 0 })).release();
    assert.deepEqual(fs.readdirSync(path.dirname(file)), []);
  });

  it('leaves a dead holder to the live process that is about to remove it', async () => {
    const file = path.join(tempDir(), 'lock');
    plant(file, { pid: deadPid() });
    plant(`${file}.abcdef0123456789.claim`, { nonce: '77', pid: process.pid, started: processStartTime(process.pid) });
    // It may not be removed by us, and the wait ends by the caller's signal.
    await assert.rejects(acquireLock(file, { deadlineMs: 50 }), locked);
    assert.ok(fs.existsSync(file));
  });

  it('waits for a holder on another machine until that has been silent for long', async () => {
    const file = path.join(tempDir(), 'lock');
    plant(file, { pid: deadPid(), machine: 'elsewhere/1' });
    await assert.rejects(acquireLock(file, { deadlineMs: 30 }), locked);
    const longAgo = new Date(Date.now() - 120_000);
    fs.utimesSync(file, longAgo, longAgo);
    await (await acquireLock(file, { deadlineMs: 0 })).release();
  });

  describe('of another boot of this machine', () => {
    const [host] = machineId().split('/');
    // A clock that went back since makes the lock look young for as long.
    const ahead = new Date(Date.now() + 3_600_000);

    it('is taken over from when it stays silent, whatever the clocks say', async () => {
      const file = path.join(tempDir(), 'lock');
      plant(file, { pid: deadPid(), machine: `${host ?? ''}/before` });
      fs.utimesSync(file, ahead, ahead);
      await (await acquireLock(file, { deadlineMs: 0, watchMs: 100 })).release();
      assert.deepEqual(fs.readdirSync(path.dirname(file)), []);
    });

    it('is left to who shows that it lives: a machine of the same name', async () => {
      const file = path.join(tempDir(), 'lock');
      plant(file, { pid: deadPid(), machine: `${host ?? ''}/elsewhere` });
      let touches = 0;
      const touching = setInterval(() => fs.utimesSync(file, ahead, new Date(ahead.getTime() + ++touches)), 5);
      try {
        await assert.rejects(acquireLock(file, { deadlineMs: 0, watchMs: 3_000 }), locked);
        assert.ok(touches > 0);
      } finally {
        clearInterval(touching);
      }
    });

    it('another machine is not watched', async () => {
      const file = path.join(tempDir(), 'lock');
      plant(file, { pid: deadPid(), machine: 'elsewhere/1' });
      await assert.rejects(acquireLock(file, { deadlineMs: 0, watchMs: 0 }), locked);
    });
  });

  it('takes a half-written lock for a holder that is arriving, then for a dead one', async () => {
    const file = path.join(tempDir(), 'lock');
    fs.writeFileSync(file, '{"non');
    await assert.rejects(acquireLock(file, { deadlineMs: 30 }), locked);
    const longAgo = new Date(Date.now() - 120_000);
    fs.utimesSync(file, longAgo, longAgo);
    await (await acquireLock(file, { deadlineMs: 0 })).release();
  });

  it('sweeps up what killed processes left beside it, but nothing that is in use', async () => {
    const file = path.join(tempDir(), 'lock');
    const longAgo = new Date(Date.now() - 120_000);
    plant(file, { pid: deadPid() });
    for (const name of ['lock.11.new', 'lock.22.claim', 'lock.33.now', 'other']) {
      fs.writeFileSync(path.join(path.dirname(file), name), '');
      fs.utimesSync(path.join(path.dirname(file), name), longAgo, longAgo);
    }
    fs.writeFileSync(`${file}.44.new`, '');
    await (await acquireLock(file, { deadlineMs: 0 })).release();
    assert.deepEqual(fs.readdirSync(path.dirname(file)).sort(), ['lock.44.new', 'other']);
  });

  it('takes nothing from a holder that arrives while a dead one is being removed', async () => {
    const file = path.join(tempDir(), 'lock');
    plant(file, { pid: deadPid() });
    const arrival = { nonce: '99', pid: process.pid, started: processStartTime(process.pid) };
    const { link } = fsp;
    let arrived = false;
    // Right after our claim is made, another process has removed the dead holder's file and taken the lock.
    fsp.link = async (from, to) => {
      await link(from, to);
      if (!String(to).endsWith('.abcdef0123456789.claim')) return;
      plant(file, arrival);
      arrived = true;
    };
    try {
      await assert.rejects(acquireLock(file, { deadlineMs: 0 }), locked);
    } finally {
      fsp.link = link;
    }
    assert.ok(arrived);
    assert.equal((JSON.parse(fs.readFileSync(file, 'utf8')) as { nonce: string }).nonce, '99');
  });

  it('knows a copy of it from the same file by another name', async () => {
    const folder = tempDir();
    const file = path.join(folder, 'used', 'lock');
    const lock = await acquireLock(file);
    fs.symlinkSync(path.dirname(file), path.join(folder, 'link'));
    fs.cpSync(path.dirname(file), path.join(folder, 'copy'), { recursive: true });
    assert.equal(await copiedFrom(file), undefined);
    assert.equal(await copiedFrom(path.join(folder, 'link', 'lock')), undefined);
    assert.equal(await copiedFrom(path.join(folder, 'copy', 'lock')), file);
    await lock.release();
    assert.equal(await copiedFrom(path.join(folder, 'copy', 'lock')), undefined);
  });

  it('gives back only what is its own', async () => {
    const file = path.join(tempDir(), 'lock');
    const lock = await acquireLock(file);
    plant(file, { nonce: '99', pid: process.pid, started: processStartTime(process.pid) });
    await lock.release();
    assert.ok(fs.existsSync(file), 'another holder, to whom it passed in the meantime');
  });

  it('gives the lock back when the work fails', async () => {
    const file = path.join(tempDir(), 'lock');
    await assert.rejects(
      withLock(file, {}, () => Promise.reject(new Error('no'))),
      /no/,
    );
    await (await acquireLock(file, { deadlineMs: 0 })).release();
  });

  it('excludes: many tasks racing over a stale lock never overlap', async () => {
    const file = path.join(tempDir(), 'lock');
    plant(file, { pid: deadPid() });
    let inside = 0;
    let done = 0;
    const work = async (): Promise<void> => {
      assert.equal(++inside, 1);
      await new Promise((resolve) => setImmediate(resolve));
      inside--;
      done++;
    };
    await Promise.all(Array.from({ length: 40 }, () => withLock(file, { deadlineMs: 20_000 }, work)));
    assert.equal(done, 40);
  });
});
