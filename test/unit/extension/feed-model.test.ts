/** The feed's model: order, pages, unread, and arrivals that wait. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FeedModel, MAX_FEED_ENTRIES, type FeedEntry } from '../../../extension/feed/feed-model';

const NOTHING_READ = { upTo: 0, beyond: [] };

function entry(sequence: number, more: Partial<FeedEntry> = {}): FeedEntry {
  return {
    id: `id-${sequence}`,
    type: 'decision',
    title: `Title ${sequence}`,
    origin: 'beta',
    client: 'ada@laptop',
    sequence,
    timestamp: '2026-01-01T00:00:00Z',
    receivedAt: new Date(Date.UTC(2026, 0, 1) + sequence * 1000).toISOString(),
    ...more,
  };
}

function model(sequences: readonly number[], pageSize = 10): FeedModel {
  const made = new FeedModel(pageSize);
  made.reset(
    'a',
    sequences.map((each) => entry(each)),
    NOTHING_READ,
  );
  return made;
}

const shown = (made: FeedModel): number[] => made.rows.map((row) => row.entry.sequence);

describe('feed model', () => {
  it('shows the newest first, a page at a time', () => {
    const made = model([2, 1, 3, 5, 4], 2);
    assert.deepEqual(shown(made), [5, 4]);
    assert.equal(made.hasMore, true);
    made.loadMore();
    assert.deepEqual(shown(made), [5, 4, 3, 2]);
    made.loadMore();
    assert.equal(made.hasMore, false);
  });

  it('an entry that comes again changes nothing', () => {
    const made = model([1]);
    made.arrive('a', [entry(1, { title: 'other' }), entry(2), entry(2)]);
    assert.deepEqual(shown(made), [2, 1]);
    assert.equal(made.rows[1]?.entry.title, 'Title 1');
  });

  it('while it holds, arrivals change counts and no row; letting go shows them', () => {
    const made = model([1]);
    made.hold(true);
    made.arrive('a', [entry(2), entry(3)]);
    assert.deepEqual(shown(made), [1]);
    assert.equal(made.heldCount, 2);
    assert.equal(made.unreadCount, 3);
    made.showHeld();
    assert.deepEqual(shown(made), [3, 2, 1]);
    made.arrive('a', [entry(4)]);
    assert.equal(made.heldCount, 1);
    made.hold(false);
    assert.deepEqual(shown(made), [4, 3, 2, 1]);
    assert.equal(made.heldCount, 0);
  });

  it('remembers what was read: one by one, and all up to a point', () => {
    const made = model([1, 2, 3]);
    made.markRead('id-2');
    assert.equal(made.unreadCount, 2);
    assert.deepEqual(made.readMark('a'), { upTo: 0, beyond: ['id-2'] });
    made.markAllRead('a');
    assert.equal(made.unreadCount, 0);
    assert.deepEqual(made.readMark('a'), { upTo: 3, beyond: [] });
    made.arrive('a', [entry(4)]);
    assert.equal(made.unreadCount, 1);
    assert.deepEqual(
      made.rows.map((row) => row.unread),
      [true, false, false, false],
    );
  });

  it('an entry that two projects of a window receive is shown once', () => {
    const made = model([1, 2]);
    made.reset('b', [entry(2), entry(7, { id: 'other' })], NOTHING_READ);
    assert.deepEqual(shown(made), [7, 2, 1]);
    made.remove('b');
    assert.deepEqual(shown(made), [2, 1]);
  });

  it('keeps the order of each source whatever the hubs’ clocks say', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 50 })), { maxLength: 60 }), (arrivals) => {
        const made = new FeedModel(1000);
        made.reset('a', [], NOTHING_READ);
        made.reset('b', [], NOTHING_READ);
        arrivals.forEach(([first, second], at) => {
          const source = first ? 'a' : 'b';
          const receivedAt = new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();
          made.arrive(source, [entry(at + 1, { receivedAt })]);
        });
        for (const source of ['a', 'b']) {
          const own = made.rows.filter((row) => row.source === source).map((row) => row.entry.sequence);
          assert.deepEqual(
            own,
            [...own].sort((x, y) => y - x),
          );
        }
        assert.equal(made.rows.length, arrivals.length);
      }),
    );
  });

  it('has a limit, and lets the oldest go', () => {
    const made = model(
      Array.from({ length: MAX_FEED_ENTRIES }, (_, at) => at + 1),
      MAX_FEED_ENTRIES * 2,
    );
    made.arrive('a', [entry(MAX_FEED_ENTRIES + 1)]);
    assert.equal(made.rows.length, MAX_FEED_ENTRIES);
    assert.equal(made.rows.at(-1)?.entry.sequence, 2);
  });
});
