/** FM-23 and P7 on a running hub: damage under it is not served, and the hub says that it is degraded, where and what to do. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import type { HubSession } from '../../core/node/hub-session';
import { filledData, hubCommand, logFile, openHub, published } from '../support/hub-log';
import { removeTempDirs } from '../support/processes';

const ENTRIES = 300;

async function health(port: number): Promise<{ status: number; degraded: unknown }> {
  const answer = await fetch(`http://127.0.0.1:${port}/healthz`);
  const { degraded } = (await answer.json()) as { degraded: unknown };
  return { status: answer.status, degraded };
}

async function readAll(session: HubSession): Promise<void> {
  let cursor;
  for (let more = true; more;) ({ cursor, more } = await session.syncPage({ cursor }));
}

describe('FM-23: damage while the hub runs', () => {
  after(removeTempDirs);

  it('the range is refused, the rest and new entries are served, healthz and status say degraded', async () => {
    const dataDir = await filledData(ENTRIES);
    const { hub, session } = await openHub('beta', dataDir);
    assert.equal((await health(hub.port)).degraded, false);

    const file = fs.openSync(logFile(dataDir), 'r+');
    fs.writeSync(file, 'X', fs.readFileSync(logFile(dataDir)).indexOf('Title of e-100\\n'));
    fs.closeSync(file);

    await assert.rejects(readAll(session), { code: 'store_failed' }, 'a page that would hold the damage is refused');
    const [stored] = await session.publish([published('new')]);
    assert.deepEqual(stored, { id: 'new', sequence: ENTRIES + 1, duplicate: false });
    assert.deepEqual(await health(hub.port), { status: 200, degraded: true });
    const status = await hubCommand(dataDir, 'status', '--exit-code');
    assert.equal(status.code, 1);
    assert.match(status.stdout, /Problem: +.*entries\.jsonl is damaged \(lines \d+ to \d+ at bytes.*ctx hub repair/);
    await session.close();
    assert.equal((await hub.stop()).code, 0);
    const refused = await hubCommand(dataDir, 'start', '--port', '0');
    assert.deepEqual([refused.code, /line 100 at byte \d+/.test(refused.stderr)], [65, true]);
  });
});
