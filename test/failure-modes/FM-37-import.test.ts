/** FM-37, the hub's side: a journal comes back with ids, origins, clients and timestamps, each entry once. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { startHub } from '../support/hub-process';
import { filledData, hubCommand, logEntries, logFile, readJson } from '../support/hub-log';
import { removeTempDirs, tempDir } from '../support/processes';

const facts = (dataDir: string): unknown[] =>
  logEntries(dataDir).map(({ id, type, content, origin, client, timestamp, meta, supersedes }) => ({
    ...{ id, type, content, origin, client, timestamp, meta, supersedes },
  }));

const counts = (stdout: string): unknown[] => {
  const { stored, duplicate, refused } = JSON.parse(stdout) as Record<string, number>;
  return [stored, duplicate, refused];
};

describe('FM-37: import', () => {
  after(removeTempDirs);

  it('into a running hub, into a stopped one, again, and interrupted: always each once', async () => {
    const source = await filledData(200);
    const journal = logFile(source);
    const half = path.join(tempDir('ctx-import'), 'half.jsonl');
    fs.writeFileSync(half, fs.readFileSync(journal, 'utf8').split('\n').slice(0, 90).join('\n'));

    const hub = await startHub();
    const first = await hubCommand(hub.dataDir, 'import', half, '--json');
    assert.equal(first.code, 0, first.stderr);
    assert.deepEqual(counts(first.stdout), [90, 0, 0]);
    assert.deepEqual(counts((await hubCommand(hub.dataDir, 'import', journal, '--json')).stdout), [110, 90, 0]);
    await hub.stop();
    assert.deepEqual(counts((await hubCommand(hub.dataDir, 'import', journal, '--json')).stdout), [0, 200, 0]);
    assert.deepEqual(facts(hub.dataDir), facts(source));
    assert.equal((await hubCommand(hub.dataDir, 'verify')).code, 0);
  });

  it('keeps meta, supersedes and content that needs six-fold escapes', async () => {
    const hub = await startHub();
    const journal = path.join(tempDir('ctx-import'), 'journal.jsonl');
    const common = { type: 'learning', origin: 'beta', client: 'bob@server', timestamp: '2026-01-31T09:30:00+01:00' };
    const entries = [
      { id: 'a', content: `a${'\u0001'.repeat(500_000)}b`, ...common, meta: { display_name: 'Bob' } },
      { id: 'b', content: 'B', ...common, supersedes: 'a' },
    ];
    fs.writeFileSync(journal, entries.map((each) => `${JSON.stringify(each)}\n`).join(''));
    const { code, stderr } = await hubCommand(hub.dataDir, 'import', journal);
    assert.equal(code, 0, stderr);
    await hub.stop();
    const [a, b] = logEntries(hub.dataDir);
    assert.deepEqual(
      [a?.meta, a?.content.length, a?.origin, a?.client, b?.supersedes],
      [{ display_name: 'Bob' }, 500_002, 'beta', 'bob@server', 'a'],
    );
  });

  it('of a file that is no journal the first lines are told, and how many more', async () => {
    const dataDir = await filledData(1);
    const file = path.join(tempDir('ctx-import'), 'notes.txt');
    fs.writeFileSync(file, 'a note\n'.repeat(1_000));
    const { code, stdout, stderr } = await hubCommand(dataDir, 'import', file, '--json');
    assert.deepEqual([code, counts(stdout)], [65, [0, 0, 1_000]]);
    const told = stderr.trimEnd().split('\n');
    assert.equal(told.length, 21);
    assert.match(told.at(19) ?? '', /line 20 was not imported: /);
    assert.match(told.at(-1) ?? '', /notes\.txt: 980 more lines of it were not imported\.$/);
  });

  it('says which lines it cannot take, takes the others, and exits 65', async () => {
    const dataDir = await filledData(1);
    const journal = path.join(tempDir('ctx-import'), 'journal.jsonl');
    const line = (more: object): string =>
      JSON.stringify({
        id: 'x',
        type: 'task',
        content: 'T',
        origin: 'a',
        client: 'c',
        timestamp: '2026-01-31T09:30:00Z',
        ...more,
      });
    fs.writeFileSync(
      journal,
      [
        '{"half',
        line({ id: 'bad id' }),
        line({ id: 'ok-1' }),
        line({ id: 'e-1', content: 'Other' }),
        line({ id: 'q', origin: 'a"b' }),
        line({ id: 'r', content: null, content_sha256: 'x' }),
        line({ id: 'ok-2' }),
      ].join('\n'),
    );
    const { code, stdout, stderr } = await hubCommand(dataDir, 'import', journal, '--json');
    assert.deepEqual([code, counts(stdout)], [65, [2, 0, 5]]);
    for (const lineNumber of [1, 2, 4, 5, 6])
      assert.match(stderr, new RegExp(`line ${lineNumber} was not imported: \\S`));
    assert.deepEqual(
      logEntries(dataDir).map((each) => each.id),
      ['e-1', 'ok-1', 'ok-2'],
    );
  });

  it('as an editor saved it; never with other text than the file has; whatever garbage it holds', async () => {
    const dataDir = await filledData(1);
    const journal = path.join(tempDir('ctx-import'), 'journal.jsonl');
    const line = (id: string): string =>
      `{"id":"${id}","type":"task","content":"T","origin":"a","client":"c","timestamp":"2026-01-31T09:30:00Z"}`;
    const parts: readonly (string | Uint8Array)[] = [
      `\ufeff${line('after-bom')}\r\n`,
      line('broken').replace('"T"', '"caf'),
      Uint8Array.of(0xe9),
      '"}\n',
      Buffer.alloc(9 * 1024 * 1024, 'x'),
      '\n\u001b]0;title\u0007\n',
      line('after-garbage').replace('"T"', '"a\u2028b"'),
    ];
    fs.writeFileSync(journal, Buffer.concat(parts.map((part) => Buffer.from(part))));
    const { code, stdout, stderr } = await hubCommand(dataDir, 'import', journal, '--json');
    assert.deepEqual([code, counts(stdout)], [65, [2, 0, 3]]);
    assert.match(stderr, /line 2 was not imported: it is not valid UTF-8/);
    assert.match(stderr, /line 3 was not imported: it is 9437184 bytes long, more than any entry/);
    assert.match(stderr, /line 4 was not imported: \S/);
    assert.ok(!stderr.includes('\u001b'), 'what would steer a terminal is shown instead');
    assert.deepEqual(
      logEntries(dataDir).map((each) => [each.id, each.content]),
      [
        ['e-1', logEntries(dataDir)[0]?.content],
        ['after-bom', 'T'],
        ['after-garbage', 'a\u2028b'],
      ],
    );
  });

  it('a file that is not there, a folder that is no data directory', async () => {
    const dataDir = await filledData(1);
    assert.equal((await hubCommand(dataDir, 'import', 'nowhere.jsonl')).code, 64);
    assert.equal((await hubCommand(path.join(dataDir, 'x'), 'import', logFile(dataDir))).code, 64);
    assert.equal(readJson(path.join(dataDir, 'meta.json'))['closed'], true);
  });
});
