/** FM-02: what the hub acknowledged it keeps, whenever it is killed; nothing it refused or never got appears (I3, I4, I6, I11). */
import assert from 'node:assert/strict';
import { openSession, type HubSession } from '../../core/node/hub-session';
import { checkHistory, type Operation, type Told } from '../support/history';
import { registerClient, startHub, type HubProcess } from '../support/hub-process';
import { logText, published } from '../support/hub-log';
import { removeTempDirs, until } from '../support/processes';
import { scaled } from '../support/scale';

const PUBLISHERS = 8;

/** Publishers that go on until their hub is gone, over any number of hubs. */
class Crowd {
  readonly operations: Operation[] = [];
  private clock = 0;
  private next = 0;

  get acknowledged(): number {
    return this.operations.filter(({ told }) => told.kind === 'ok').length;
  }

  /** Resolves when every publisher has lost its hub. */
  async publishUntilGone(hub: HubProcess, tokens: readonly string[]): Promise<void> {
    await Promise.all(tokens.map((token, i) => this.one(hub, token, `publisher-${i}`)));
  }

  private async one(hub: HubProcess, token: string, client: string): Promise<void> {
    const session = await openSession({ address: hub.address, token }).catch(() => undefined);
    if (session === undefined) return;
    try {
      while (await this.publish(session, client));
    } finally {
      session.terminate();
    }
  }

  private async publish(session: HubSession, client: string): Promise<boolean> {
    const size = 1 + (this.next % 3);
    const ids = Array.from({ length: size }, () => `k-${this.next++}`);
    const invoked = this.clock++;
    const told = await this.ask(session, ids);
    const completed = this.clock++;
    ids.forEach((id, i) =>
      this.operations.push({ client, id, invoked, completed, told: told?.[i] ?? { kind: 'unknown' } }),
    );
    return told !== undefined;
  }

  private async ask(session: HubSession, ids: readonly string[]): Promise<readonly Told[] | undefined> {
    try {
      const results = await session.publish(
        ids.map((id) => published(id, `Title of ${id}\n\n${'text '.repeat(60)}end`)),
      );
      return results.map((each) =>
        'error' in each ? { kind: 'refused', code: each.error.code } : { kind: 'ok', sequence: each.sequence },
      );
    } catch {
      return undefined; // The hub is gone; the answer is not known.
    }
  }
}

describe('FM-02: what was acknowledged is kept', () => {
  after(removeTempDirs);

  const kills = scaled(8, 200);
  it(`${kills} kill -9 in the middle of publishing: every acknowledged entry is there, once, at its sequence`, async function () {
    this.timeout(kills * 20_000);
    let hub = await startHub({ args: ['--no-rate-limit'] });
    const { dataDir } = hub;
    const tokens = await Promise.all(
      Array.from({ length: PUBLISHERS }, async (_, i) => (await registerClient(hub, 'alpha', `publisher-${i}`)).token),
    );
    const crowd = new Crowd();
    for (let kill = 0; kill < kills; kill++) {
      const before = crowd.acknowledged;
      const running = crowd.publishUntilGone(hub, tokens);
      // Not before it is really at work; then at some moment of a batch.
      const enough = 20 + ((kill * 37) % 150);
      await until('entries are acknowledged', () => crowd.acknowledged >= before + enough, 30_000);
      const ended = await hub.kill9();
      assert.equal(ended.signal, 'SIGKILL');
      await running;
      hub = await startHub({ dataDir, args: ['--no-rate-limit'] });
    }
    assert.equal((await hub.stop()).code, 0);
    const lines = logText(dataDir).map((text) => {
      const { id, sequence } = JSON.parse(text) as { id: string; sequence: number };
      return { id, sequence, text };
    });
    assert.deepEqual(checkHistory({ operations: crowd.operations, logs: [{ node: 'hub', lines }] }), []);
    console.log(`      ${kills} kills, ${crowd.acknowledged} acknowledged, ${lines.length} in the log`);
  });
});
