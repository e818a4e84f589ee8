/** FM-14 and FM-20, the client's side: refused for now (no leader, full disk) means kept, said in those words, and sent later by itself. */
import assert from 'node:assert/strict';
import { makeConnection } from '../support/connection';
import { FakeHub } from '../support/fake-hub';
import { removeTempDirs, until } from '../support/processes';
import { DECISION_FIELDS, newProject, type CliProject } from '../support/projects';

describe('FM-14 no leader, seen from a client', function () {
  this.timeout(60_000);
  let hub: FakeHub;
  let project: CliProject;

  beforeEach(async () => {
    hub = new FakeHub();
    project = await newProject('alpha');
    await makeConnection(project, { hub_addr: await hub.listen() });
  });
  afterEach(() => hub.close());
  after(removeTempDirs);

  const CASES = [
    ['no_leader', /no_leader/, 69],
    ['disk_full', /disk_full/, 74],
  ] as const;
  for (const [code, says, exit] of CASES) {
    it(`${code}: the local write stays, publish says so and exits ${exit}, a listener sends it when the hub takes it`, async () => {
      hub.refusals = [{ code }, { code }];
      const added = await project.ctx(['add', 'decision', 'Kept', ...DECISION_FIELDS, '--share']);
      assert.equal(added.code, 75, added.stderr);
      assert.match(added.stderr, says);
      assert.match(project.read('DECISIONS.md'), /Kept/);
      const published = await project.ctx(['connection', 'publish']);
      assert.equal(published.code, exit, published.stderr);
      assert.match(published.stderr, says);
      assert.deepEqual([hub.refusals.length, hub.log.length], [0, 0]);
      hub.refusals = [{ code }, { code, retryAfterMs: 300 }, { code }];
      const listener = project.start(['connection', 'listen']);
      await until('it is on the hub', () => hub.log.length === 1, 30_000);
      assert.equal(hub.refusals.length, 0, 'it was refused three times first');
      await until('the outbox is empty', () => project.read('hub/outbox.jsonl') === '');
      listener.process.kill('SIGTERM');
      assert.equal((await listener.finished).code, 0);
      assert.equal(hub.log.length, 1);
    });
  }
});
