/** A full disk: what is owed is tried until there is room, and a node that stops waits for none. */
import assert from 'node:assert/strict';
import { HubError } from '../../../../../core/errors';
import { DiskRoom } from '../../../../../hub/engine/raft/disk-room';

const full = (): HubError => new HubError('disk_full', 'The disk is full. Free space there.');

describe('DiskRoom', () => {
  function room(): { room: DiskRoom; warned: string[]; faults: (string | undefined)[] } {
    const warned: string[] = [];
    const faults: (string | undefined)[] = [];
    const made: DiskRoom = new DiskRoom({
      warn: (message) => void warned.push(message),
      changed: () => void faults.push(made.fault),
    });
    return { room: made, warned, faults };
  }

  it('tries again until there is room, and says once that there was none', async () => {
    const { room: tested, warned, faults } = room();
    let tries = 0;
    await tested.until(() => (++tries < 3 ? Promise.reject(full()) : Promise.resolve()));
    assert.deepEqual([tries, warned.length, tested.fault], [3, 1, undefined]);
    assert.deepEqual([faults[0], faults.at(-1)], ['The disk is full. Free space there.', undefined]);
  });

  it('does not try again what failed for another reason', async () => {
    const { room: tested } = room();
    const failed = new HubError('store_failed', 'The disk failed.');
    await assert.rejects(
      tested.until(() => Promise.reject(failed)),
      failed,
    );
    assert.equal(tested.fault, undefined);
  });

  it('gives up at a stop, in the middle of a wait and afterwards', async () => {
    const { room: tested, faults } = room();
    const waiting = tested.until(() => Promise.reject(full()));
    waiting.catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(faults.length > 0, 'it waits for room');
    tested.stop();
    await assert.rejects(waiting, { code: 'disk_full' });
    await assert.rejects(
      tested.until(() => Promise.reject(full())),
      { code: 'disk_full' },
    );
  });
});
