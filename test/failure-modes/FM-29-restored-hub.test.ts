/** FM-29, the client's side: a hub restored from a backup is noticed and said, read anew without duplicates, and given back what it lost. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { hubCommand, logEntries } from '../support/hub-log';
import { startHub, type HubProcess } from '../support/hub-process';
import { removeTempDirs, tempDir, until } from '../support/processes';
import { connect, DECISION_FIELDS, mirroredIds, newProject, succeeded, type CliProject } from '../support/projects';

describe('FM-29 a restored hub, seen from its clients', function () {
  this.timeout(120_000);
  let hub: HubProcess;
  let ada: CliProject;
  let bob: CliProject;

  beforeEach(async () => {
    hub = await startHub();
    ada = await newProject('alpha');
    bob = await newProject('beta');
    await connect(ada, hub);
    await connect(bob, hub);
  });
  afterEach(async () => {
    await hub.kill9();
  });
  after(removeTempDirs);

  const share = async (project: CliProject, id: string): Promise<void> => {
    succeeded(await project.ctx(['add', 'decision', `Title of ${id}`, ...DECISION_FIELDS, '--id', id, '--share']));
  };
  const ids = (): string[] => logEntries(hub.dataDir).map((entry) => entry.id);
  const inStep = (): boolean => {
    const of = (origin: string): string =>
      logEntries(hub.dataDir)
        .flatMap((each) => (each.origin === origin ? [each.id] : []))
        .join();
    return mirroredIds(ada).join() === of('beta') && mirroredIds(bob).join() === of('alpha');
  };

  /** Both have shared before the backup and after it; then the hub is what the backup holds. */
  async function restore(whenEverywhere: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    await share(ada, 'a-1');
    await share(bob, 'b-1');
    const backup = path.join(tempDir('ctx-backup'), 'copy');
    assert.equal((await hubCommand(hub.dataDir, 'backup', backup)).code, 0);
    await share(ada, 'a-2');
    await share(bob, 'b-2');
    await share(ada, 'a-3');
    await until('all is everywhere', inStep, 30_000);
    await whenEverywhere();
    await hub.kill9();
    const { port } = hub;
    hub = await startHub({ dataDir: backup, args: ['--port', String(port)] });
    assert.deepEqual(ids(), ['a-1', 'b-1'], 'the hub really lost them');
  }

  it('listeners say so, give back their own entries, and end with the mirror of the log, each entry once', async () => {
    const listeners = [ada.start(['connection', 'listen']), bob.start(['connection', 'listen'])];
    await restore();
    for (const listener of listeners)
      await listener.says(/history is not the one known here \(restored or replaced\)/, 40_000);
    await until('what was lost is back', () => ids().toSorted().join() === 'a-1,a-2,a-3,b-1,b-2', 40_000);
    await until('the mirrors are the log', inStep, 40_000);
    await share(ada, 'a-4');
    await until('it goes on', inStep, 30_000);
    for (const listener of listeners) {
      listener.process.kill('SIGTERM');
      assert.equal((await listener.finished).code, 0);
    }
    assert.equal(new Set(ids()).size, ids().length);
  });

  it('one that has grown past what it lost is noticed by who had not read that far', async () => {
    await share(ada, 'a-1');
    const backup = path.join(tempDir('ctx-backup'), 'copy');
    assert.equal((await hubCommand(hub.dataDir, 'backup', backup)).code, 0);
    // Ada only publishes: her cursor lies before everything that follows.
    await share(ada, 'a-2');
    await hub.kill9();
    hub = await startHub({ dataDir: backup, args: ['--port', String(hub.port)] });
    for (const id of ['b-1', 'b-2', 'b-3']) await share(bob, id);
    assert.deepEqual(ids(), ['a-1', 'b-1', 'b-2', 'b-3'], 'the sequence of a-2 is that of another entry now');
    const { stderr } = succeeded(await ada.ctx(['connection', 'sync']));
    assert.match(stderr, /history is not the one known here \(restored or replaced\)/);
    assert.deepEqual(ids(), ['a-1', 'b-1', 'b-2', 'b-3', 'a-2']);
    assert.deepEqual(mirroredIds(ada), ['b-1', 'b-2', 'b-3']);
    // And once only.
    assert.doesNotMatch(succeeded(await ada.ctx(['connection', 'sync'])).stderr, /history/);
    assert.equal(ids().length, 5);
  });
});
