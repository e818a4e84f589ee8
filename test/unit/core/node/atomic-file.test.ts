import assert from 'node:assert/strict';
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { HubError } from '../../../../core/errors';
import { writeFileAtomic } from '../../../../core/node/atomic-file';
import { isWindows } from '../../../../core/node/platform';
import { removeTempDirs, tempDir } from '../../../support/processes';

const refused =
  (code: string, message: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof HubError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  };

const modeOf = (file: string): number => fs.statSync(file).mode & 0o7777;

describe('atomic file writes', () => {
  after(removeTempDirs);

  it('replace the whole file, keep its mode, and leave nothing else behind', async () => {
    const file = path.join(tempDir(), 'a.md');
    await writeFileAtomic(file, 'one');
    fs.chmodSync(file, 0o640);
    await writeFileAtomic(file, 'two');
    assert.equal(fs.readFileSync(file, 'utf8'), 'two');
    if (!isWindows) assert.equal(modeOf(file), 0o640);
    assert.deepEqual(fs.readdirSync(path.dirname(file)), ['a.md']);
  });

  it('give a secret its mode from the first byte on, and narrow an old file', async function () {
    if (isWindows) this.skip();
    const file = path.join(tempDir(), 'token');
    await writeFileAtomic(file, 'x', { mode: 0o600 });
    assert.equal(modeOf(file), 0o600);
    fs.chmodSync(file, 0o644);
    await writeFileAtomic(file, 'y', { mode: 0o600, forceMode: true });
    assert.equal(modeOf(file), 0o600);
  });

  it('replace the name, not the bytes: who reads the old file goes on reading it whole', async () => {
    const file = path.join(tempDir(), 'a.md');
    await writeFileAtomic(file, 'old text');
    const reader = fs.openSync(file, 'r');
    await writeFileAtomic(file, 'new');
    assert.equal(fs.readFileSync(reader, 'utf8'), 'old text');
    fs.closeSync(reader);
  });

  it('reach the disk in the order that a power cut cannot undo: text, name, folder', async function () {
    if (isWindows) this.skip();
    const dir = tempDir();
    const file = path.join(dir, 'a.md');
    const steps: string[] = [];
    const { open } = fsp;
    const { renameSync } = fs;
    fsp.open = async (name, ...rest) => {
      const handle = await open(name, ...rest);
      const sync = handle.sync.bind(handle);
      handle.sync = async () => {
        await sync();
        steps.push(name === dir ? 'folder' : 'text');
      };
      return handle;
    };
    fs.renameSync = (from, to) => {
      renameSync(from, to);
      steps.push('name');
    };
    try {
      await writeFileAtomic(file, 'new');
    } finally {
      fsp.open = open;
      fs.renameSync = renameSync;
    }
    assert.deepEqual(steps, ['text', 'name', 'folder']);
  });

  it('refuse a symbolic link, dangling or not, and leave its target alone', async function () {
    if (isWindows) this.skip();
    const dir = tempDir();
    fs.writeFileSync(path.join(dir, 'target'), 'precious');
    fs.symlinkSync('target', path.join(dir, 'link'));
    fs.symlinkSync('nowhere', path.join(dir, 'dangling'));
    for (const name of ['link', 'dangling']) {
      await assert.rejects(writeFileAtomic(path.join(dir, name), 'x'), refused('cannot_create', /symbolic link/));
    }
    assert.equal(fs.readFileSync(path.join(dir, 'target'), 'utf8'), 'precious');
    assert.deepEqual(fs.readdirSync(dir).sort(), ['dangling', 'link', 'target']);
  });

  it('never follow a link planted under the name of the temporary file', async function () {
    if (isWindows) this.skip();
    const dir = tempDir();
    fs.writeFileSync(path.join(dir, 'target'), 'precious');
    fs.symlinkSync('target', path.join(dir, '.a.md.ctx.tmp'));
    await writeFileAtomic(path.join(dir, 'a.md'), 'x', { lockHeld: true });
    assert.equal(fs.readFileSync(path.join(dir, 'target'), 'utf8'), 'precious');
    assert.equal(fs.readFileSync(path.join(dir, 'a.md'), 'utf8'), 'x');
  });

  it('refuse a folder in the way and a file marked read-only, as root too', async () => {
    const dir = tempDir();
    fs.mkdirSync(path.join(dir, 'folder'));
    await assert.rejects(writeFileAtomic(path.join(dir, 'folder'), 'x'), refused('cannot_create', /not a file/));
    const file = path.join(dir, 'a.md');
    fs.writeFileSync(file, 'old');
    fs.chmodSync(file, 0o444);
    await assert.rejects(writeFileAtomic(file, 'x'), refused('cannot_create', /read-only/));
    assert.equal(fs.readFileSync(file, 'utf8'), 'old');
  });

  it('name what is wrong with the path', async () => {
    const dir = tempDir();
    fs.writeFileSync(path.join(dir, 'file'), '');
    await assert.rejects(writeFileAtomic(path.join(dir, 'none', 'a'), 'x'), refused('io_failed', /no such file/));
    await assert.rejects(writeFileAtomic(path.join(dir, 'file', 'a'), 'x'), refused('cannot_create', /not a folder/));
  });

  it('report a full disk as such and leave the old text', async function () {
    // The one device that is always full.
    if (!fs.existsSync('/dev/full')) this.skip();
    const { fileError } = await import('../../../../core/node/file-errors');
    let caught: unknown;
    try {
      fs.writeFileSync('/dev/full', 'x');
    } catch (error) {
      caught = error;
    }
    assert.ok(refused('disk_full', /Cannot write a\.md: no space left/)(fileError(caught, 'write', 'a.md')));
  });

  it('write nothing when another program wrote the file since it was read', async () => {
    const file = path.join(tempDir(), 'a.md');
    fs.writeFileSync(file, 'read');
    const stats = fs.lstatSync(file);
    fs.writeFileSync(file, 'an editor saved this');
    await assert.rejects(writeFileAtomic(file, 'x', { expected: { stats } }), refused('locked', /another program/));
    await assert.rejects(
      writeFileAtomic(file, 'x', { expected: { stats: undefined } }),
      refused('locked', /another program/),
    );
    assert.equal(fs.readFileSync(file, 'utf8'), 'an editor saved this');
    assert.deepEqual(fs.readdirSync(path.dirname(file)), ['a.md']);
    await writeFileAtomic(file, 'x', { expected: { stats: fs.lstatSync(file) } });
  });
});
