/** What is told for a publish, and what is in the log afterwards. */
import assert from 'node:assert/strict';
import type { StampedEntry } from '../../../core/entry';
import { HubError } from '../../../core/errors';
import { batchFirstOf, emptyLogDigest } from '../../../core/line';
import { ChainChecker } from '../../../hub/store/check-line';
import { sha256 } from '../../../hub/store/sha256';
import { entry, publish } from '../../support/entries';
import type { InLab } from './engine-conformance';
import type { OpenedLab } from './engine-lab';
import { Recorder } from './recorder';

const PUBLISHERS = 16;
const EACH = 12;

type Told = readonly (readonly [kind: string, sequenceOrCode: number | string])[];

async function told({ engine }: OpenedLab, ...entries: readonly StampedEntry[]): Promise<Told> {
  const result = await engine.propose(publish(...entries));
  assert.equal(result.kind, 'published');
  return result.entries.map((each) =>
    each.kind === 'refused' ? [each.kind, each.error.code] : [each.kind, each.sequence],
  );
}

async function sameIdAgain(opened: OpenedLab): Promise<void> {
  const first = entry('e-1', { content: 'The first' });
  assert.deepEqual(await told(opened, first, first), [
    ['stored', 1],
    ['duplicate', 1],
  ]);
  // Another time, meta and client: the first stay.
  const again = entry('e-1', { content: 'The first', client: 'bob@server', timestamp: '2027-01-01T00:00:00Z' });
  assert.deepEqual(await told(opened, entry('e-2'), again), [
    ['stored', 2],
    ['duplicate', 1],
  ]);
  for (const other of [
    { content: 'The second' },
    { type: 'task' },
    { origin: 'beta' },
    { supersedes: 'e-9' },
  ] as const) {
    const conflicting = entry('e-1', { content: 'The first', ...other });
    assert.deepEqual(await told(opened, conflicting), [['refused', 'id_conflict']], JSON.stringify(other));
  }
  const result = await opened.engine.propose(publish(entry('e-1', { content: 'The second' })));
  const [refused] = result.kind === 'published' ? result.entries : [];
  assert.ok(refused?.kind === 'refused');
  assert.doesNotMatch(refused.error.message, /The first|alpha|ada/, 'a conflict reveals nothing');
}

