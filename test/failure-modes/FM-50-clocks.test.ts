/** FM-50, FM-51: the client's time is kept as sent beside the hub's, order is by sequence, and a skew is shown, not guessed. */
import assert from 'node:assert/strict';
import { openSession } from '../../core/node/hub-session';
import { logEntries } from '../support/hub-log';
import { registerClient, startHub, type HubProcess } from '../support/hub-process';
import { removeTempDirs, until } from '../support/processes';
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

  it('an entry more than five minutes off is flagged as it arrives, by text and by JSON; four minutes are not (FM-51)', async () => {
    const { token } = await registerClient(hub, 'skewed');
    const listeners = [reader.start(['connection', 'listen']), reader.start(['connection', 'listen', '--json'])];
    for (const each of listeners) await each.says(/Connected to/);
    const session = await openSession({ address: hub.address, token });
    const minutes = { 's-late': 60, 's-early': -60, 's-near': 4, 's-exact': 0 };
    for (const [id, offset] of Object.entries(minutes)) {
      await session.publish([shared(id, { timestamp: new Date(Date.now() + offset * 60_000).toISOString() })]);
    }
    await session.close();
    const [text, json] = listeners;
    assert.ok(text !== undefined && json !== undefined);
    await until('all are told', () => listeners.every((each) => each.stdout().includes('s-exact')));
    const lineOf = (id: string): string =>
      text
        .stdout()
        .split('\n')
        .find((line) => line.includes(id)) ?? '';
    assert.match(lineOf('s-late'), /\[timestamp (?:59|60) min after the hub's clock\]/);
    assert.match(lineOf('s-early'), /\[timestamp 60 min before the hub's clock\]/);
    for (const id of ['s-near', 's-exact']) assert.ok(lineOf(id) !== '' && !lineOf(id).includes('clock'), lineOf(id));
    const skews = json
      .stdout()
      .split('\n')
      .filter((line) => line.includes('"id":"s-'))
      .map((line) => JSON.parse(line) as { id: string; clock_skew_ms?: number });
    assert.deepEqual(
      skews.filter((each) => each.clock_skew_ms !== undefined).map(({ id }) => id),
      ['s-late', 's-early'],
    );
    for (const each of listeners) each.process.kill('SIGTERM');
    for (const each of listeners) assert.equal((await each.finished).code, 0);
  });
});
