/** What a checked-out repository may plant in place of ctx's files is refused: not followed, not waited for, not written through. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { isWindows } from '../../core/node/platform';
import { publishEach, published } from '../support/hub-log';
import { registerClient, startHub, type HubProcess } from '../support/hub-process';
import { removeTempDirs, type Finished } from '../support/processes';
import { connect, newProject, type CliProject } from '../support/projects';

describe('S34: planted files', function () {
  this.timeout(60_000);
  let hub: HubProcess;
  let project: CliProject;
  let outside: string;

  before(async function () {
    if (isWindows) this.skip();
    hub = await startHub();
  });
  beforeEach(async () => {
    project = await newProject('planted');
    await connect(project, hub);
    outside = path.join(path.dirname(project.dir), 'outside.md');
    fs.writeFileSync(
      outside,
      '# L\n\n## [2026-01-01-000000] Secret\n\n**Context**: a b\n\n**Lesson**: c d\n\n**Application**: e f\n',
    );
  });
  after(async () => {
    await (hub as HubProcess | undefined)?.kill9();
    removeTempDirs();
  });

  function plant(name: string, what: (file: string) => void): void {
    fs.rmSync(project.file(name), { force: true });
    what(project.file(name));
  }
  function refuses({ code, stdout, stderr }: Finished, why: RegExp): void {
    assert.equal(code, 73, `${stdout}${stderr}`);
    assert.match(stderr, why);
    assert.doesNotMatch(stdout, /Secret/);
  }

  for (const args of [['list'], ['search', 'Secret'], ['agent']]) {
    it(`${args.join(' ')} does not follow a link out of the project`, async () => {
      plant('LEARNINGS.md', (file) => fs.symlinkSync(outside, file));
      refuses(await project.ctx(args), /LEARNINGS\.md: it is a symbolic link/);
    });
  }

  it('a device behind a link is not read', async () => {
    plant('LEARNINGS.md', (file) => fs.symlinkSync('/dev/zero', file));
    refuses(await project.ctx(['list']), /symbolic link/);
  });

  it('a pipe is not waited for', async () => {
    plant('LEARNINGS.md', (file) => execFileSync('mkfifo', [file]));
    refuses(await project.ctx(['list']), /LEARNINGS\.md is not a file/);
  });

  for (const name of ['hub/outbox.jsonl', 'hub/shared.jsonl']) {
    it(`nothing is written through ${name}`, async () => {
      const before = fs.readFileSync(outside);
      plant(name, (file) => fs.symlinkSync(outside, file));
      const { code, stderr } = await project.ctx(['add', 'task', 'A task to share', '--share']);
      assert.notEqual(code, 0);
      assert.match(stderr, /symbolic link/);
      assert.deepEqual(fs.readFileSync(outside), before);
      assert.match(project.read('TASKS.md'), /A task to share/);
    });
  }

  it('a .context that is a link is not written to', async () => {
    const target = path.join(path.dirname(project.dir), 'target');
    fs.renameSync(path.join(project.dir, '.context'), target);
    fs.symlinkSync(target, path.join(project.dir, '.context'));
    const before = fs.readFileSync(path.join(target, 'TASKS.md'));
    const { code, stderr } = await project.ctx(['add', 'task', 'A task']);
    assert.equal(code, 73, stderr);
    assert.match(stderr, /\.context is a symbolic link/);
    assert.deepEqual(fs.readFileSync(path.join(target, 'TASKS.md')), before);
  });

  const notFiles: readonly [string, (file: string) => void][] = [
    ['a pipe', (file) => void execFileSync('mkfifo', [file])],
    ['a link to a device', (file) => fs.symlinkSync('/dev/zero', file)],
  ];
  for (const [what, make] of notFiles) {
    it(`${what} in place of a mirror file is not read; the mirror is built anew`, async () => {
      const { token } = await registerClient(hub, 'other');
      await publishEach(hub, token, [published(`for-${what.replaceAll(' ', '-')}`)]);
      assert.equal((await project.ctx(['connection', 'sync'])).code, 0);
      const before = project.read('hub/decisions.md');
      plant('hub/decisions.md', make);
      refuses(await project.ctx(['list', '--hub']), /decisions\.md/);
      const { code, stderr } = await project.ctx(['connection', 'sync']);
      assert.equal(code, 0, stderr);
      assert.match(stderr, /decisions\.md was changed by something other than ctx/);
      assert.equal(project.read('hub/decisions.md'), before);
    });

    for (const name of ['hub/.sync-state.json', 'hub/outbox.jsonl', 'TASKS.md', '../.gitignore']) {
      it(`${what} in place of ${name} is named by doctor, not read`, async () => {
        fs.mkdirSync(project.file('../.git')); // Without a repository nobody looks at .gitignore.
        plant(name, make);
        const { code, stdout, stderr } = await project.ctx(['doctor']);
        assert.equal(code, 73, `${stdout}${stderr}`);
        assert.match(stdout, new RegExp(`^FAIL .*${path.basename(name).replaceAll('.', '\\.')}`, 'm'));
        assert.match(stdout, /^First: .* Next: /m);
      });
    }

    for (const [name, args] of [
      ['hub/.sync-state.json', ['connection', 'sync']],
      ['../.gitignore', ['init']],
    ] as const) {
      it(`${what} in place of ${name} is not read by ctx ${args.join(' ')}`, async () => {
        plant(name, make);
        refuses(await project.ctx(args), new RegExp(path.basename(name).replaceAll('.', '\\.')));
      });
    }
  }

  it('a folder in place of a mirror file is named', async () => {
    plant('hub/decisions.md', (file) => fs.mkdirSync(file));
    const { code, stderr } = await project.ctx(['connection', 'sync']);
    assert.equal(code, 73, stderr);
    assert.match(stderr, /decisions\.md: a folder is in the way/);
  });
});
