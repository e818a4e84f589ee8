/** The data directory of the original `ctx` hub: upgraded in place with a copy kept; its tokens work and are kept as digests (FM-45). */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { startHub } from '../support/hub-process';
import { hubCommand, logEntries, publishEach, published, readJson, refusedStart } from '../support/hub-log';
import { removeTempDirs, tempDir } from '../support/processes';

const TOKENS = ['ctx_cli_0123456789abcdef', 'another-verbatim-token'];

function originalDirectory(entries: readonly object[], more: { counter?: number; tail?: string } = {}): string {
  const dataDir = path.join(tempDir('ctx-original'), 'hub-data');
  fs.mkdirSync(dataDir, { mode: 0o755 });
  const write = (name: string, text: string): void => fs.writeFileSync(path.join(dataDir, name), text, { mode: 0o644 });
  write('entries.jsonl', entries.map((each) => `${JSON.stringify(each)}\n`).join('') + (more.tail ?? ''));
  write(
    'meta.json',
    JSON.stringify({ sequence_counter: more.counter ?? entries.length, created_at: '2026-01-01T00:00:00Z' }),
  );
  const clients = TOKENS.map((token, i) => ({ id: `client_${i}`, project_name: `Project ${i}`, token }));
  write('clients.json', JSON.stringify(clients));
  write('admin.token', 'ctx_adm_old');
  return dataDir;
}

const original = (sequence: number, more: object = {}): object => ({
  id: `old-${sequence}`,
  type: 'decision',
  content: `Old ${sequence}\r\n\r\nWith "quotes" and CRLF.`,
  origin: 'Project 0',
  timestamp: '2026-01-31T09:30:00+01:00',
  sequence,
  ...more,
});

describe('data directory of the original hub', () => {
  after(removeTempDirs);

  it('is upgraded in place: entries, sequences and tokens go on; the old files are kept beside', async () => {
    const entries = [original(1), original(2, { author: 'ada' }), original(3)];
    const dataDir = originalDirectory(entries);
    const before = ['entries.jsonl', 'clients.json', 'meta.json'].map((name) =>
      fs.readFileSync(path.join(dataDir, name), 'utf8'),
    );
    const hub = await startHub({ dataDir });
    assert.match(hub.process.stderr(), /upgraded: 3 entries, 2 clients.*new admin token/);
    await publishEach(hub, TOKENS[0] ?? '', [published('new-4')]);
    await publishEach(hub, TOKENS[1] ?? '', [published('new-5')]);
    await hub.stop();
    const found = logEntries(dataDir);
    assert.deepEqual(
      found.slice(0, 3).map(({ id, type, content, origin, timestamp, sequence }) => ({
        id,
        type,
        content,
        origin,
        timestamp,
        sequence,
      })),
      [1, 2, 3].map((sequence) => original(sequence)),
    );
    assert.equal((found[1] as unknown as { author: string }).author, 'ada');
    assert.equal(found[0]?.received_at, '2026-01-31T08:30:00.000Z');
    assert.deepEqual(
      found.slice(3).map(({ sequence, origin }) => [sequence, origin]),
      [
        [4, 'project-0'],
        [5, 'project-1'],
      ],
    );
    const kept = ['entries.jsonl', 'clients.json', 'meta.json'].map((name) =>
      fs.readFileSync(path.join(dataDir, 'backup-before-upgrade', name), 'utf8'),
    );
    assert.deepEqual(kept, before);
    const clients = fs.readFileSync(path.join(dataDir, 'clients.json'), 'utf8');
    for (const token of TOKENS) assert.equal(clients.includes(token), false);
    assert.equal(fs.statSync(dataDir).mode & 0o077, 0);
    assert.equal((await hubCommand(dataDir, 'verify')).code, 0);
    const again = await startHub({ dataDir });
    assert.doesNotMatch(again.process.stderr(), /upgraded/);
    await again.stop();
  });

  it('gaps and a counter that is ahead are kept: no sequence is given twice', async () => {
    const dataDir = originalDirectory([original(1), original(4)], { counter: 6 });
    const hub = await startHub({ dataDir });
    await publishEach(hub, TOKENS[0] ?? '', [published('new')]);
    await hub.stop();
    assert.deepEqual(
      logEntries(dataDir).map((each) => each.sequence),
      [1, 4, 7],
    );
    const gaps = readJson(path.join(dataDir, 'meta.json'))['gaps'] as { first: number; last: number }[];
    assert.deepEqual(
      gaps.map(({ first, last }) => [first, last]),
      [
        [2, 3],
        [5, 6],
      ],
    );
    assert.equal((await hubCommand(dataDir, 'verify')).code, 0);
  });

  it('a last line that a crash cut short is left out and told; a bad line before it is refused by number', async () => {
    const cut = originalDirectory([original(1)], { tail: '{"id":"half' });
    const hub = await startHub({ dataDir: cut });
    assert.match(hub.process.stderr(), /last line \(2\) was cut short/);
    await hub.stop();
    const bad = originalDirectory([original(1), { id: 'x' }, original(3)]);
    const { code, stderr } = await refusedStart(bad);
    assert.deepEqual([code, stderr.includes('line 2: ')], [65, true]);
    assert.ok('sequence_counter' in readJson(path.join(bad, 'meta.json')), 'nothing was upgraded');
  });

  it('an upgrade that was interrupted after any file starts again from the copy', async () => {
    const whole = originalDirectory([original(1), original(2)]);
    await (await startHub({ dataDir: whole })).stop();
    for (const replaced of [['hub.id'], ['hub.id', 'entries.jsonl'], ['hub.id', 'entries.jsonl', 'clients.json']]) {
      const dataDir = originalDirectory([original(1), original(2)]);
      fs.cpSync(path.join(whole, 'backup-before-upgrade'), path.join(dataDir, 'backup-before-upgrade'), {
        recursive: true,
      });
      fs.copyFileSync(path.join(whole, 'backup-before-upgrade/meta.json'), path.join(dataDir, 'meta.json'));
      for (const name of replaced) fs.copyFileSync(path.join(whole, name), path.join(dataDir, name));
      const hub = await startHub({ dataDir });
      await publishEach(hub, TOKENS[1] ?? '', [published('new')]);
      await hub.stop();
      assert.deepEqual(
        logEntries(dataDir).map((each) => each.sequence),
        [1, 2, 3],
      );
    }
  });
});
