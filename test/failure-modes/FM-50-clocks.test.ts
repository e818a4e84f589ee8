/** FM-50: the client's time is kept as sent beside the hub's, and order is by sequence. */
import assert from 'node:assert/strict';
import { openSession } from '../../core/node/hub-session';
import { logEntries } from '../support/hub-log';
import { registerClient, startHub, type HubProcess } from '../support/hub-process';
import { removeTempDirs } from '../support/processes';
import { connect, mirroredIds, newProject, succeeded, type CliProject } from '../support/projects';
import { shared } from '../support/shared-entry';

/** As sent: in the far past, in the future, in other spellings. */
const TIMES = [
  '2031-01-01T00:00:00Z',
  '1999-12-31T23:59:59.123456789+05:30',
  '2026-01-31t09:30:00z',
  '1970-01-01T00:00:00-23:59',
];

describe('FM-50 clocks that disagree', function () {
  this.timeout(60_000);
  let hub: HubProcess;
  let reader: CliProject;

  before(async () => {
    hub = await startHub();
    reader = await newProject('reader');
    await connect(reader, hub);
  });
  after(async () => {
    await hub.kill9();
    removeTempDirs();
  });

  it("times are stored and mirrored as sent, received_at is the hub's, order is by sequence", async () => {
    const { token } = await registerClient(hub, 'writer');
    const session = await openSession({ address: hub.address, token });
    const from = Date.now();
    for (const [i, timestamp] of TIMES.entries()) await session.publish([shared(`t-${i}`, { timestamp })]);
    const to = Date.now();
    await session.close();
    const stored = logEntries(hub.dataDir);
    assert.deepEqual(
      stored.map(({ timestamp }) => timestamp),
      TIMES,
    );
    for (const { received_at } of stored) {
      assert.match(received_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.ok(Date.parse(received_at) >= from && Date.parse(received_at) <= to);
    }
    succeeded(await reader.ctx(['connection', 'sync']));
    assert.deepEqual(mirroredIds(reader), ['t-0', 't-1', 't-2', 't-3']);
    for (const time of TIMES) assert.ok(reader.read('hub/decisions.md').includes(` at=${time} `));
  });
});
