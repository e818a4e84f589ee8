/** What readers of the log may rely on: the feed is built on nothing else. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { emptyLogDigest } from '../../../core/line';
import type { LogLine } from '../../../hub/store/log-reader';
import { sha256 } from '../../../hub/store/sha256';
import { entry, publish } from '../../support/entries';
import { scaled } from '../../support/scale';
import type { InLab } from './engine-conformance';
import type { OpenedLab } from './engine-lab';

const ENTRIES = 150;

async function fill({ engine }: OpenedLab, count: number, from = 0): Promise<void> {
  const commands = Array.from({ length: count }, (_, i) => {
    const id = `r-${from + i}`;
    return publish(entry(id, { content: `Title of ${id}\n\n${'word '.repeat((i * 7) % 90)}end` }));
  });
  await Promise.all(commands.map((command) => engine.propose(command)));
}

const textOf = (lines: readonly LogLine[]): string[] => lines.map(({ bytes }) => Buffer.from(bytes).toString('utf8'));

export function readCases(inLab: InLab): void {
  it(
    'reads whole lines after any sequence, in order, at least one, about as many bytes as asked for',
    inLab(async (_lab, opened) => {
      await fill(opened, ENTRIES);
      const all = await opened.reader.readAfter(0, Infinity);
      assert.deepEqual(
        all.map(({ sequence }) => sequence),
        Array.from({ length: ENTRIES }, (_, i) => i + 1),
      );
      const asked = fc.asyncProperty(fc.nat(ENTRIES + 5), fc.nat(20_000), async (after, bytes) => {
        const page = await opened.reader.readAfter(after, bytes);
        assert.deepEqual(textOf(page), textOf(all.slice(after, after + page.length)));
        assert.equal(page.length > 0, after < ENTRIES);
        const size = page.reduce((sum, line) => sum + line.bytes.length, 0);
        assert.ok(page.length <= 1 || size <= bytes, `${size} bytes for ${bytes}`);
      });
      await fc.assert(asked, { numRuns: scaled(150, 2000) });
      await opened.engine.close();
    }),
  );

  it(
    'gives each line with the sequence, type and digest that its bytes say',
    inLab(async (_lab, opened) => {
      const types = ['decision', 'learning', 'convention', 'task'] as const;
      await opened.engine.propose(publish(...types.map((type) => entry(`y-${type}`, { type }))));
      for (const { sequence, type, digest, bytes } of await opened.reader.readAfter(0, Infinity)) {
        const line = JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, unknown>;
        assert.deepEqual([line['sequence'], line['type'], line['digest']], [sequence, type, digest]);
      }
      await opened.engine.close();
    }),
  );

  it(
    'knows every cursor of its history and no other',
    inLab(async (lab, opened) => {
      const { reader } = opened;
      const empty = { sequence: 0, digest: emptyLogDigest(reader.hubId, sha256) };
      assert.deepEqual(reader.head(), empty);
      await fill(opened, 20);
      const lines = await reader.readAfter(0, Infinity);
      await opened.engine.close();
      const again = await lab.open();
      const cursors = [empty, ...lines.map(({ sequence, digest }) => ({ sequence, digest }))];
      for (const cursor of cursors) assert.equal(await again.reader.knows(cursor), true, String(cursor.sequence));
      const foreign = emptyLogDigest('00000000-0000-4000-8000-000000000000', sha256);
      for (const { sequence } of cursors) assert.equal(await again.reader.knows({ sequence, digest: foreign }), false);
      const ahead = { sequence: 21, digest: cursors.at(-1)?.digest ?? '' };
      assert.equal(await again.reader.knows(ahead), false);
      await again.engine.close();
    }),
  );

  it(
    'tells of each commit once, in order, byte for byte as the log has it, and never of what was not stored',
    inLab(async (_lab, opened) => {
      const heard: LogLine[] = [];
      opened.reader.onCommit((lines) => heard.push(...lines));
      await fill(opened, 40);
      // A duplicate and a conflict.
      await opened.engine.propose(publish(entry('r-3', { content: 'another' }), entry('r-41'), entry('r-41')));
      const log = await opened.reader.readAfter(0, Infinity);
      await opened.engine.close();
      assert.equal(log.length, 41);
      assert.deepEqual(textOf(heard), textOf(log));
      assert.deepEqual(
        heard.map(({ sequence, digest }) => [sequence, digest]),
        log.map(({ sequence, digest }) => [sequence, digest]),
      );
    }),
  );

  it(
    'an ended subscription hears no more',
    inLab(async (_lab, opened) => {
      let heard = 0;
      const stop = opened.reader.onCommit((lines) => (heard += lines.length));
      await fill(opened, 5);
      stop();
      const before = heard;
      await fill(opened, 5, 5);
      await opened.engine.close();
      assert.equal(heard, before);
    }),
  );
}
