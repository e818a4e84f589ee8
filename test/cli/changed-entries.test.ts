/** An entry changed after it was shared is a new one that supersedes it: readers show the newest, the log keeps all. Two people, one repository. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import type { StoredEntry } from '../../core/entry';
import { logEntries } from '../support/hub-log';
import { startHub, type HubProcess } from '../support/hub-process';
import { removeTempDirs, tempDir } from '../support/processes';
import { connect, DECISION_FIELDS, newProject, projectAt, succeeded, type CliProject } from '../support/projects';

interface Listed {
  readonly id: string;
  readonly title: string;
  readonly content: string;
  readonly superseded_by?: string;
}

describe('changed entries', function () {
  this.timeout(120_000);
  let hub: HubProcess;
  let ada: CliProject;
  let reader: CliProject;

  beforeEach(async () => {
    hub = await startHub();
    ada = await newProject('alpha');
    await connect(ada, hub, ['--client', 'ada@laptop']);
    reader = await newProject('reader');
    await connect(reader, hub);
  });
  afterEach(async () => {
    await hub.kill9();
    removeTempDirs();
  });

  const edit = (project: CliProject, from: string, to: string, file = 'DECISIONS.md'): void => {
    const text = project.read(file);
    assert.ok(text.includes(from));
    fs.writeFileSync(project.file(file), text.replaceAll(from, to));
  };
  const publish = (project: CliProject, id: string, ...more: string[]): ReturnType<CliProject['ctx']> =>
    project.ctx(['connection', 'publish', '--id', id, ...more]);
  const chain = (): (readonly [string, string | undefined])[] =>
    logEntries(hub.dataDir).map((entry: StoredEntry) => [entry.content.split('\n')[0] ?? '', entry.supersedes]);
  const listed = async (...more: string[]): Promise<readonly Listed[]> => {
    succeeded(await reader.ctx(['connection', 'sync']));
    const { stdout } = succeeded(await reader.ctx(['list', '--hub', '--json', ...more]));
    return (JSON.parse(stdout) as { entries: Listed[] }).entries;
  };
  /** The same repository on another machine: what is git-ignored does not come along. */
  async function colleague(): Promise<CliProject> {
    const dir = path.join(tempDir('ctx-clone'), 'alpha');
    fs.mkdirSync(path.join(dir, '.context'), { recursive: true });
    for (const name of fs.readdirSync(ada.file(''))) {
      if (name.endsWith('.md')) fs.copyFileSync(ada.file(name), path.join(dir, '.context', name));
    }
    const bob = projectAt(dir);
    await connect(bob, hub, ['--client', 'bob@desk', '--project', 'alpha']);
    return bob;
  }

  it('each change is one new version of the last; sharing it again is none; readers see the newest', async () => {
    const id = 'first-id';
    succeeded(await ada.ctx(['add', 'decision', 'First words', ...DECISION_FIELDS, '--id', id, '--share']));
    edit(ada, 'First words', 'Second words');
    assert.match(succeeded(await publish(ada, id)).stdout, /Shared as #2/);
    assert.match(succeeded(await publish(ada, id)).stdout, /Shared as #2/);
    edit(ada, 'Second words', 'Third words');
    assert.match(succeeded(await publish(ada, id)).stdout, /Shared as #3/);
    edit(ada, 'Third words', 'First words');
    assert.match(succeeded(await publish(ada, id)).stdout, /Shared as #4/);
    const ids = logEntries(hub.dataDir).map((entry) => entry.id);
    assert.equal(ids[0], id);
    assert.deepEqual(chain(), [
      ['First words', undefined],
      ['Second words', ids[0]],
      ['Third words', ids[1]],
      ['First words', ids[2]],
    ]);
    assert.deepEqual(
      (await listed()).map((entry) => entry.id),
      [ids[3]],
    );
    const all = await listed('--all');
    assert.deepEqual(
      all.map((entry) => entry.superseded_by),
      [ids[3], ids[3], ids[3], undefined],
    );
    assert.match(succeeded(await reader.ctx(['show', id])).stdout, new RegExp(`replaced: *by ${ids[3] ?? ''}`));
    assert.equal(
      succeeded(await reader.ctx(['search', 'words']))
        .stdout.trim()
        .split('\n').length,
      1,
    );
    const packet = succeeded(await reader.ctx(['agent', '--include-hub'])).stdout;
    assert.equal([...packet.matchAll(/^### First words$/gm)].length, 1);
    assert.ok(!packet.includes('Second words'));
    // The local file was not touched by any of this.
    assert.match(ada.read('DECISIONS.md'), /ctx:id=first-id/);
  });

  it('changed while the hub was away: both versions wait, and arrive in order', async () => {
    await hub.kill9();
    assert.equal((await ada.ctx(['add', 'decision', 'Before', ...DECISION_FIELDS, '--id', 'x', '--share'])).code, 75);
    edit(ada, 'Before', 'After');
    assert.equal((await publish(ada, 'x')).code, 75);
    hub = await startHub({ dataDir: hub.dataDir, args: ['--port', String(hub.port)] });
    succeeded(await ada.ctx(['connection', 'publish']));
    assert.deepEqual(chain(), [
      ['Before', undefined],
      ['After', 'x'],
    ]);
  });

  it('adding the same entry again with --share after a change shares the change, with other text it says how', async () => {
    const add = ['add', 'convention', 'Old rule', '--id', 'rule', '--share'];
    succeeded(await ada.ctx(add));
    edit(ada, 'Old rule', 'New rule', 'CONVENTIONS.md');
    succeeded(await ada.ctx(['add', 'convention', 'New rule', '--id', 'rule', '--share']));
    assert.deepEqual(chain(), [
      ['Old rule', undefined],
      ['New rule', 'rule'],
    ]);
    const other = await ada.ctx(add);
    assert.equal(other.code, 65);
    assert.match(other.stderr, /connection publish --id rule/);
  });

  it('two people, one repository: the same entry and the same change are one entry each', async () => {
    fs.writeFileSync(
      ada.file('DECISIONS.md'),
      '# Decisions\n\n## [2026-01-31-120000] By hand\n\n**Context**: a\n\n**Rationale**: b\n\n**Consequence**: c\n',
    );
    const bob = await colleague();
    const { stdout } = succeeded(await ada.ctx(['list', 'decision', '--json']));
    const id = (JSON.parse(stdout) as { entries: Listed[] }).entries[0]?.id ?? '';
    assert.match(id, /^h1-/);
    succeeded(await publish(ada, id));
    assert.match(succeeded(await publish(bob, id)).stdout, /#1/);
    for (const each of [ada, bob]) edit(each, '**Context**: a', '**Context**: changed');
    succeeded(await publish(ada, id));
    assert.match(succeeded(await publish(bob, id)).stdout, /#2/);
    assert.equal(logEntries(hub.dataDir).length, 2);
  });

  it('two people with different text under one derived id: reported, not merged, with or without a look at the hub', async () => {
    const text = (context: string): string =>
      `# Decisions\n\n## [2026-01-31-120000] By hand\n\n**Context**: ${context}\n\n**Rationale**: b\n\n**Consequence**: c\n`;
    fs.writeFileSync(ada.file('DECISIONS.md'), text("Ada's words"));
    const bob = await colleague();
    fs.writeFileSync(bob.file('DECISIONS.md'), text("Bob's words"));
    const { stdout } = succeeded(await bob.ctx(['list', 'decision', '--json']));
    const id = (JSON.parse(stdout) as { entries: Listed[] }).entries[0]?.id ?? '';
    succeeded(await publish(ada, id));
    for (const looked of [false, true]) {
      if (looked) succeeded(await bob.ctx(['connection', 'sync']));
      const refused = await publish(bob, id);
      assert.equal(refused.code, 65, refused.stderr);
      assert.match(refused.stderr, looked ? /other text/ : /id_conflict/);
      assert.ok(!refused.stderr.includes("Ada's"));
    }
    assert.equal(logEntries(hub.dataDir).length, 1);
    assert.match(bob.read('DECISIONS.md'), /Bob's words/);
    succeeded(await publish(bob, id, '--replace'));
    assert.deepEqual(chain(), [
      ['By hand', undefined],
      ['By hand', id],
    ]);
  });

  it('a colleague whose file is older does not take a newer version back', async () => {
    succeeded(await ada.ctx(['add', 'decision', 'Old text', ...DECISION_FIELDS, '--id', 'shared-id', '--share']));
    const bob = await colleague();
    edit(ada, 'Old text', 'New text');
    succeeded(await publish(ada, 'shared-id'));
    succeeded(await bob.ctx(['connection', 'sync']));
    const refused = await publish(bob, 'shared-id');
    assert.equal(refused.code, 65, refused.stderr);
    assert.equal(logEntries(hub.dataDir).length, 2);
  });

  it('a project that claims to supersede what another one wrote hides nothing of it', async () => {
    succeeded(await ada.ctx(['add', 'decision', 'Stays in sight', ...DECISION_FIELDS, '--id', 'victim', '--share']));
    const mallory = await newProject('mallory');
    await connect(mallory, hub);
    const line = {
      id: 'usurper',
      type: 'decision',
      content: 'Mine now',
      timestamp: '2026-01-31T09:30:00Z',
      supersedes: 'victim',
    };
    const file = path.join(mallory.dir, 'lines.jsonl');
    fs.writeFileSync(file, `${JSON.stringify(line)}\n`);
    succeeded(await mallory.ctx(['connection', 'publish', '--from', file]));
    assert.deepEqual(
      (await listed()).map((entry) => entry.title),
      ['Stays in sight', 'Mine now'],
    );
  });
});
