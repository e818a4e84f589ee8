import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { installPointer, removePointer, withoutPointer, withPointer } from '../../../../core/node/agent-pointer';
import { removeTempDirs, tempDir } from '../../../support/processes';

const POINTER = /<!-- ctx:agent begin -->\r?\n[\s\S]*ctx agent --include-hub[\s\S]*\r?\n<!-- ctx:agent end -->/;

describe('the pointer in AGENTS.md and CLAUDE.md', () => {
  after(removeTempDirs);

  const inFolder = (
    files: Readonly<Record<string, string>>,
  ): { dir: string; read: (name: string) => string | undefined } => {
    const dir = tempDir('ctx-pointer');
    for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(dir, name), text);
    return {
      dir,
      read: (name) => (fs.existsSync(path.join(dir, name)) ? fs.readFileSync(path.join(dir, name), 'utf8') : undefined),
    };
  };

  it('is put in once and taken out without a trace, whatever the text', () => {
    const lines = fc.array(fc.constantFrom('', 'text', '# Head', '<!-- x -->', '---', '```'), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(lines, fc.constantFrom('\n', '\r\n'), fc.boolean(), fc.boolean(), (words, eol, ended, bom) => {
        const text = `${bom ? '\uFEFF' : ''}${words.join(eol)}${ended ? eol : ''}`;
        const put = withPointer(text);
        assert.match(put, POINTER);
        assert.ok(put.startsWith(text));
        assert.equal(withPointer(put), put);
        assert.equal(withoutPointer(put), text);
      }),
    );
  });

  it('text after the block stays, and an older wording is replaced in its place', () => {
    const old = 'Before\n\n<!-- ctx:agent begin -->\nolder words\n<!-- ctx:agent end -->\nAfter\n';
    const put = withPointer(old);
    assert.match(put, POINTER);
    assert.ok(put.startsWith('Before\n\n<!--') && put.endsWith('-->\nAfter\n') && !put.includes('older words'));
    assert.equal(withoutPointer(put), 'Before\nAfter\n');
  });

  it('goes into the files that are there', async () => {
    const { dir, read } = inFolder({ 'AGENTS.md': '# A\n', 'CLAUDE.md': '# C' });
    assert.equal((await installPointer(dir)).length, 2);
    assert.match(read('AGENTS.md') ?? '', POINTER);
    assert.match(read('CLAUDE.md') ?? '', POINTER);
    assert.deepEqual(await installPointer(dir), []);
    await removePointer(dir);
    assert.deepEqual([read('AGENTS.md'), read('CLAUDE.md')], ['# A\n', '# C']);
  });

  it('makes AGENTS.md where there is neither, and removes it again', async () => {
    const { dir, read } = inFolder({});
    await installPointer(dir);
    assert.match(read('AGENTS.md') ?? '', POINTER);
    assert.equal(read('CLAUDE.md'), undefined);
    await removePointer(dir);
    assert.deepEqual(fs.readdirSync(dir), []);
  });

  it('keeps bytes that are no UTF-8', async () => {
    const { dir } = inFolder({});
    const file = path.join(dir, 'AGENTS.md');
    const bytes = Buffer.from([0x41, 0xff, 0xfe, 0xe9, 0x0a]);
    fs.writeFileSync(file, bytes);
    await installPointer(dir);
    assert.ok(fs.readFileSync(file).subarray(0, bytes.length).equals(bytes));
    await removePointer(dir);
    assert.ok(fs.readFileSync(file).equals(bytes));
  });

  it('writes once when one name is a link to the other, and never through a link to elsewhere', async () => {
    const { dir, read } = inFolder({ 'AGENTS.md': '# A\n' });
    fs.symlinkSync('AGENTS.md', path.join(dir, 'CLAUDE.md'));
    assert.deepEqual(await installPointer(dir), [path.join(dir, 'AGENTS.md')]);
    assert.ok(fs.lstatSync(path.join(dir, 'CLAUDE.md')).isSymbolicLink());
    await removePointer(dir);
    assert.equal(read('AGENTS.md'), '# A\n');

    const other = inFolder({ outside: 'mine\n' });
    fs.symlinkSync(path.join(other.dir, 'outside'), path.join(other.dir, 'AGENTS.md'));
    await assert.rejects(installPointer(other.dir), /symbolic link/);
    assert.equal(other.read('outside'), 'mine\n');
  });

  const BEGIN = '<!-- ctx:agent begin -->\n';
  const END = '<!-- ctx:agent end -->\n';
  for (const text of [`${BEGIN}mine\n`, `${BEGIN}${END}mine\n${END}`, `${END}mine\n${BEGIN}`]) {
    it(`a block that was damaged by hand is named, not guessed at: ${JSON.stringify(text)}`, async () => {
      const { dir, read } = inFolder({ 'AGENTS.md': text });
      await assert.rejects(installPointer(dir), /damaged/);
      await assert.rejects(removePointer(dir), /damaged/);
      assert.equal(read('AGENTS.md'), text);
    });
  }

  it('a pipe in the place of the file is refused, not waited for', async function () {
    const { dir } = inFolder({});
    if (process.platform === 'win32') this.skip();
    execFileSync('mkfifo', [path.join(dir, 'AGENTS.md')]);
    await assert.rejects(installPointer(dir), /is not a file/);
    await assert.rejects(removePointer(dir), /is not a file/);
  });
});
