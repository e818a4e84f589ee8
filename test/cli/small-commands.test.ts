/** `ctx init --json`, `connection unregister` and `publish --from`, as a script meets them. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { logEntries } from '../support/hub-log';
import { startHub, type HubProcess } from '../support/hub-process';
import { ctx, removeTempDirs, tempDir, userEnv } from '../support/processes';
import { connect, DECISION_FIELDS, newProject, projectAt, succeeded } from '../support/projects';

describe('small commands', function () {
  this.timeout(60_000);
  let hub: HubProcess;
  before(async () => {
    hub = await startHub();
  });
  after(async () => {
    await hub.kill9();
    removeTempDirs();
  });

  it('init --json says what it made; again, that it made nothing', async () => {
    const project = projectAt(tempDir('ctx-init'));
    const first = succeeded(await project.ctx(['init', '--json'])).stdout;
    const made = JSON.parse(first) as {
      schemaVersion: number;
      kind: string;
      created: string[];
      gitignore_changed: boolean;
    };
    assert.deepEqual(
      [made.schemaVersion, made.kind, made.created.length, made.gitignore_changed],
      [1, 'initialized', 4, true],
    );
    for (const file of made.created) assert.ok(fs.existsSync(file));
    const again = JSON.parse(succeeded(await project.ctx(['init', '--json'])).stdout) as typeof made;
    assert.deepEqual([again.created, again.gitignore_changed], [[], false]);
  });

  it('in a folder that is gone, a command says so', async function () {
    if (process.platform === 'win32') this.skip();
    const cwd = tempDir('ctx-gone');
    const wrap = ['sh', '-c', 'rmdir "$PWD" && exec "$@"', 'sh'];
    const { code, stdout, stderr } = await ctx(['list'], { cwd, env: userEnv(tempDir('ctx-user')), wrap });
    assert.deepEqual([code, stdout], [74, '']);
    assert.equal(stderr, 'ctx: Cannot read the current folder: no such file or folder.\n');
  });

  it('unregister: the connection goes, what was shared and what waits stays; the way to end the token is named', async () => {
    const project = await newProject('leaving');
    await connect(project, hub);
    succeeded(await project.ctx(['add', 'decision', 'Shared', ...DECISION_FIELDS, '--share']));
    const { stdout, stderr } = succeeded(await project.ctx(['connection', 'unregister', '--json']));
    const answer = JSON.parse(stdout) as { kind: string; removed: boolean; client_id: string };
    assert.deepEqual([answer.kind, answer.removed], ['unregistered', true]);
    assert.ok(stderr.includes(`ctx hub client revoke ${answer.client_id}`));
    assert.ok(!fs.existsSync(project.file('.connect.enc')));
    assert.match(project.read('hub/shared.jsonl'), /Shared/);
    assert.equal((await project.ctx(['add', 'decision', 'Afterwards', ...DECISION_FIELDS, '--share'])).code, 75);
    assert.equal((await project.ctx(['connection', 'status'])).code, 78);
    assert.match(succeeded(await project.ctx(['connection', 'unregister'])).stdout, /was not connected/);
    await connect(project, hub);
    succeeded(await project.ctx(['connection', 'publish']));
    const own = logEntries(hub.dataDir).filter(({ origin }) => origin === 'leaving');
    assert.deepEqual(
      own.map(({ content }) => content.split('\n')[0]),
      ['Shared', 'Afterwards'],
    );
  });

  it("publish --from: own entries of a log or a rejected list, each once; others' are left out; a bad line is named", async () => {
    const project = await newProject('restoring');
    await connect(project, hub);
    const file = path.join(project.dir, 'lines.jsonl');
    const line = (id: string, origin?: string): string =>
      JSON.stringify({ id, type: 'learning', content: `From ${id}`, timestamp: '2026-01-31T09:30:00Z', origin });
    const inside = JSON.stringify({
      entry: JSON.parse(line('in-1')) as object,
      code: 'disk_full',
      message: 'x',
      at: 'y',
    });
    fs.writeFileSync(
      file,
      `${[line('f-1', 'restoring'), line('f-2', 'somebody'), inside, line('f-1', 'restoring')].join('\n')}\n`,
    );
    for (const round of [1, 2]) {
      const { stderr } = succeeded(await project.ctx(['connection', 'publish', '--from', file]));
      assert.match(stderr, /1 entry is of other projects/, `round ${round}`);
    }
    const own = logEntries(hub.dataDir).filter(({ origin }) => origin === 'restoring');
    assert.deepEqual(
      own.map(({ id }) => id),
      ['f-1', 'in-1'],
    );
    fs.appendFileSync(file, '{"half\n');
    const bad = await project.ctx(['connection', 'publish', '--from', file]);
    assert.equal(bad.code, 65);
    assert.match(bad.stderr, /line 5, is no JSON/);
    assert.equal((await project.ctx(['connection', 'publish', '--from', 'nowhere'])).code, 74);
  });
});
