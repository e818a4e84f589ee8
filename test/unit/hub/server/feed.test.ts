import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ENTRY_TYPES } from '../../../../core/entry';
import type { Cursor } from '../../../../core/cursor';
import { MAX_FEED_FRAME_BYTES, MAX_UNSENT_FEED_BYTES } from '../../../../hub/limits';
import { Feed, type Listener } from '../../../../hub/server/feed';
import { EVERYTHING, filterOf, letsThrough, type LineFilter } from '../../../../hub/server/line-filter';
import { FakeSocket, MemoryLog } from '../../../support/memory-log';
import { until } from '../../../support/processes';

interface Push {
  readonly kind: 'entries';
  readonly cursor: Cursor;
  readonly entries: readonly { readonly sequence: number }[];
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class Reader {
  readonly socket = new FakeSocket();
  listener: Listener | undefined;
  failed: unknown;

  constructor(
    readonly filter: LineFilter,
    readonly from: number,
  ) {}

  async join(feed: Feed, log: MemoryLog): Promise<void> {
    const cursor = this.from === 0 ? undefined : log.cursorAt(this.from);
    this.listener = await feed.listen(this.socket, this.filter, cursor, (error) => (this.failed = error));
    feed.run(this.listener);
  }

  get pushes(): readonly Push[] {
    return this.socket.received as Push[];
  }

  get told(): number {
    return this.pushes.at(-1)?.cursor.sequence ?? this.from;
  }

  /** A gap-free, duplicate-free, ordered prefix of what its filter lets through (I5); cursors are of the log's history. */
  check(log: MemoryLog): void {
    const got = this.pushes.flatMap((push) => push.entries.map((entry) => entry.sequence));
    const wanted = log.lines
      .filter((line) => line.sequence > this.from && line.sequence <= this.told && letsThrough(this.filter, line))
      .map((line) => line.sequence);
    assert.deepEqual(got, wanted);
    for (const push of this.pushes) assert.deepEqual(push.cursor, log.cursorAt(push.cursor.sequence));
  }
}

type Step =
  | { readonly kind: 'commit'; readonly sizes: readonly number[] }
  | { readonly kind: 'join'; readonly filter: LineFilter; readonly from: number }
  | { readonly kind: 'read'; readonly who: number; readonly frames: number }
  | { readonly kind: 'leave'; readonly who: number }
  | { readonly kind: 'turn' }
  | { readonly kind: 'beat' };

const size = fc.oneof({ weight: 8, arbitrary: fc.nat(400) }, { weight: 1, arbitrary: fc.constant(300_000) });
const types = fc.subarray([...ENTRY_TYPES], { minLength: 1 });
const origins = fc.constantFrom(['alpha'], ['alpha', 'beta'], ['gamma']);
const filter = fc
  .record({
    wanted: types,
    granted: fc.option(types, { nil: undefined }),
    origins: fc.option(origins, { nil: undefined }),
  })
  .map(({ wanted, granted, origins: allowed }) => filterOf(wanted, { types: granted, origins: allowed }, 'gamma'));
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('commit' as const), sizes: fc.array(size, { minLength: 1, maxLength: 12 }) }),
  fc.record({ kind: fc.constant('join' as const), filter, from: fc.nat(100) }),
  fc.record({ kind: fc.constant('read' as const), who: fc.nat(9), frames: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant('leave' as const), who: fc.nat(9) }),
  fc.constant({ kind: 'turn' as const }),
  fc.constant({ kind: 'beat' as const }),
);

async function act(each: Step, feed: Feed, log: MemoryLog, readers: Reader[]): Promise<void> {
  switch (each.kind) {
    case 'commit': {
      log.commit(each.sizes);
      return;
    }
    case 'join': {
      const reader = new Reader(each.filter, Math.min(each.from, log.lines.length));
      readers.push(reader);
      return void reader.join(feed, log);
    }
    case 'read':
      return readers[each.who % Math.max(1, readers.length)]?.socket.read(each.frames);
    case 'leave': {
      const reader = readers[each.who % Math.max(1, readers.length)];
      reader?.socket.terminate();
      if (reader?.listener !== undefined) feed.end(reader.listener);
      return;
    }
    case 'beat': {
      feed.tellCursors();
      return;
    }
    case 'turn':
      await turn();
  }
}

describe('feed', () => {
  it('gives every listener a gap-free, duplicate-free, ordered prefix, whatever happens in which order', async function () {
    this.timeout(120_000);
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 80 }),
        fc.array(fc.nat(300), { maxLength: 30 }),
        async (steps, old) => {
          const log = new MemoryLog();
          if (old.length > 0) log.commit(old);
          const feed = new Feed(log);
          const readers: Reader[] = [];
          for (const each of steps) await act(each, feed, log, readers);
          const open = readers.filter((reader) => reader.socket.isOpen());
          // Afterwards everyone reads, and all catch up.
          await until('all have caught up', async () => {
            await turn();
            feed.tellCursors();
            for (const reader of open) reader.socket.read();
            return open.every((reader) => reader.told === log.lines.length);
          });
          for (const reader of readers) {
            reader.check(log);
            assert.equal(reader.failed, undefined);
          }
          feed.close();
        },
      ),
      { numRuns: 300 },
    );
  });

  it('bounds what lies unsent for a listener that does not read, and loses nothing of it', async () => {
    const log = new MemoryLog();
    const feed = new Feed(log);
    const reader = new Reader(EVERYTHING, 0);
    await reader.join(feed, log);
    for (let batch = 0; batch < 200; batch++) {
      log.commit(Array.from({ length: 20 }, () => 5_000));
      await turn();
    }
    assert.ok(reader.socket.mostUnsent > MAX_UNSENT_FEED_BYTES / 2);
    assert.ok(reader.socket.mostUnsent < MAX_UNSENT_FEED_BYTES + MAX_FEED_FRAME_BYTES + 16_384);
    await until('it has caught up', async () => {
      await turn();
      reader.socket.read(1);
      return reader.told === log.lines.length;
    });
    reader.check(log);
    feed.close();
  });

  it('gathers what was committed in one turn into one frame', async () => {
    const log = new MemoryLog();
    const feed = new Feed(log);
    const reader = new Reader(EVERYTHING, 0);
    await reader.join(feed, log);
    await turn();
    for (let batch = 0; batch < 10; batch++) log.commit([100]);
    await turn();
    reader.socket.read();
    assert.equal(reader.pushes.length, 1);
    assert.equal(reader.pushes[0]?.entries.length, 10);
    feed.close();
  });

  it('does not read the disk for listeners that are nearly up to date', async () => {
    const log = new MemoryLog();
    const feed = new Feed(log);
    log.commit([10, 10, 10]);
    await turn();
    const reader = new Reader(EVERYTHING, 1);
    await reader.join(feed, log);
    await turn();
    reader.socket.read();
    reader.check(log);
    assert.deepEqual([reader.told, log.reads], [3, 0]);
    feed.close();
  });

  it('refuses a cursor of another history', async () => {
    const log = new MemoryLog();
    log.commit([10, 10]);
    const feed = new Feed(log);
    const socket = new FakeSocket();
    for (const cursor of [
      { sequence: 3, digest: log.cursorAt(2).digest },
      { sequence: 1, digest: log.cursorAt(2).digest },
      { sequence: 0, digest: log.cursorAt(2).digest },
    ]) {
      await assert.rejects(
        feed.listen(socket, EVERYTHING, cursor, () => undefined),
        { code: 'diverged' },
      );
    }
    feed.close();
  });
});
