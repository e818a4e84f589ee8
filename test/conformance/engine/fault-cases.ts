/** Disks that are full or fail: refused for certain, or unknown and said so; reads go on. */
import assert from 'node:assert/strict';
import { HubError, type ErrorCode } from '../../../core/errors';
import { entry, publish } from '../../support/entries';
import type { InLab } from './engine-conformance';
import type { EngineLab, LabFaults, OpenedLab } from './engine-lab';
import { Recorder } from './recorder';

function faultsOf(lab: EngineLab): LabFaults | undefined {
  if (lab.faults === undefined) console.log("      NOT RUN: this lab's disk cannot be made to fail");
  return lab.faults;
}

async function refusedWith({ engine }: OpenedLab, id: string, code: ErrorCode, outcome: string): Promise<void> {
  const error = await engine.propose(publish(entry(id))).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof HubError, `${id} is not stored`);
  assert.deepEqual([error.code, error.outcome], [code, outcome]);
}

export function faultCases(inLab: InLab): void {
  it(
    'a full disk refuses whole commands, for certain; reads go on; with space again it goes on by itself',
    inLab(async (lab, opened) => {
      const faults = faultsOf(lab);
      if (faults === undefined) return;
      const recorder = new Recorder();
      recorder.listen(opened, 'listener');
      await recorder.publish(opened, 'ada@laptop', 'before');
      faults.fillDisk();
      await refusedWith(opened, 'probe', 'disk_full', 'refused');
      const told = await Promise.all(
        ['f-1', 'f-2', 'f-3'].map((id) => recorder.publish(opened, 'ada@laptop', id, `${id}b`)),
      );
      assert.deepEqual(
        told.flat(),
        Array.from({ length: 6 }, () => ({ kind: 'refused', code: 'disk_full' })),
      );
      assert.deepEqual((await opened.reader.readAfter(0, Infinity)).length, 1);
      assert.equal(opened.reader.head().sequence, 1);
      faults.freeSpace();
      assert.deepEqual(await recorder.publish(opened, 'ada@laptop', 'after'), [{ kind: 'ok', sequence: 2 }]);
      // Refused for certain, so its id is free for other content.
      const [stored] = await recorder.publishEntries(opened, 'ada@laptop', entry('f-1', { content: 'Other' }));
      assert.deepEqual(stored, { kind: 'ok', sequence: 3 });
      await opened.engine.close();
      recorder.check(await lab.logs());
    }),
  );

  it(
    'after a failed fsync the outcome is unknown, nothing more is written, and the status says why; a restart ends it',
    inLab(async (lab, opened) => {
      const faults = faultsOf(lab);
      if (faults === undefined) return;
      const recorder = new Recorder();
      await recorder.publish(opened, 'ada@laptop', 'before');
      faults.failNextSync();
      assert.deepEqual(await recorder.publish(opened, 'ada@laptop', 'lost'), [{ kind: 'unknown' }]);
      assert.deepEqual(await recorder.publish(opened, 'ada@laptop', 'lost'), [{ kind: 'unknown' }]);
      await refusedWith(opened, 'another', 'store_failed', 'unknown');
      assert.match(opened.engine.status().writeFault ?? '', /restart/);
      assert.equal((await opened.reader.readAfter(0, Infinity)).length, 1, 'reads go on, without what is unknown');
      await opened.engine.close();
      const again = await lab.open();
      assert.equal(again.engine.status().writeFault, undefined);
      const [told] = await recorder.publish(again, 'ada@laptop', 'lost');
      assert.equal(told?.kind, 'ok');
      await again.engine.close();
      recorder.check(await lab.logs());
    }),
  );
}
