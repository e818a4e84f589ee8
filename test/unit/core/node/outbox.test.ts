import assert from 'node:assert/strict';
import fs from 'node:fs';
import fc from 'fast-check';
import type { PublishedEntry } from '../../../../core/entry';
import { HubError } from '../../../../core/errors';
import { Outbox } from '../../../../core/node/outbox';
import { readLedger } from '../../../../core/node/share-ledger';
import { removeTempDirs } from '../../../support/processes';
import { makeProject, type TestProject } from '../../../support/test-project';

const entry = (id: string, content = `Title ${id}`): PublishedEntry => ({
  id,
  type: 'decision',
  content,
  timestamp: '2026-01-01T00:00:00Z',
});
const shared = (
  each: PublishedEntry,
  sequence = 1,
): { entry: PublishedEntry; sequence: number; duplicate: boolean } => ({
  entry: each,
  sequence,
  duplicate: false,
});

describe('outbox', () => {
  let project: TestProject;
  let outbox: Outbox;
  beforeEach(() => {
    project = makeProject();
    outbox = new Outbox(project.paths);
  });
  after(removeTempDirs);

  it('takes no more than it may, adds all of a call or nothing, and takes again when there is room', async () => {
    const small = new Outbox(project.paths, { entries: 3, bytes: 10_000 });
    await small.add([entry('a'), entry('b')]);
    const full = (error: unknown): boolean => error instanceof HubError && error.code === 'cannot_create';
    await assert.rejects(small.add([entry('c'), entry('d')]), full);
    assert.equal(await small.count(), 2);
    await small.add([entry('a')]);
    await small.add([entry('c')]);
    await assert.rejects(small.add([entry('d')]), full);
    await small.settle({ shared: [shared(entry('a'))], rejected: [] });
    await small.add([entry('d')]);
    assert.deepEqual(
      (await small.waiting()).map(({ id }) => id),
      ['b', 'c', 'd'],
    );
    const narrow = new Outbox(project.paths, { entries: 100, bytes: 2_000 });
    await assert.rejects(narrow.add([entry('large', 'x'.repeat(2_000))]), full);
    assert.equal(await narrow.count(), 3);
  });

  it('a ledger that says most things many times is written anew and says the same', async () => {
    const ids = Array.from({ length: 20 }, (_, i) => `e-${i}`);
    for (let round = 0; round < 40; round++) {
      await outbox.settle({ shared: ids.map((id, i) => shared(entry(id), i + 1)), rejected: [] });
    }
    const lines = (): number => fs.readFileSync(project.paths.ledger, 'utf8').split('\n').length - 1;
    assert.equal(lines(), 800);
    const before = [...(await readLedger(project.paths)).values()];
    await outbox.compactLedger();
    assert.equal(lines(), 20);
    assert.deepEqual([...(await readLedger(project.paths)).values()], before);
    await outbox.compactLedger();
    assert.equal(lines(), 20);
  });

  it('keeps what is added, in order, for every process that looks', async () => {
    await outbox.add([entry('a'), entry('b')]);
    await new Outbox(project.paths).add([entry('c')]);
    assert.deepEqual(await outbox.waiting(), [entry('a'), entry('b'), entry('c')]);
    assert.equal(await outbox.count(), 3);
  });

  it('an id waits once: the same entry changes nothing, a newer text takes its place', async () => {
    await outbox.add([entry('a'), entry('b')]);
    await outbox.add([entry('a')]);
    await outbox.add([entry('a', 'newer')]);
    assert.deepEqual(await outbox.waiting(), [entry('a', 'newer'), entry('b')]);
  });

  it('settled ones leave for the ledger or the rejected list; one that was replaced meanwhile stays', async () => {
    await outbox.add([entry('a'), entry('b'), entry('c'), entry('d')]);
    await outbox.add([entry('c', 'newer')]);
    const error = new HubError('id_conflict', 'other content');
    await outbox.settle({
      shared: [shared(entry('a'), 7), shared(entry('c'), 8)],
      rejected: [{ entry: entry('b'), error }],
    });
    assert.deepEqual(await outbox.waiting(), [entry('c', 'newer'), entry('d')]);
    const ledger = await readLedger(project.paths);
    assert.deepEqual([ledger.get('a')?.sequence, ledger.get('a')?.entry], [7, entry('a')]);
    const [rejected] = await outbox.rejected();
    assert.deepEqual(
      [rejected?.entry, rejected?.error.code, rejected?.error.message],
      [entry('b'), 'id_conflict', 'other content'],
    );
  });

  it('a rejected entry that is tried again leaves the list, for good when it is shared', async () => {
    const error = new HubError('invalid', 'no');
    await outbox.add([entry('a')]);
    await outbox.settle({ shared: [], rejected: [{ entry: entry('a'), error }] });
    await outbox.add([entry('a')]);
    assert.deepEqual(await outbox.rejected(), []);
    await outbox.settle({ shared: [shared(entry('a'))], rejected: [] });
    assert.deepEqual(await outbox.rejected(), []);
    assert.equal(await outbox.count(), 0);
  });

  it('a torn tail, at every byte, harms nothing that was confirmed', async () => {
    await outbox.add([entry('a')]);
    const before = fs.readFileSync(project.paths.outbox);
    await outbox.add([entry('b', 'x'.repeat(200))]);
    const after = fs.readFileSync(project.paths.outbox);
    for (let length = before.length; length < after.length; length += 13) {
      fs.writeFileSync(project.paths.outbox, after.subarray(0, length));
      const next = new Outbox(project.paths);
      assert.deepEqual(await next.waiting(), [entry('a')]);
      await next.add([entry('c')]);
      assert.deepEqual(await next.waiting(), [entry('a'), entry('c')]);
      fs.writeFileSync(project.paths.outbox, before);
    }
  });

  it('lines that are no entry stay, and are told of', async () => {
    await outbox.add([entry('a'), entry('b'), entry('c')]);
    fs.appendFileSync(project.paths.outbox, 'somebody wrote this\n{"id":"half"}\n');
    await outbox.settle({ shared: [shared(entry('a')), shared(entry('b'), 2)], rejected: [] });
    await outbox.settle({ shared: [shared(entry('c'), 3)], rejected: [] });
    assert.deepEqual(await outbox.waiting(), []);
    assert.deepEqual(await outbox.unreadable(), ['somebody wrote this', '{"id":"half"}']);
    assert.equal(fs.readFileSync(project.paths.outbox, 'utf8'), 'somebody wrote this\n{"id":"half"}\n');
  });

  it('refill: everything this machine ever sent waits again, once, unchanged', async () => {
    await outbox.add([entry('a'), entry('b'), entry('c')]);
    await outbox.settle({ shared: [shared(entry('a'), 1), shared(entry('b'), 2)], rejected: [] });
    const seen = {
      ...entry('z'),
      origin: 'alpha',
      client: 'bob@desk',
      received_at: '2026-01-01T00:00:00Z',
      sequence: 3,
      digest: '',
    };
    await outbox.noteSeen([seen, { ...seen, ...entry('a'), sequence: 1 }]);
    assert.equal(await outbox.refillFromLedger(), 2);
    assert.deepEqual(new Set((await outbox.waiting()).map(({ id }) => id)), new Set(['a', 'b', 'c']));
    assert.equal(await outbox.refillFromLedger(), 0);
    assert.equal(await outbox.count(), 3);
  });

  it('many adds and settlements at once, from several instances: nothing lost, nothing doubled', async () => {
    const boxes = Array.from({ length: 4 }, () => new Outbox(project.paths));
    await Promise.all(boxes.map((box, i) => box.add(Array.from({ length: 10 }, (_, n) => entry(`${i}-${n}`)))));
    const gone = Array.from({ length: 4 }, (_, i) => entry(`${i}-3`));
    await Promise.all(boxes.map((box, i) => box.settle({ shared: [shared(gone[i] ?? entry('x'))], rejected: [] })));
    const left = (await outbox.waiting()).map(({ id }) => id);
    assert.equal(left.length, 36);
    assert.equal(new Set(left).size, 36);
    assert.equal((await readLedger(project.paths)).size, 4);
  });

  it('any order of adds and settlements reads as a map would', async () => {
    const acts = fc.array(
      fc.record({ add: fc.boolean(), id: fc.constantFrom('a', 'b', 'c', 'd'), text: fc.constantFrom('1', '2') }),
      {
        maxLength: 30,
      },
    );
    await fc.assert(
      fc.asyncProperty(acts, async (list) => {
        const its = makeProject();
        const box = new Outbox(its.paths);
        const model = new Map<string, PublishedEntry>();
        for (const { add, id, text } of list) {
          const each = entry(id, text);
          if (add) {
            model.set(id, each);
            await box.add([each]);
          } else {
            if (model.get(id)?.content === text) model.delete(id);
            await box.settle({ shared: [shared(each)], rejected: [] });
          }
        }
        assert.deepEqual(await new Outbox(its.paths).waiting(), [...model.values()]);
        assert.deepEqual(await box.waiting(), [...model.values()]);
      }),
      { numRuns: 25 },
    );
  });
});