export function appendCases(inLab: InLab): void {
  it(
    'numbers what it stores 1, 2, 3, … and answers each entry in its place',
    inLab(async (lab, opened) => {
      assert.equal(opened.reader.head().sequence, 0);
      assert.deepEqual(await told(opened, entry('e-1')), [['stored', 1]]);
      assert.deepEqual(await told(opened, entry('e-2'), entry('e-3')), [
        ['stored', 2],
        ['stored', 3],
      ]);
      assert.equal(opened.reader.head().sequence, 3);
      assert.deepEqual(opened.engine.status().head, opened.reader.head());
      assert.deepEqual([opened.engine.status().role, opened.engine.status().writeFault], ['leader', undefined]);
      await opened.engine.close();
      for (const { lines } of await lab.logs())
        assert.deepEqual(
          lines.map(({ id }) => id),
          ['e-1', 'e-2', 'e-3'],
        );
    }),
  );

  it(
    'the same id again is a duplicate or a conflict, in one command, later, and after a restart',
    inLab(async (lab, opened) => {
      await sameIdAgain(opened);
      await opened.engine.close();
      const again = await lab.open();
      assert.deepEqual(await told(again, entry('e-1', { content: 'The first' })), [['duplicate', 1]]);
      assert.deepEqual(await told(again, entry('e-1', { content: 'Other' })), [['refused', 'id_conflict']]);
      assert.deepEqual(await told(again, entry('e-3')), [['stored', 3]]);
      await again.engine.close();
    }),
  );

  it(
    'an entry that breaks a rule is refused alone and takes no sequence',
    inLab(async (lab, opened) => {
      const answers = await told(
        opened,
        entry('a'),
        entry('b', { content: 'trailing \n' }),
        entry('bad id'),
        entry('c'),
      );
      assert.deepEqual(answers, [
        ['stored', 1],
        ['refused', 'invalid'],
        ['refused', 'invalid'],
        ['stored', 2],
      ]);
      assert.deepEqual(await told(opened, entry('d', { content: '' })), [['refused', 'invalid']]);
      assert.deepEqual(await told(opened, entry('b')), [['stored', 3]], 'a refused id is free');
      await opened.engine.close();
      for (const { lines } of await lab.logs())
        assert.deepEqual(
          lines.map(({ id }) => id),
          ['a', 'c', 'b'],
        );
    }),
  );

  it(
    `${PUBLISHERS} publishers at once, each id sent by two of them: one order, once each, heard by all in that order`,
    inLab(async (lab, opened) => {
      const recorder = new Recorder();
      recorder.listen(opened, 'early');
      const one = async (publisher: number): Promise<void> => {
        for (let i = 0; i < EACH; i++) {
          // Neighbours share every id; entries of one command differ in number.
          const ids = Array.from({ length: 1 + (i % 3) }, (_, n) => `p-${publisher >> 1}-${i}-${n}`);
          await recorder.publish(opened, `publisher-${publisher}`, ...ids);
        }
      };
      await Promise.all(Array.from({ length: PUBLISHERS }, (_, publisher) => one(publisher)));
      await recorder.replay(opened, 'late', 3000);
      assert.equal(recorder.acknowledged, PUBLISHERS * EACH * 2, 'every publish was acknowledged');
      await opened.engine.close();
      recorder.check(await lab.logs());
    }),
  );

  it(
    'commands of one turn, up to a thousand, are answered in their order',
    inLab(async (lab, opened) => {
      const answers = await Promise.all(Array.from({ length: 1000 }, (_, i) => told(opened, entry(`t-${i}`))));
      assert.deepEqual(
        answers,
        Array.from({ length: 1000 }, (_, i) => [['stored', i + 1]]),
      );
      await opened.engine.close();
      for (const { lines } of await lab.logs()) assert.equal(lines.length, 1000);
    }),
  );

  it(
    'contents of 1 MiB, and what JSON escapes, come back as they were',
    inLab(async (lab, opened) => {
      const contents = ['x'.repeat(1024 * 1024), `a${'\u0001'.repeat(100_000)}b`, 'Quotes " \\ \u{1F600}\n\n\ttab'];
      for (const [i, content] of contents.entries()) {
        assert.deepEqual(await told(opened, entry(`c-${i}`, { content })), [['stored', i + 1]]);
      }
      await opened.engine.close();
      const again = await lab.open();
      for (const [i, content] of contents.entries()) {
        const [line] = await again.reader.readAfter(i, 1);
        const stored = JSON.parse(Buffer.from(line?.bytes ?? []).toString('utf8')) as { content: string };
        assert.ok(stored.content === content, `content ${i}`);
        assert.deepEqual(await told(again, entry(`c-${i}`, { content })), [['duplicate', i + 1]]);
      }
      await again.engine.close();
    }),
  );

  it(
    'every line is chained to the one before, from the hub id on; a batch never reaches back',
    inLab(async (lab, opened) => {
      const bursts = [1, 5, 2, 9];
      let next = 0;
      for (const burst of bursts) {
        await Promise.all(
          Array.from({ length: burst }, () => told(opened, entry(`d-${next++}`), entry(`d-${next++}`))),
        );
      }
      const empty = { sequence: 0, digest: emptyLogDigest(opened.reader.hubId, sha256) };
      const { sequence, digest } = opened.reader.head();
      await opened.engine.close();
      for (const { node, lines } of await lab.logs()) {
        const checker = new ChainChecker(empty, []);
        let batch = 0;
        for (const { text, sequence: at } of lines) {
          const bytes = Buffer.from(text);
          assert.equal(typeof checker.check(bytes, 0, bytes.length), 'object', `${node}: line ${at}`);
          const first = batchFirstOf(checker.head.digest) ?? 0;
          assert.ok(first === batch || (first === at && first > batch), `${node}: the batch of line ${at}`);
          batch = first;
        }
        assert.deepEqual(checker.head, { sequence, digest });
      }
    }),
  );

  it(
    'a stop finishes what is under way, then refuses with going_away, certainly without effect',
    inLab(async (lab, opened) => {
      const recorder = new Recorder();
      const under = Array.from({ length: 20 }, (_, i) => recorder.publish(opened, 'ada@laptop', `s-${i}`));
      const closing = opened.engine.close();
      const refusal = await opened.engine.propose(publish(entry('late'))).catch((error: unknown) => error);
      assert.ok(refusal instanceof HubError);
      assert.deepEqual([refusal.code, refusal.outcome], ['going_away', 'refused']);
      await Promise.all([...under, closing, opened.engine.close()]);
      assert.equal(recorder.acknowledged, 20);
      recorder.check(await lab.logs());
      const again = await lab.open();
      assert.equal(again.reader.head().sequence, 20);
      await again.engine.close();
    }),
  );
}
