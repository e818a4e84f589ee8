/** What would go by without a word: entries hidden below a fence, a colleague's token replaced, two priorities, what the archive holds. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { fillLog } from '../support/fill-log';
import { startHub, type HubProcess } from '../support/hub-process';
import { removeTempDirs } from '../support/processes';
import { connect, DECISION_FIELDS, newProject, succeeded, type CliProject } from '../support/projects';

describe('nothing goes by without a word', function () {
  this.timeout(120_000);
  let hub: HubProcess;
  before(async () => {
    hub = await startHub();
  });
  after(async () => {
    await hub.kill9();
    removeTempDirs();
  });

  it('entries below a fence that never ends: list, search and agent name file and line', async () => {
    const project = await newProject('fenced');
    succeeded(await project.ctx(['add', 'decision', 'Below the fence', ...DECISION_FIELDS]));
    const text = project.read('DECISIONS.md');
    fs.writeFileSync(project.file('DECISIONS.md'), text.replace(/\n(## \[[^\]]+\] Below)/, '\n```sh\nls\n\n$1'));
    const line = project.read('DECISIONS.md').split('\n').indexOf('```sh') + 1;
    assert.ok(line > 0);
    for (const command of [['list'], ['search', 'fence'], ['agent']]) {
      const { stdout, stderr } = succeeded(await project.ctx(command));
      assert.ok(!stdout.includes('Below the fence'), 'it is hidden');
      assert.match(stderr, new RegExp(`warning: \\S+DECISIONS\\.md:${line}: This code fence never ends`), command[0]);
    }
    fs.writeFileSync(project.file('DECISIONS.md'), text);
    assert.equal(succeeded(await project.ctx(['list', 'decision'])).stderr, '');
  });

  it("registering under a name that is taken says that the other one's token is dead; one's own again does not", async () => {
    const first = await newProject('taken');
    await connect(first, hub, ['--client', 'ada@laptop']);
    const tokenFile = `${hub.dataDir}/admin.token`;
    const register = (project: CliProject, ...more: string[]): ReturnType<CliProject['ctx']> =>
      project.ctx(['connection', 'register', hub.address, '--token-file', tokenFile, ...more]);
    assert.doesNotMatch(succeeded(await register(first)).stderr, /already/);
    const second = await newProject('taken');
    const { stderr } = succeeded(await register(second, '--client', 'ada@laptop'));
    assert.match(stderr, /warning: ada@laptop was registered for project taken already.*--client <name>/);
    const json = succeeded(await register(first, '--client', 'ada@laptop', '--json')).stdout;
    assert.equal((JSON.parse(json) as { replaced: boolean }).replaced, false, 'this folder had it before');
    assert.doesNotMatch(succeeded(await register(second, '--client', 'bob@laptop')).stderr, /already/);
  });

  it('a task with a priority in its title and another one beside it is refused, and nothing is written', async () => {
    const project = await newProject('tagged');
    const before = project.read('TASKS.md');
    const both = await project.ctx(['add', 'task', 'Rotate the key #priority:low', '--priority', 'high']);
    assert.equal(both.code, 65);
    assert.match(both.stderr, /#priority:low already.*--priority/);
    assert.equal(project.read('TASKS.md'), before);
    succeeded(await project.ctx(['add', 'task', 'Rotate the key #priority:low']));
    assert.match(project.read('TASKS.md'), /Rotate the key #priority:low #added:\S+ </);
  });

  it('what the mirror has moved to its archive is found by show and search, and listed with --all', async () => {
    const count = 1_600;
    const reader = await newProject('reader');
    await connect(reader, hub);
    await hub.stop();
    const first = JSON.parse(succeeded(await reader.ctx(['list', '--json'])).stdout) as { entries: unknown[] };
    assert.equal(first.entries.length, 0);
    await fillLog(hub.dataDir, 1, count, (number) => ({
      ...{
        id: `old-${number}.`,
        type: 'learning',
        content: `Number ${number} of many`,
        origin: 'writer',
        client: 'w@w',
      },
      timestamp: '2026-01-31T09:30:00Z',
    }));
    hub = await startHub({ dataDir: hub.dataDir, args: ['--port', String(hub.port)] });
    succeeded(await reader.ctx(['connection', 'sync']));
    assert.ok(fs.readdirSync(reader.file('hub/archive')).length > 0);
    assert.ok(!reader.read('hub/learnings.md').includes('Number 1 of many'));

    assert.match(
      succeeded(await reader.ctx(['show', 'old-1.'])).stdout,
      /^file: +\S*archive\S+:\d+$[^]*Number 1 of many/m,
    );
    assert.equal(succeeded(await reader.ctx(['search', 'many'])).stdout.split('\n').length - 1, count);
    const listed = async (...more: string[]): Promise<number> =>
      succeeded(await reader.ctx(['list', ...more])).stdout.split('\n').length - 1;
    assert.equal(await listed('--all'), count);
    assert.ok((await listed()) < count);
  });
});
