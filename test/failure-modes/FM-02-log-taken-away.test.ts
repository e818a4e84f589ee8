/** FM-02: what is written into a log that others took away would be gone at the next stop, so it is not acknowledged. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import type { HubSession } from '../../core/node/hub-session';
import { filledData, hubCommand, logEntries, logFile, openHub, published } from '../support/hub-log';
import { removeTempDirs, until } from '../support/processes';

/** Publishes one after the other until one is refused. @returns the code of the refusal, and the ids acknowledged before */
async function publishUntilRefused(session: HubSession): Promise<{ code: unknown; acknowledged: string[] }> {
  const acknowledged: string[] = [];
  for (;;) {
    const id = `late-${acknowledged.length}`;
    try {
      const [result] = await session.publish([published(id)]);
      if (result === undefined || 'error' in result) return { code: result?.error.code, acknowledged };
    } catch (error) {
      return { code: (error as { code?: unknown }).code, acknowledged };
    }
    acknowledged.push(id);
    if (acknowledged.length === 10) return { code: undefined, acknowledged };
  }
}

const CASES: readonly (readonly [string, (log: string) => void, RegExp])[] = [
  ['removed', (log) => fs.rmSync(log), /was removed, moved or replaced while the hub has it open/],
  [
    'replaced by an older copy',
    (log) => {
      const older = fs.readFileSync(log).subarray(0, 0);
      fs.rmSync(log);
      fs.writeFileSync(log, older, { mode: 0o600 });
    },
    /was removed, moved or replaced while the hub has it open/,
  ],
  ['cut', (log) => fs.truncateSync(log, 100), /was cut to 100 bytes where \d+ were written/],
];

describe('FM-02: the log is taken away while the hub runs', () => {
  after(removeTempDirs);

  for (const [what, take, message] of CASES) {
    it(`${what}: publishing is refused at once, the hub is degraded and says what to do`, async () => {
      const { hub, session } = await openHub('beta', await filledData(5));
      await session.publish([published('before')]);
      take(logFile(hub.dataDir));
      const { code, acknowledged } = await publishUntilRefused(session);
      assert.equal(code, 'store_failed');
      assert.deepEqual(acknowledged, [], 'nothing is acknowledged into nowhere');
      const status = await hubCommand(hub.dataDir, 'status', '--exit-code');
      assert.equal(status.code, 1, status.stdout);
      assert.match(status.stdout, message);
      assert.match(status.stdout, /Writing has stopped.*listen --journal/);
      await session.close();
      assert.equal((await hub.stop()).code, 0);
    });
  }

  it('moved: noticed without a write, still served, and nothing is lost once it is back in its place', async () => {
    const { hub, session } = await openHub('beta', await filledData(5));
    await session.publish([published('before')]);
    const log = logFile(hub.dataDir);
    fs.renameSync(log, `${log}.away`);
    await until(
      'the hub is degraded',
      async () => (await hubCommand(hub.dataDir, 'status', '--exit-code')).code === 1,
      60_000,
    );
    const page = await session.syncPage({});
    assert.equal(page.cursor.sequence, 6);
    await session.close();
    fs.renameSync(`${log}.away`, log);
    await hub.stop();
    assert.equal((await hubCommand(hub.dataDir, 'verify')).code, 0);
    assert.equal(logEntries(hub.dataDir).at(-1)?.id, 'before');
  });
});
