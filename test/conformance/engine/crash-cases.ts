/** Power cuts at any moment: what was acknowledged is there, what was refused is not, a second try ends as one entry. */
import assert from 'node:assert/strict';
import { scaled } from '../../support/scale';
import type { InLab } from './engine-conformance';
import type { EngineLab, OpenedLab } from './engine-lab';
import { Recorder } from './recorder';

const PUBLISHERS = 5;

/** Publishers go on until one has seen enough acknowledgements; then the power goes. */
async function publishUntil(lab: EngineLab, opened: OpenedLab, recorder: Recorder, round: number): Promise<void> {
  const enough = recorder.acknowledged + 3 + ((round * 7) % 23);
  const world = { ended: false };
  let end: () => void = () => undefined;
  const ending = new Promise<void>((resolve) => (end = resolve));
  const one = async (publisher: number): Promise<void> => {
    for (let i = 0; !world.ended; i++) {
      const ids = Array.from({ length: 1 + ((i + publisher) % 3) }, (_, n) => `k-${round}-${publisher}-${i}-${n}`);
      // A publish that the crash overtakes is never answered.
      const asked = recorder.publish(opened, `publisher-${publisher}`, ...ids).catch(() => undefined);
      await Promise.race([asked, ending]);
      if (recorder.acknowledged >= enough) world.ended = true;
    }
    end();
  };
  const publishers = Array.from({ length: PUBLISHERS }, (_, publisher) => one(publisher));
  // The first that has seen enough ends it for all, with the others' publishes under way.
  await ending;
  await lab.crash();
  await Promise.all(publishers);
}

export function crashCases(inLab: InLab): void {
  const rounds = scaled(6, 60);
  it(
    `${rounds} power cuts under ${PUBLISHERS} publishers: nothing acknowledged is lost, retries end as one entry`,
    inLab(async (lab, first) => {
      const recorder = new Recorder();
      let opened = first;
      for (let round = 0; round < rounds; round++) {
        await publishUntil(lab, opened, recorder, round);
        opened = await lab.open();
        for (const id of recorder.open) await recorder.publish(opened, 'ada@laptop', id);
        assert.deepEqual(recorder.open, [], 'everything is acknowledged in the end');
        await recorder.replay(opened, `after crash ${round}`, 10_000);
      }
      await opened.engine.close();
      recorder.check(await lab.logs());
    }),
  );

  it(
    'a crash right after the first start, and one after a clean stop, leave all as it was',
    inLab(async (lab, opened) => {
      const { hubId } = opened.reader;
      await lab.crash();
      const second = await lab.open();
      assert.equal(second.reader.hubId, hubId);
      const recorder = new Recorder();
      await recorder.publish(second, 'ada@laptop', 'e-1', 'e-2');
      const head = second.reader.head();
      await second.engine.close();
      await lab.crash();
      const third = await lab.open();
      assert.deepEqual([third.reader.hubId, third.reader.head()], [hubId, head]);
      await third.engine.close();
      recorder.check(await lab.logs());
    }),
  );
}
