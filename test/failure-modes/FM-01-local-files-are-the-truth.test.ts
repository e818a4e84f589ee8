/** FM-01: nothing that a hub does or fails to do changes a local file or keeps `ctx add` from writing one. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { makeConnection } from '../support/connection';
import { FakeHub } from '../support/fake-hub';
import { removeTempDirs, until } from '../support/processes';
import { DECISION_FIELDS, newProject, succeeded, type CliProject } from '../support/projects';
import { shared } from '../support/shared-entry';

const LOCAL_FILES = ['DECISIONS.md', 'LEARNINGS.md', 'CONVENTIONS.md', 'TASKS.md'];

describe('FM-01 local files are the truth', function () {
  this.timeout(120_000);
  let hub: FakeHub;
  let project: CliProject;

  beforeEach(async () => {
    hub = new FakeHub();
    project = await newProject('alpha');
    await makeConnection(project, { hub_addr: await hub.listen() });
  });
  afterEach(() => hub.close());
  after(removeTempDirs);

  const files = (): string[] => LOCAL_FILES.map((name) => project.read(name));

  /** A local write with the share leg: whatever becomes of that, the entry stands in the file, and nothing else changed there. */
  async function addsAnyway(title: string, exits: readonly number[]): Promise<void> {
    const before = project.read('DECISIONS.md');
    const { code, stderr } = await project.ctx(['add', 'decision', title, ...DECISION_FIELDS, '--share']);
    assert.ok(code !== null && exits.includes(code), `${code}: ${stderr}`);
    const after = project.read('DECISIONS.md');
    assert.equal(after.split(title).length - 1, 2, 'title, and the decision that says the same');
    const lines = new Set(after.split('\n'));
    for (const line of before.split('\n')) assert.ok(lines.has(line), `lost: ${line}`);
    assert.equal((await project.ctx(['add', 'task', `Task of ${title}`])).code, 0);
  }

  const OUTAGES: readonly (readonly [string, (fake: FakeHub) => void | Promise<void>])[] = [
    ['is gone', (fake) => fake.close()],
    ['accepts and says nothing', (fake) => void (fake.mute = true)],
    ['takes requests and answers none', (fake) => void (fake.deaf = true)],
    ['refuses the connection', (fake) => void (fake.refuseUpgrade = 503)],
    ['refuses the token', (fake) => void (fake.refuseUpgrade = 401)],
    ['speaks another version', (fake) => void (fake.versions = [9])],
    ['has no leader', (fake) => void (fake.refusals = [{ code: 'no_leader' }])],
    ['has a full disk', (fake) => void (fake.refusals = [{ code: 'disk_full' }])],
    ['cuts the connection', (fake) => void (fake.cutAfterBytes = 500)],
  ];
  for (const [name, fail] of OUTAGES) {
    it(`a hub that ${name} keeps no local write back`, async () => {
      await fail(hub);
      await addsAnyway('Written here', [75]);
      assert.match(project.read('hub/outbox.jsonl'), /Written here/);
      if (name === 'is gone') hub = new FakeHub();
    });
  }

  it('a hub that refuses the entry for good: it stays here', async () => {
    hub.refusals = [{ code: 'invalid' }, { code: 'invalid' }];
    await addsAnyway('Not wanted there', [65]);
  });

  it('a damaged connection, outbox or ledger keeps no local write back', async () => {
    fs.writeFileSync(project.file('hub/outbox.jsonl'), '\u0000\u0000 no json\n{"half');
    fs.writeFileSync(project.file('hub/shared.jsonl'), '[]\nnull\n{"id":1}\n');
    await addsAnyway('Damaged lists', [0]);
    fs.writeFileSync(project.file('.connect.enc'), 'garbage');
    await addsAnyway('Damaged connection', [75]);
    fs.rmSync(project.file('hub/outbox.jsonl'));
    fs.mkdirSync(project.file('hub/outbox.jsonl'));
    await addsAnyway('A folder in the place of the outbox', [75]);
  });

  it('what a hub sends under our own name, our own ids and our own file names changes no local file', async () => {
    succeeded(await project.ctx(['add', 'decision', 'Ours', ...DECISION_FIELDS, '--id', 'ours']));
    const before = files();
    hub.append(
      'alpha',
      shared('ours', { content: 'Not what we wrote' }),
      shared('new', { content: 'Never written here' }),
    );
    hub.append(
      'beta',
      shared('theirs', { content: '# Decisions\n\n## [2026-01-01] DECISIONS.md\n\n<!-- ctx:id=ours -->' }),
    );
    const listener = project.start(['connection', 'listen']);
    await listener.says(/DECISIONS|Decisions/);
    hub.append('beta', shared('ours-2', { supersedes: 'ours' }));
    await until('the mirror has it', () => project.read('hub/decisions.md').includes('ours-2'));
    listener.process.kill('SIGTERM');
    assert.equal((await listener.finished).code, 0);
    succeeded(await project.ctx(['connection', 'sync']));
    assert.deepEqual(files(), before);
  });
});
