import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { openFileEngine } from '../../../../hub/engine/file';
import type { OpenedEngine } from '../../../../hub/engine/log-engine';
import { entry, publish, record } from '../../../support/entries';
import { removeTempDirs, tempDir } from '../../../support/processes';

describe('file engine', () => {
  after(removeTempDirs);

  const warnings: string[] = [];
  const open = (folder: string): Promise<OpenedEngine> =>
    openFileEngine({ folder, warn: (message) => warnings.push(message) });
  const lines = (folder: string): string[] =>
    fs.readFileSync(path.join(folder, 'entries.jsonl'), 'utf8').split('\n').slice(0, -1);

  it('keeps entries and clients over a restart, and answers a known id with its first sequence', async () => {
    const folder = path.join(tempDir(), 'hub-data');
    const first = await open(folder);
    const [a, b] = await Promise.all([
      first.engine.propose(publish(entry('e-1'), entry('e-1'), entry('e-1', { content: 'Other' }))),
      first.engine.propose(publish(entry('e-2'))),
    ]);
    assert.deepEqual(
      a.kind === 'published' && a.entries.map((result) => [result.kind, 'sequence' in result && result.sequence]),
      [
        ['stored', 1],
        ['duplicate', 1],
        ['refused', false],
      ],
    );
    assert.deepEqual(b, { kind: 'published', entries: [{ kind: 'stored', id: 'e-2', sequence: 2 }] });
    await first.engine.propose({ kind: 'register', record: record('1') });
    await first.engine.close();

    const second = await open(folder);
    assert.equal(second.reader.head().sequence, 2);
    assert.deepEqual(second.clients.find(record('1').id), record('1'));
    const again = await second.engine.propose(publish(entry('e-2'), entry('e-3')));
    assert.deepEqual(again, {
      kind: 'published',
      entries: [
        { kind: 'duplicate', id: 'e-2', sequence: 2 },
        { kind: 'stored', id: 'e-3', sequence: 3 },
      ],
    });
    const read = await second.reader.readAfter(1, 10);
    assert.deepEqual(
      read.map((line) => Buffer.from(line.bytes).toString()),
      [lines(folder)[1]],
    );
    assert.deepEqual(
      await Promise.all([
        second.reader.knows(second.reader.head()),
        second.reader.knows({ sequence: 9, digest: '1.x' }),
      ]),
      [true, false],
    );
    await second.engine.close();
    assert.deepEqual(warnings, []);
    assert.equal(fs.statSync(folder).mode & 0o777, 0o700);
    for (const name of fs.readdirSync(folder)) assert.equal(fs.statSync(path.join(folder, name)).mode & 0o777, 0o600);
  });

  it('cuts and keeps a torn tail, refuses damage below it', async () => {
    const folder = path.join(tempDir(), 'hub-data');
    const opened = await open(folder);
    for (const id of ['e-1', 'e-2', 'e-3']) await opened.engine.propose(publish(entry(id)));
    // No close: as after a crash.
    const file = path.join(folder, 'entries.jsonl');
    const whole = fs.readFileSync(file);
    fs.appendFileSync(file, whole.subarray(0, 100));
    const again = await open(folder);
    assert.match(warnings.join(), /cut 100 bytes at byte \d+/);
    assert.deepEqual(fs.readFileSync(file), whole);
    await again.engine.close();
    whole[60] = (whole[60] ?? 0) ^ 1;
    fs.writeFileSync(file, whole);
    await assert.rejects(open(folder), /line 1 at byte 0: .*\n.*\n\s+ctx hub repair --quarantine/);
  });
});
