/** FM-20: a full disk refuses writes as a whole and nothing else; with space again writing goes on, without a restart. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { openSession, type HubSession } from '../../core/node/hub-session';
import type { PublishResult } from '../../core/wire';
import { diskFaults, diskFaultsImpossible } from '../support/faults/disk-faults';
import { registerClient, startHub, type HubProcess } from '../support/hub-process';
import { filledData, hubCommand, logEntries, logFile, published, readJson } from '../support/hub-log';
import { ctx, removeTempDirs, tempDir, userEnv } from '../support/processes';
import { connect, DECISION_FIELDS, newProject, succeeded } from '../support/projects';

const big = (id: string, bytes = 40_000): ReturnType<typeof published> =>
  published(id, `Big ${id}\n\n${'x'.repeat(bytes)}`);

/** Publishes until it is refused; returns the refusal and how many were stored. */
async function fill(session: HubSession): Promise<{ refusal: PublishResult; stored: number }> {
  for (let stored = 0; ; stored++) {
    const [result] = await session.publish([big(`fill-${stored}`)]).catch(refusalOf);
    if (result !== undefined && 'error' in result) return { refusal: result, stored };
  }
}

/** A refusal of the whole batch as that of its entry. */
function refusalOf(error: unknown): PublishResult[] {
  const { code, message, outcome } = error as { code: 'disk_full'; message: string; outcome: 'refused' };
  return [{ id: '', error: { code, message, outcome, retry: true } }];
}

async function readsGoOn(session: HubSession, entries: number): Promise<void> {
  const seen = new Set<number>();
  let cursor;
  for (let more = true; more;) {
    const page = await session.syncPage({ cursor });
    for (const each of page.entries) seen.add(each.sequence);
    ({ cursor, more } = page);
  }
  assert.equal(seen.size, entries);
}

/** The same story for every way to fill a disk. */
async function fullDiskStory(hub: HubProcess, makeSpace: () => void): Promise<void> {
  const { token } = await registerClient(hub, 'alpha');
  const session = await openSession({ address: hub.address, token });
  const { refusal, stored } = await fill(session);
  assert.ok('error' in refusal);
  assert.deepEqual([refusal.error.code, refusal.error.outcome], ['disk_full', 'refused']);
  const size = fs.statSync(logFile(hub.dataDir)).size;
  assert.equal(logEntries(hub.dataDir).length, stored, 'no half line is left behind');
  await readsGoOn(session, stored);
  const [again] = await session.publish([big('still-full')]).catch(refusalOf);
  assert.ok(again !== undefined && 'error' in again && again.error.code === 'disk_full');
  assert.equal(fs.statSync(logFile(hub.dataDir)).size, size);

  makeSpace();
  const [after] = await session.publish([big('after')]);
  assert.deepEqual(after, { id: 'after', sequence: stored + 1, duplicate: false });
  await session.close();
  assert.equal((await hub.stop()).code, 0);
  const ids = logEntries(hub.dataDir).map((each) => each.id);
  assert.deepEqual(ids.slice(-1), ['after']);
  assert.equal(ids.includes('still-full'), false, 'what was refused never appears');
  assert.equal((await hubCommand(hub.dataDir, 'verify')).code, 0);
}

const missing = (program: string): boolean => spawnSync(program, ['--version']).error !== undefined;

