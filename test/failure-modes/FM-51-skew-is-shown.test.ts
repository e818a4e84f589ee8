/** FM-51: clocks that disagree are shown, not guessed: entries are flagged, and `ctx doctor` measures this machine against the hub. */
import assert from 'node:assert/strict';
import { openSession } from '../../core/node/hub-session';
import { makeConnection } from '../support/connection';
import { FakeHub } from '../support/fake-hub';
import { registerClient, startHub, type HubProcess } from '../support/hub-process';
import { removeTempDirs, until } from '../support/processes';
import { connect, newProject, type CliProject } from '../support/projects';
import { shared } from '../support/shared-entry';

describe('FM-51 a skew between clocks', function () {
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

  it('an entry more than five minutes off is flagged as it arrives, by text and by JSON; four minutes are not', async () => {
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

  it("doctor measures this machine's clock against the hub's", async () => {
    const ahead = new FakeHub();
    ahead.clockAheadMs = 3_600_000;
    const project = await newProject('late');
    await makeConnection(project, { hub_addr: await ahead.listen() });
    const clock = async (): Promise<{ status: string; message: string } | undefined> => {
      const { stdout } = await project.ctx(['doctor', '--json']);
      const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string; message: string }[] };
      return checks.find(({ name }) => name === 'clock');
    };
    const off = await clock();
    assert.notEqual(off?.status, 'ok');
    assert.match(off?.message ?? '', /3(?:599|600|601) s behind the hub's/);
    ahead.clockAheadMs = 0;
    assert.equal((await clock())?.status, 'ok');
    await ahead.close();
  });
});
