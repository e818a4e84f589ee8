/** FM-64: a hub that sends things twice, out of order or again after a cut makes no duplicate, neither in the mirror nor in what is told. */
import assert from 'node:assert/strict';
import { makeConnection } from '../support/connection';
import { FakeHub } from '../support/fake-hub';
import { removeTempDirs, until } from '../support/processes';
import { mirroredIds, newProject, type CliProject } from '../support/projects';
import { shared } from '../support/shared-entry';

describe('FM-64 no duplicates', function () {
  this.timeout(60_000);
  let hub: FakeHub;
  let project: CliProject;

  beforeEach(async () => {
    hub = new FakeHub();
    hub.repeats = true;
    project = await newProject('reader');
    await makeConnection(project, { hub_addr: await hub.listen(), project: 'reader', token: 'reader' });
  });
  afterEach(() => hub.close());
  after(removeTempDirs);

  it('each batch again with what came before it, cuts, and a listener killed in between', async () => {
    const told: string[] = [];
    for (let life = 0; life < 3; life++) {
      const listener = project.start(['connection', 'listen', '--json']);
      for (let round = 0; round < 4; round++) {
        hub.append('beta', shared(`e-${life}-${round}-a`), shared(`e-${life}-${round}-b`));
        if (round === 1) hub.cutAll();
        const all = hub.log.map(({ id }) => id).join();
        await until('the mirror is the log', () => mirroredIds(project).join() === all, 30_000);
      }
      await until('the last is told', () => listener.stdout().includes(`e-${life}-3-b`));
      listener.process.kill('SIGKILL');
      const { stdout } = await listener.finished;
      told.push(...[...stdout.matchAll(/"id":"(e-[^"]+)"/g)].map(([, id]) => id ?? ''));
    }
    assert.deepEqual(
      told,
      hub.log.map(({ id }) => id),
    );
    assert.equal(new Set(told).size, 24);
  });
});
