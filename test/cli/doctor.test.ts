/** `ctx doctor` on this machine and in this project: green when fresh, and each thing that can be wrong is named. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { makeConnection } from '../support/connection';
import { FakeHub } from '../support/fake-hub';
import { ctx, removeTempDirs, tempDir, userEnv } from '../support/processes';
import { DECISION_FIELDS, newProject, projectAt, type CliProject } from '../support/projects';

interface Answer {
  readonly schemaVersion: number;
  readonly kind: string;
  readonly ok: boolean;
  readonly first: string | null;
  readonly next: string | null;
  readonly checks: readonly { name: string; status: string; message: string }[];
}

async function doctor(project: CliProject): Promise<{ code: number | null; answer: Answer }> {
  const { code, stdout } = await project.ctx(['doctor', '--json']);
  return { code, answer: JSON.parse(stdout) as Answer };
}

async function finds(project: CliProject, first: string, code: number, next: RegExp): Promise<void> {
  const found = await doctor(project);
  assert.deepEqual([found.answer.first, found.code], [first, code], JSON.stringify(found.answer.checks, null, 1));
  assert.match(found.answer.next ?? '', next);
}

describe('ctx doctor', function () {
  this.timeout(60_000);
  after(removeTempDirs);

  it('is green on a fresh install: without a project, and after ctx init in a repository', async () => {
    const dir = path.join(tempDir('ctx-fresh'), 'fresh');
    fs.mkdirSync(path.join(dir, '.git'), { recursive: true });
    const project = projectAt(dir);
    for (const step of ['before', 'after']) {
      if (step === 'after') assert.equal((await project.ctx(['init'])).code, 0);
      const { code, answer } = await doctor(project);
      assert.deepEqual(
        [code, answer.ok, answer.first, answer.kind, answer.schemaVersion],
        [0, true, null, 'doctor', 1],
      );
    }
    const { code, stdout } = await project.ctx(['doctor']);
    assert.equal(code, 0);
    assert.match(stdout, /Nothing is wrong\.\n$/);
  });

  it('changes nothing', async () => {
    const project = await newProject('alpha');
    const files = (): string[] => fs.readdirSync(project.dir, { recursive: true, encoding: 'utf8' }).sort();
    const before = files();
    await doctor(project);
    assert.deepEqual(files(), before);
    assert.ok(!fs.existsSync(path.join(String(project.env['HOME']), '.ctx')));
  });

  it('.gitignore: lines are missing in a repository', async () => {
    const project = await newProject('alpha');
    fs.mkdirSync(path.join(project.dir, '.git'));
    fs.writeFileSync(path.join(project.dir, '.gitignore'), 'node_modules/\n');
    await finds(project, '.gitignore', 78, /ctx init/);
    await project.ctx(['init']);
    assert.equal((await doctor(project)).code, 0);
  });

  it('.gitignore: the connection is committed already', async function () {
    const project = await newProject('alpha');
    const git = (...args: string[]): number | null =>
      spawnSync('git', args, { cwd: project.dir, env: project.env }).status;
    if (git('init', '-q') !== 0) this.skip(); // No git on this machine.
    await makeConnection(project, {});
    assert.equal(git('add', '-f', '.context/.connect.enc'), 0);
    await finds(project, '.gitignore', 78, /git rm --cached/);
  });

  it('key file: gone, or open to others', async function () {
    const fake = new FakeHub();
    const project = await newProject('alpha');
    try {
      await makeConnection(project, { hub_addr: await fake.listen() });
      const key = path.join(String(project.env['HOME']), '.ctx', '.ctx.key');
      assert.equal((await doctor(project)).code, 0);
      if (process.platform !== 'win32') {
        fs.chmodSync(key, 0o644);
        await finds(project, 'key file', 78, /chmod 600/);
        fs.chmodSync(key, 0o600);
      }
      fs.rmSync(key);
      await finds(project, 'key file', 78, /[Rr]egister again/);
    } finally {
      await fake.close();
    }
  });

  it('connection: sealed with another key', async () => {
    const project = await newProject('alpha');
    await makeConnection(project, {});
    const other = await newProject('beta');
    await makeConnection(other, {});
    fs.copyFileSync(other.file('.connect.enc'), project.file('.connect.enc'));
    await finds(project, 'connection', 78, /[Rr]egister again/);
  });

  it('permissions: the user folder is in the way or open to others', async () => {
    const project = await newProject('alpha');
    const home = path.join(String(project.env['HOME']), '.ctx');
    fs.writeFileSync(home, '');
    await finds(project, 'permissions', 73, /Move it/);
    fs.rmSync(home);
    if (process.platform === 'win32') return;
    fs.mkdirSync(home);
    fs.chmodSync(home, 0o755);
    const { code, answer } = await doctor(project);
    assert.deepEqual([code, answer.first], [0, 'permissions']);
    assert.match(answer.next ?? '', /chmod 700/);
  });

  it('context files: read-only, a link, not UTF-8, a problem in one', async () => {
    const project = await newProject('alpha');
    const file = project.file('DECISIONS.md');
    fs.chmodSync(file, 0o444);
    await finds(project, 'context files', 73, /chmod u\+w/);
    fs.chmodSync(file, 0o644);
    fs.writeFileSync(file, Buffer.from([0xff, 0xfe, 0xff]));
    await finds(project, 'context files', 65, /Repair/);
    fs.writeFileSync(file, '# Decisions\n\n## [2026-01-31-120000] Half a decision\n\n**Context**: tbd\n');
    const { code, answer } = await doctor(project);
    assert.deepEqual([code, answer.first], [0, 'context files']);
    fs.rmSync(file);
    if (process.platform === 'win32') return;
    fs.symlinkSync('/dev/null', file);
    await finds(project, 'context files', 73, /real file/);
  });

  it('disk: full (a small file system of its own; root only)', async function () {
    const mount = tempDir('ctx-tiny');
    const isRoot = process.getuid?.() === 0;
    if (!isRoot || spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', mount]).status !== 0) {
      this.skip(); // Needs root, and a container that may mount.
    }
    try {
      const env = userEnv(tempDir('ctx-user'), { CTX_HOME: mount });
      const { code, stdout } = await ctx(['doctor', '--json'], { cwd: tempDir('ctx-nowhere'), env });
      const answer = JSON.parse(stdout) as Answer;
      assert.deepEqual([code, answer.checks.find(({ status }) => status === 'failed')?.name], [74, 'disk']);
    } finally {
      spawnSync('umount', [mount]);
    }
  });

  it('outbox: what waits and what was refused is named', async () => {
    const project = await newProject('alpha');
    assert.equal((await project.ctx(['add', 'decision', 'Waits', ...DECISION_FIELDS, '--share'])).code, 75);
    const { code, answer } = await doctor(project);
    assert.deepEqual([code, answer.first], [0, 'outbox']);
    assert.match(answer.next ?? '', /connection publish/);
  });

  it('clock: an hour off is a warning that says how far', async () => {
    const fake = new FakeHub();
    fake.clockAheadMs = 3_600_000;
    const project = await newProject('alpha');
    try {
      await makeConnection(project, { hub_addr: await fake.listen() });
      const { code, answer } = await doctor(project);
      const clock = answer.checks.find(({ name }) => name === 'clock');
      assert.deepEqual([code, clock?.status], [0, 'warning']);
      assert.match(clock?.message ?? '', /3(?:599|600|601) s behind the hub's/);
    } finally {
      await fake.close();
    }
  });

  it('history: another hub under the same address', async () => {
    const fake = new FakeHub('22222222-2222-4222-8222-222222222222');
    const project = await newProject('alpha');
    try {
      await makeConnection(project, { hub_addr: await fake.listen() });
      const { code, answer } = await doctor(project);
      const history = answer.checks.find(({ name }) => name === 'history');
      assert.deepEqual([code, history?.status], [0, 'warning']);
    } finally {
      await fake.close();
    }
  });
});
