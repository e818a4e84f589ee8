import assert from 'node:assert/strict';
import fc from 'fast-check';
import fs from 'node:fs';
import path from 'node:path';
import { isProjectName } from '../../../../core/entry';
import { ctxHome } from '../../../../core/node/ctx-home';
import { ensureHubFolder, ensureIgnored, withIgnoredPaths } from '../../../../core/node/gitignore';
import {
  defaultProjectName,
  findProject,
  newProjectRoot,
  projectPaths,
  requireProject,
} from '../../../../core/node/project-directory';
import { removeTempDirs, tempDir } from '../../../support/processes';

const make = (...parts: string[]): string => {
  const dir = path.join(...parts);
  fs.mkdirSync(dir, { recursive: true });
  return dir;
};

describe('project directory', () => {
  after(removeTempDirs);

  it('is the nearest one above, within the repository and the home folder', () => {
    const home = tempDir();
    const outer = make(home, 'outer');
    make(outer, '.context');
    const repository = make(outer, 'repository');
    make(repository, '.git');
    const deep = make(repository, 'a', 'b');
    assert.equal(findProject(deep, home), undefined, 'not beyond the repository');
    make(repository, '.context');
    assert.equal(findProject(deep, home)?.root, repository);
    make(repository, 'a', '.context');
    assert.equal(findProject(deep, home)?.root, path.join(repository, 'a'));
    assert.equal(findProject(outer, home)?.root, outer);
    assert.equal(findProject(make(home, 'other'), home), undefined);
    assert.throws(() => requireProject(make(home, 'other'), home), { code: 'config', message: /ctx init/ });
  });

  it('does not look above the home folder', () => {
    const top = tempDir();
    make(top, '.context');
    const home = make(top, 'home');
    assert.equal(findProject(make(home, 'work'), home), undefined);
  });

  it('takes no file called .context for one', () => {
    const dir = tempDir();
    fs.writeFileSync(path.join(dir, '.context'), '');
    assert.equal(findProject(dir, dir), undefined);
  });

  it('a link that leads to itself is named, not reported as a bug', function () {
    if (process.platform === 'win32') this.skip();
    const root = tempDir();
    fs.symlinkSync('.context', path.join(root, '.context'));
    assert.throws(() => findProject(root, root), { code: 'cannot_create', message: /symbolic link/ });
  });

  it('is made in the root of the repository, a worktree included, else right here', () => {
    const dir = tempDir();
    const deep = make(dir, 'a', 'b');
    assert.equal(newProjectRoot(deep), deep);
    fs.writeFileSync(path.join(dir, '.git'), 'gitdir: elsewhere\n');
    assert.equal(newProjectRoot(deep), dir);
  });

  it('has its files where the protocol says', () => {
    const paths = projectPaths(path.join('/', 'p'));
    const relative = (file: string): string => path.relative(paths.root, file).replaceAll('\\', '/');
    assert.equal(relative(paths.files.convention), '.context/CONVENTIONS.md');
    assert.equal(relative(paths.mirror.task), '.context/hub/tasks.md');
    assert.equal(relative(paths.connection), '.context/.connect.enc');
    assert.equal(relative(paths.syncState), '.context/hub/.sync-state.json');
    assert.equal(relative(paths.outbox), '.context/hub/outbox.jsonl');
    assert.equal(relative(paths.ledger), '.context/hub/shared.jsonl');
  });

  it('gives every folder a project name', () => {
    assert.equal(defaultProjectName('/x/My Shop'), 'my-shop');
    assert.equal(defaultProjectName('/x/Café Ünder'), 'cafe-under');
    assert.equal(defaultProjectName('/x/.dotfiles'), 'dotfiles');
    assert.equal(defaultProjectName('/x/a..b'), 'a.b');
    assert.equal(defaultProjectName('/x/CON'), 'project');
    assert.equal(defaultProjectName('/'), 'project');
    assert.equal(defaultProjectName('/x/日本'), 'project');
    fc.assert(fc.property(fc.string(), (name) => assert.ok(isProjectName(defaultProjectName(`/x/${name}`)))));
  });

  it('finds the user folder by CTX_HOME, else in the home folder of the environment', () => {
    assert.equal(ctxHome({ CTX_HOME: path.resolve('/own') }), path.resolve('/own'));
    const home = path.resolve('/home/ada');
    assert.equal(ctxHome({ HOME: home, USERPROFILE: home }), path.join(home, '.ctx'));
    assert.ok(path.isAbsolute(ctxHome({})));
  });
});

describe('.gitignore', () => {
  after(removeTempDirs);
  const both = '.context/hub/\n.context/.connect.enc\n';

  it('gets the missing lines at its end, in its own line ends, and nothing else', () => {
    assert.equal(withIgnoredPaths(''), both);
    assert.equal(withIgnoredPaths('dist'), `dist\n${both}`);
    assert.equal(withIgnoredPaths('dist\r\n'), `dist\r\n${both.replaceAll('\n', '\r\n')}`);
    assert.equal(withIgnoredPaths('/.context/hub\n'), '/.context/hub\n.context/.connect.enc\n');
    for (const text of [both, '.context\n', '/.context/\n', ` ${both}`, `\uFEFF${both}`]) {
      assert.equal(withIgnoredPaths(text), text);
    }
    assert.equal(withIgnoredPaths(withIgnoredPaths('x')), withIgnoredPaths('x'));
  });

  it('keeps every byte of a file in an old encoding', async () => {
    const root = tempDir();
    const file = path.join(root, '.gitignore');
    const old = Buffer.from([0xef, 0xbb, 0xbf, 0x63, 0xe9, 0xff, 0x0a]);
    fs.writeFileSync(file, old);
    assert.equal(await ensureIgnored(root), true);
    assert.deepEqual(fs.readFileSync(file), Buffer.concat([old, Buffer.from(both)]));
    assert.equal(await ensureIgnored(root), false);
  });

  it('the managed folder ignores itself; a link or a file in its place is refused', async function () {
    const root = tempDir();
    const hub = path.join(root, '.context', 'hub');
    await ensureHubFolder(hub);
    await ensureHubFolder(hub);
    assert.equal(fs.readFileSync(path.join(hub, '.gitignore'), 'utf8'), '*\n');
    const file = path.join(root, 'file');
    fs.writeFileSync(file, '');
    await assert.rejects(ensureHubFolder(file), { code: 'cannot_create' });
    if (process.platform === 'win32') this.skip();
    const elsewhere = make(root, 'elsewhere');
    const link = path.join(root, 'link');
    fs.symlinkSync(elsewhere, link);
    await assert.rejects(ensureHubFolder(link), { code: 'cannot_create', message: /symbolic link/ });
    assert.deepEqual(fs.readdirSync(elsewhere), []);
  });
});
