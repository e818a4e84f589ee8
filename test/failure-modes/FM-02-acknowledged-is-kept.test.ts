/** FM-02: what the hub acknowledged it keeps, whenever it is killed; nothing it refused or never got appears (I3, I4, I6, I11). */
import assert from 'node:assert/strict';
import { Crowd } from '../support/crowd';
import { startHub } from '../support/hub-process';
import { removeTempDirs, until } from '../support/processes';

const KILLS = 8;

describe('FM-02: what was acknowledged is kept', () => {
  after(removeTempDirs);

  it(`${KILLS} kill -9 in the middle of publishing: every acknowledged entry is there, once, at its sequence`, async function () {
    this.timeout(KILLS * 20_000);
    const args = ['--no-rate-limit'];
    let hub = await startHub({ args });
    const { dataDir } = hub;
    const crowd = new Crowd({ publishers: 8, mostEntries: 3 });
    await crowd.register(hub);
    for (let kill = 0; kill < KILLS; kill++) {
      const before = crowd.acknowledged;
      const running = crowd.publish(hub);
      // Not before it is really at work; then at some moment of a batch.
      const enough = 20 + ((kill * 37) % 150);
      await until('entries are acknowledged', () => crowd.acknowledged >= before + enough, 30_000);
      const ended = await hub.kill9();
      assert.equal(ended.signal, 'SIGKILL');
      await running;
      hub = await startHub({ dataDir, args });
    }
    assert.equal((await hub.stop()).code, 0);
    const lines = crowd.check(dataDir);
    console.log(`      ${KILLS} kills, ${crowd.acknowledged} acknowledged, ${lines} in the log`);
  });
});
