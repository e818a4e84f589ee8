/** FM-37, the client's side: a collector's journal keeps every entry as a full line, goes on after any end, and comes back by import. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import type { StoredEntry } from '../../core/entry';
import { openSession } from '../../core/node/hub-session';
import { hubCommand, logEntries, logFile } from '../support/hub-log';
import { registerClient, startHub, type HubProcess } from '../support/hub-process';
import { removeTempDirs, tempDir, until, type Running } from '../support/processes';
import { connect, newProject, succeeded, type CliProject } from '../support/projects';
import { scaled } from '../support/scale';

const TYPES = ['decision', 'learning', 'convention', 'task'] as const;

describe('FM-37: journal', function () {
  this.timeout(scaled(180_000, 1_200_000));
  let hub: HubProcess;
  let collector: CliProject;
  let journal: string;
  let minted: number;

  beforeEach(async () => {
    hub = await startHub();
    collector = await newProject('collector');
    await connect(collector, hub);
    journal = path.join(tempDir('ctx-journal'), 'journal.jsonl');
    minted = 0;
  });
  afterEach(async () => {
    await hub.kill9();
    removeTempDirs();
  });

  async function publish(project: string, count: number): Promise<void> {
    const { token } = await registerClient(hub, project);
    const session = await openSession({ address: hub.address, token });
    try {
      for (let i = 0; i < count; i++) {
        const id = `${project}-${++minted}`;
        const type = TYPES[minted % 4] ?? 'task';
        const meta = { display_name: 'Ada', tool: 'test' };
        const content = `Title of ${id}\n\nBody with "quotes" and \u2028.`;
        await session.publish([{ id, type, content, timestamp: '2026-01-31T09:30:00+01:00', meta }]);
      }
    } finally {
      await session.close();
    }
  }

  const listen = (): Running => collector.start(['connection', 'listen', '--journal', journal]);
  const lines = (): string[] =>
    fs.existsSync(journal) ? fs.readFileSync(journal, 'utf8').split('\n').slice(0, -1) : [];
  const kept = (): StoredEntry[] => lines().map((line) => JSON.parse(line) as StoredEntry);
  const complete = (): Promise<unknown> =>
    until('the journal is the log', () => lines().length >= logEntries(hub.dataDir).length, 30_000);
  async function ended(listener: Running): Promise<void> {
    listener.process.kill('SIGTERM');
    assert.equal((await listener.finished).code, 0);
  }

  it('every type and every project, also what is not subscribed, as the very lines of the log', async () => {
    succeeded(await collector.ctx(['connection', 'subscribe', 'decision']));
    await publish('alpha', 6);
    const listener = listen();
    await publish('beta', 6);
    await publish('collector', 2);
    await complete();
    await ended(listener);
    assert.deepEqual(kept(), logEntries(hub.dataDir));
    assert.equal(fs.statSync(journal).mode & 0o077, 0);
  });

  it('killed with -9 again and again, with a torn last line: goes on, each entry once; import brings all back', async () => {
    const rounds = scaled(5, 60);
    let killed = 0;
    for (let round = 0; round < rounds; round++) {
      const listener = listen();
      const before = lines().length;
      await Promise.all([publish('alpha', 8), until('some are kept', () => lines().length > before + round, 30_000)]);
      listener.process.kill('SIGKILL');
      if ((await listener.finished).signal === 'SIGKILL') killed++;
      fs.appendFileSync(journal, '{"id":"torn","type":"deci');
    }
    assert.equal(killed, rounds);
    const listener = listen();
    await publish('beta', 1);
    await complete();
    await ended(listener);
    const before = logEntries(hub.dataDir);
    assert.deepEqual(kept(), before);

    const fresh = await startHub();
    const imported = await hubCommand(fresh.dataDir, 'import', journal, '--json');
    assert.equal(imported.code, 0, imported.stderr);
    const facts = (entries: readonly StoredEntry[]): unknown[] =>
      entries.map(({ id, type, content, origin, client, timestamp, meta }) => ({
        id,
        type,
        content,
        origin,
        client,
        timestamp,
        meta,
      }));
    assert.deepEqual(facts(logEntries(fresh.dataDir)), facts(before));
    await fresh.kill9();
  });

  it('a journal of years, far longer than any file that is read whole, goes on', async () => {
    await publish('alpha', 2);
    const first = listen();
    await complete();
    await ended(first);
    const before = fs.readFileSync(journal);
    // In front of it, so that its end stays what it was; a hole in the file costs no disk.
    const years = 300 * 1024 * 1024;
    fs.truncateSync(journal, 0);
    fs.truncateSync(journal, years);
    fs.appendFileSync(journal, `\n${before.toString('utf8')}`);
    const { size } = fs.statSync(journal);
    const second = listen();
    await publish('alpha', 1);
    const added = fs.readFileSync(logFile(hub.dataDir)).subarray(before.length);
    await until('it is kept', () => fs.statSync(journal).size === size + added.length, 30_000);
    await ended(second);
    const end = Buffer.alloc(added.length);
    const fd = fs.openSync(journal, 'r');
    fs.readSync(fd, end, 0, end.length, size);
    fs.closeSync(fd);
    assert.deepEqual(end, added);
  });

  it('a hub restored from a backup: what it lost stays in the journal, what comes again is not written twice', async () => {
    const listener = listen();
    await publish('alpha', 4);
    await complete();
    const backup = path.join(tempDir('ctx-backup'), 'copy');
    const { port } = hub;
    const copied = await hubCommand(hub.dataDir, 'backup', backup);
    assert.equal(copied.code, 0, copied.stderr);
    await publish('alpha', 3);
    await complete();
    await hub.kill9();
    hub = await startHub({ dataDir: backup, args: ['--port', String(port)] });
    await listener.says(/history is not the one known here/, 40_000);
    await publish('beta', 2);
    await until('the new ones are kept', () => lines().length === 9, 30_000);
    await ended(listener);
    // Once more from where it stands: nothing comes twice after a restart either.
    const again = listen();
    await publish('beta', 1);
    await until('the newest is kept', () => lines().length === 10, 30_000);
    await ended(again);
    const ids = kept().map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    assert.equal((await hubCommand(hub.dataDir, 'import', journal, '--json')).code, 0);
    assert.deepEqual(
      logEntries(hub.dataDir)
        .map(({ id }) => id)
        .toSorted(),
      ids.toSorted(),
    );
  });

  it('two collectors on one journal: the second says so (73); a file that is none: 65, untouched', async () => {
    const listener = listen();
    await publish('alpha', 1);
    await complete();
    const second = await collector.ctx(['connection', 'listen', '--journal', journal]);
    assert.equal(second.code, 73, second.stderr);
    assert.match(second.stderr, /journal/);
    await ended(listener);
    const other = path.join(path.dirname(journal), 'notes.txt');
    fs.writeFileSync(other, 'my notes\n');
    const refused = await collector.ctx(['connection', 'listen', '--journal', other]);
    assert.equal(refused.code, 65, refused.stderr);
    assert.equal(fs.readFileSync(other, 'utf8'), 'my notes\n');
  });
});