describe('FM-20: disk full', () => {
  after(removeTempDirs);

  for (const [errno, command] of [
    ['ENOSPC', 'full'],
    ['EDQUOT', 'quota'],
  ] as const) {
    it(`${errno} after half a write (preloaded library)`, async function () {
      const why = diskFaultsImpossible();
      if (why !== undefined) {
        console.log(`      NOT RUN: ${why}`);
        this.skip();
      }
      const faults = diskFaults(tempDir('ctx-faults'));
      const hub = await startHub({ env: faults.env });
      const { token } = await registerClient(hub, 'alpha', 'first@here');
      const session = await openSession({ address: hub.address, token });
      await session.publish([big('before')]);
      faults.command(`${command} entries.jsonl`);
      const [refused] = await session.publish([big('half', 200_000)]).catch(refusalOf);
      assert.ok(refused !== undefined && 'error' in refused);
      assert.deepEqual([refused.error.code, refused.error.outcome], ['disk_full', 'refused']);
      await readsGoOn(session, 1);
      faults.clear();
      const [after] = await session.publish([big('half', 200_000)]);
      assert.deepEqual(after, { id: 'half', sequence: 2, duplicate: false });
      await session.close();
      assert.equal((await hub.stop()).code, 0);
      assert.equal((await hubCommand(hub.dataDir, 'verify')).code, 0);
    });
  }

  it('a file size limit that is lifted later (ulimit -f)', async function () {
    if (process.platform !== 'linux' || missing('prlimit')) {
      console.log('      NOT RUN: needs Linux and prlimit');
      this.skip();
    }
    const wrap = ['bash', '-c', 'ulimit -S -f 300; exec "$@"', 'bash'];
    const hub = await startHub({ wrap });
    const pid = String(hub.process.process.pid);
    await fullDiskStory(hub, () => {
      execFileSync('prlimit', ['--pid', pid, '--fsize=unlimited:']);
    });
  });

  it('a file system that is full, and then is not (tmpfs; root only)', async function () {
    const mount = tempDir('ctx-full');
    const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
    if (!isRoot || spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mount]).status !== 0) {
      console.log('      NOT RUN: needs root and the right to mount');
      this.skip();
    }
    try {
      const ballast = path.join(mount, 'ballast');
      fs.writeFileSync(ballast, Buffer.alloc(400_000));
      const hub = await startHub({ dataDir: path.join(mount, 'data') });
      await fullDiskStory(hub, () => fs.rmSync(ballast));
    } finally {
      execFileSync('umount', ['-l', mount]);
    }
  });

  it('no room even for a torn tail: the start refuses with 74 and cuts nothing', async function () {
    if (process.platform !== 'linux') {
      console.log('      NOT RUN: needs Linux (ulimit -f)');
      this.skip();
    }
    const dataDir = await filledData(2, 'kill9');
    const tail = Buffer.alloc(200_000, 'x');
    fs.appendFileSync(logFile(dataDir), tail);
    const before = fs.readFileSync(logFile(dataDir));
    const home = path.dirname(dataDir);
    const args = ['hub', 'start', '--port', '0', '--data-dir', dataDir];
    const wrap = ['bash', '-c', 'ulimit -f 100; exec "$@"', 'bash'];
    const refused = await ctx(args, { cwd: home, env: userEnv(home), wrap });
    assert.equal(refused.code, 74, refused.stderr);
    assert.match(refused.stderr, /200000 bytes that were never acknowledged.*Free at least 200000 bytes/);
    assert.deepEqual(fs.readFileSync(logFile(dataDir)), before);
    assert.deepEqual(
      fs.readdirSync(dataDir).filter((name) => name.includes('partial')),
      [],
    );
    const hub = await startHub({ dataDir });
    assert.equal((await hub.stop()).code, 0);
    assert.equal(logEntries(dataDir).length, 2);
  });

  it('a registration that finds the disk full changes nothing and is told', async function () {
    const why = diskFaultsImpossible();
    if (why !== undefined) {
      console.log(`      NOT RUN: ${why}`);
      this.skip();
    }
    const faults = diskFaults(tempDir('ctx-faults'));
    const hub = await startHub({ env: faults.env });
    await registerClient(hub, 'alpha', 'one@here');
    const before = readJson(path.join(hub.dataDir, 'clients.json'));
    faults.command('full clients.json.new');
    await assert.rejects(registerClient(hub, 'alpha', 'two@here'), /disk/);
    assert.deepEqual(readJson(path.join(hub.dataDir, 'clients.json')), before);
    faults.clear();
    await registerClient(hub, 'alpha', 'two@here');
    assert.equal((await hub.stop()).code, 0);
  });

  for (const name of ['hub.id', 'meta.json']) {
    it(`a first start that has no room for ${name} says so, in front and as a daemon; with space it starts`, async function () {
      const why = diskFaultsImpossible();
      if (why !== undefined) {
        console.log(`      NOT RUN: ${why}`);
        this.skip();
      }
      const home = tempDir('ctx-first-start');
      const dataDir = path.join(home, 'data');
      const faults = diskFaults(tempDir('ctx-faults'));
      const start = ['hub', 'start', '--port', '0', '--data-dir', dataDir];
      for (const args of [start, [...start, '--daemon']]) {
        faults.command(`full ${name}`);
        const refused = await ctx(args, { cwd: home, env: { ...userEnv(home), ...faults.env } });
        assert.deepEqual([refused.code, refused.stdout], [74, ''], refused.stderr);
        assert.match(refused.stderr, new RegExp(`^ctx: [^\\n]*${name}[^\\n]*no space left[^\\n]*Free some`, 'm'));
        assert.doesNotMatch(refused.stderr, /^ +at /m);
        faults.clear();
      }
      const hub = await startHub({ dataDir });
      assert.equal((await hub.stop()).code, 0);
    });
  }

  it('an outbox of which half a line fits: the share says so and keeps nothing of it; with space it is shared', async function () {
    const why = diskFaultsImpossible();
    if (why !== undefined) {
      console.log(`      NOT RUN: ${why}`);
      this.skip();
    }
    const hub = await startHub();
    const project = await newProject('alpha');
    await connect(project, hub);
    assert.equal((await hub.stop()).code, 0);
    const faults = diskFaults(tempDir('ctx-faults'));
    const env = { ...project.env, ...faults.env };
    faults.command('full outbox.jsonl');
    const add = ['add', 'decision', 'Half', ...DECISION_FIELDS];
    const failed = await ctx([...add, '--share'], { cwd: project.dir, env });
    assert.equal(failed.code, 75, failed.stderr);
    assert.match(failed.stderr, /saved locally, not shared: Cannot write .*outbox\.jsonl: no space left/);
    const [, id = ''] = /Run "ctx connection publish --id (\S+)" later/.exec(failed.stderr) ?? [];
    assert.match(project.read('DECISIONS.md'), /Half/);
    assert.equal(project.read('hub/outbox.jsonl'), '');
    faults.clear();
    const again = await startHub({ dataDir: hub.dataDir, args: ['--port', String(hub.port)] });
    succeeded(await project.ctx(['connection', 'publish', '--id', id]));
    assert.deepEqual(
      logEntries(hub.dataDir).map((each) => each.id),
      [id],
    );
    assert.equal((await again.stop()).code, 0);
  });
});
