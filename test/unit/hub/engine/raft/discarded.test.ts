/** What is discarded waits in raft/discarded.jsonl for its verdict, whatever a crash left of these files (FM-32, I9). */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { mock } from 'node:test';
import { encodeBatch } from '../../../../../hub/engine/raft/command-batch';
import { Discarded, pendingPath, rejectedPath } from '../../../../../hub/engine/raft/discarded';
import { DISCARD_SETTLE_MS } from '../../../../../hub/engine/raft/limits';
import type { Entry } from '../../../../../hub/raft/entry';
import { published } from '../../../../support/hub-log';
import { removeTempDirs, tempDir } from '../../../../support/processes';

const AT = new Date('2026-01-02T03:04:05.000Z');
const HALF = '{"id":"torn","type":"learn';

const entry = (...ids: string[]): Entry => {
  const entries = ids.map((id) => ({ ...published(id), origin: 'alpha', client: 'ada@laptop' }));
  const data = encodeBatch({ receivedAt: AT.toISOString(), commands: [{ kind: 'publish', entries }] });
  return { kind: 'data', term: 2, index: 7, data };
};

describe('entries that a node discards', () => {
  let folder: string;
  let committed: string[];
  let warned: string[];
  let caughtUp: () => Promise<boolean>;

  beforeEach(() => {
    folder = tempDir('ctx-discarded');
    fs.mkdirSync(path.join(folder, 'raft'));
    committed = [];
    warned = [];
    caughtUp = () => Promise.resolve(true);
    mock.timers.enable({ apis: ['setTimeout'] });
  });
  afterEach(() => mock.timers.reset());
  after(removeTempDirs);

  const open = (): Discarded =>
    new Discarded({
      folder,
      caughtUp: () => caughtUp(),
      known: (ids) => Promise.resolve(new Set(ids.filter((id) => committed.includes(id)))),
      warn: (message) => void warned.push(message),
      crash: (error) => assert.fail(String(error)),
    });
  /** The time of the verdict comes, and it is carried out. */
  async function judged(discarded: Discarded): Promise<void> {
    mock.timers.tick(DISCARD_SETTLE_MS);
    await discarded.close();
  }
  const idsIn = (file: string): readonly string[] =>
    fs
      .readFileSync(file, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as { id: string }).id);

  it('are noted as rejected, each once, but for those that were committed after all', async () => {
    const discarded = open();
    await discarded.keep([entry('one', 'two')], AT);
    await discarded.keep([entry('two', 'three')], AT);
    assert.deepEqual(idsIn(pendingPath(folder)), ['one', 'two', 'two', 'three']);
    committed = ['one'];
    await judged(discarded);
    assert.deepEqual(idsIn(rejectedPath(folder)), ['two', 'three']);
    assert.ok(!fs.existsSync(pendingPath(folder)));
    assert.match(warned.join('\n'), /^2 entries that were never committed .*ctx hub rejected$/);
  });

  it('are kept whole behind half a line that a crash left among those that wait', async () => {
    fs.writeFileSync(pendingPath(folder), HALF);
    const discarded = open();
    await discarded.keep([entry('one')], AT);
    await judged(discarded);
    assert.deepEqual(idsIn(rejectedPath(folder)), ['one']);
  });

  it('are noted whole behind half a line that a crash left among the rejected', async () => {
    const before = open();
    await before.keep([entry('one')], AT);
    await judged(before);
    const discarded = open();
    await discarded.keep([entry('two')], AT);
    fs.appendFileSync(rejectedPath(folder), fs.readFileSync(pendingPath(folder)).subarray(0, 20));
    await judged(discarded);
    assert.deepEqual(idsIn(rejectedPath(folder)), ['one', 'two']);
    assert.ok(!fs.existsSync(pendingPath(folder)));
  });

  it('wait on when more of them are kept while this node makes sure that it has caught up', async () => {
    let answer: ((isCaughtUp: boolean) => void) | undefined;
    caughtUp = () => new Promise((resolve) => (answer = resolve));
    const discarded = open();
    await discarded.keep([entry('one')], AT);
    mock.timers.tick(DISCARD_SETTLE_MS);
    while (answer === undefined) await new Promise((resolve) => setImmediate(resolve));
    await discarded.keep([entry('two')], AT);
    answer(true);
    await discarded.close();
    assert.deepEqual(idsIn(pendingPath(folder)), ['one', 'two']);
    assert.ok(!fs.existsSync(rejectedPath(folder)));
  });

  it('are judged only by a node that has caught up', async () => {
    caughtUp = () => Promise.resolve(false);
    const discarded = open();
    await discarded.keep([entry('one')], AT);
    await judged(discarded);
    assert.deepEqual(idsIn(pendingPath(folder)), ['one']);
    caughtUp = () => Promise.resolve(true);
    const later = open();
    later.resume();
    await judged(later);
    assert.deepEqual(idsIn(rejectedPath(folder)), ['one']);
  });
});
