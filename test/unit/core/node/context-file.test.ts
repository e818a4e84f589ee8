import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { cleanDraft, titleAsRead } from '../../../../core/context/draft';
import type { Draft } from '../../../../core/context/model';
import type { EntryType } from '../../../../core/entry';
import { HubError } from '../../../../core/errors';
import { addEntry, createContextFiles, readContextFile } from '../../../../core/node/context-file';
import { projectPaths, type ProjectPaths } from '../../../../core/node/project-directory';
import { removeTempDirs, tempDir } from '../../../support/processes';

let next = 0;
function draft(type: EntryType, more: Partial<Draft> = {}): Draft {
  const fields = type === 'learning' ? { context: 'a b', lesson: 'c d', application: 'e f' } : {};
  return { type, id: `id-${next++}`, title: 'A title', date: '2026-06-01-120000', fields, ...more };
}

function project(): ProjectPaths {
  const paths = projectPaths(tempDir());
  fs.mkdirSync(paths.contextDir);
  return paths;
}

/** Rejects with the code, and the folder is byte for byte what it was. */
async function refusesUntouched(paths: ProjectPaths, entry: Draft, code: string, message: RegExp): Promise<void> {
  const file = paths.files[entry.type];
  const before = fs.lstatSync(file).isFile() ? fs.readFileSync(file) : undefined;
  await assert.rejects(addEntry(paths, entry), (error: unknown) => {
    assert.ok(error instanceof HubError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.ok(error.message.includes(path.basename(file)), error.message);
    return true;
  });
  if (before !== undefined) assert.deepEqual(fs.readFileSync(file), before);
  assert.deepEqual(fs.readdirSync(paths.contextDir).sort(), [path.basename(file), 'hub']);
}

describe('context file', () => {
  after(removeTempDirs);

  it('is created from its template with the first entry, and the answer says where that is', async () => {
    const paths = project();
    const added = await addEntry(paths, draft('learning', { id: 'l1' }));
    const text = fs.readFileSync(paths.files.learning, 'utf8');
    assert.ok(text.startsWith('# Learnings\n\n<!--'));
    assert.equal(added.added, true);
    assert.equal(added.file, paths.files.learning);
    assert.equal(text.split('\n')[added.line - 1], '## [2026-06-01-120000] A title');
    assert.equal((await readContextFile(paths, 'learning'))?.document.entries[0]?.id, 'l1');
    assert.equal(await readContextFile(paths, 'decision'), undefined);
  });

  it('says the right line in files with CRLF and with lone CR', async () => {
    for (const eol of ['\r\n', '\r', '\n']) {
      const paths = project();
      fs.writeFileSync(paths.files.task, ['# T', '', '## A', '', '- [ ] x', '', ''].join(eol));
      const { line } = await addEntry(paths, draft('task', { section: 'A' }));
      assert.equal(line, 6, JSON.stringify(eol));
    }
  });

  it('adds the same entry under the same id once, and nothing else under it', async () => {
    const paths = project();
    const entry = draft('task', { id: 'same', section: 'S' });
    const first = await addEntry(paths, entry);
    const text = fs.readFileSync(paths.files.task);
    const again = await addEntry(paths, { ...entry, date: '2027-01-01-000000' });
    assert.deepEqual({ ...again, entry: undefined }, { ...first, entry: undefined, added: false });
    assert.deepEqual(fs.readFileSync(paths.files.task), text);
    await assert.rejects(addEntry(paths, { ...entry, title: 'Other' }), {
      code: 'id_conflict',
      message: /TASKS\.md:\d+/,
    });
    assert.deepEqual(fs.readFileSync(paths.files.task), text);
  });

  it('that is not UTF-8 is refused and not a byte of it changes', async () => {
    for (const bytes of [
      [0x23, 0x20, 0x54, 0xe9, 0x0a],
      [0xff, 0xfe, 0x23, 0x00],
      [0xed, 0xa0, 0x80],
      [0xc0, 0xaf],
    ]) {
      const paths = project();
      fs.writeFileSync(paths.files.task, Buffer.from(bytes));
      await refusesUntouched(paths, draft('task'), 'bad_data', /not UTF-8.*nothing was changed/);
      await assert.rejects(readContextFile(paths, 'task'), { code: 'bad_data' });
    }
  });

  it('that is a folder, read-only, or a link is refused', async function () {
    const folder = project();
    fs.mkdirSync(folder.files.task);
    await refusesUntouched(folder, draft('task'), 'cannot_create', /folder is in the way/);
    const readOnly = project();
    fs.writeFileSync(readOnly.files.task, '# T\n', { mode: 0o444 });
    await refusesUntouched(readOnly, draft('task'), 'cannot_create', /read-only/);
    if (process.platform === 'win32') this.skip();
    const link = project();
    const target = path.join(tempDir(), 'target');
    fs.writeFileSync(target, '# T\n');
    fs.symlinkSync(target, link.files.task);
    await refusesUntouched(link, draft('task'), 'cannot_create', /symbolic link/);
    assert.equal(fs.readFileSync(target, 'utf8'), '# T\n');
  });

  it('with a comment that never ends is refused, by line', async () => {
    const paths = project();
    fs.writeFileSync(paths.files.learning, '# L\n\n<!-- open\n');
    await refusesUntouched(paths, draft('learning'), 'bad_data', /Line 3 opens a HTML comment/);
  });

  it('takes no entry that is larger than a hub takes, or that reads as structure', async () => {
    const paths = project();
    fs.writeFileSync(paths.files.task, '# T\n');
    const title = 'Large';
    const rest = 1024 * 1024 - `${title}\n\n`.length;
    const tooLarge = addEntry(paths, draft('task', { title, body: 'x'.repeat(rest + 1) }));
    await assert.rejects(tooLarge, { code: 'too_large', message: /1048576/ });
    assert.equal(fs.readFileSync(paths.files.task, 'utf8'), '# T\n');
    await addEntry(paths, draft('task', { title, body: 'x'.repeat(rest) }));
    await assert.rejects(addEntry(paths, draft('convention', { title: '```' })), { code: 'invalid' });
  });

  it('keeps a byte order mark', async () => {
    const paths = project();
    fs.writeFileSync(paths.files.task, '\uFEFF# T\n');
    await addEntry(paths, draft('task'));
    assert.equal(fs.readFileSync(paths.files.task, 'utf8').lastIndexOf('\uFEFF'), 0);
  });

  it('has one entry more with the title as given, or nothing changed, whatever the title', async () => {
    const piece = fc.constantFrom(
      'a',
      ' ',
      '#',
      '-',
      '*',
      '+',
      '1.',
      '`',
      '```',
      '<',
      '<!--',
      '-->',
      '[',
      ']',
      ':',
      '>',
      '[x]',
      '=',
      '|',
    );
    const titles = fc.array(piece, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(titles, fc.constantFrom<EntryType>('convention', 'task', 'decision'), async (title, type) => {
        const paths = project();
        const fields = type === 'decision' ? { context: 'a b', rationale: 'c d', consequence: 'e f' } : {};
        const known = await addEntry(paths, draft(type, { title: 'Known before', fields }));
        const before = fs.readFileSync(known.file, 'utf8');
        const cleaned = cleanDraft(draft(type, { title, fields }));
        const added = await addEntry(paths, cleaned).catch((error: unknown) => {
          assert.ok(error instanceof HubError && error.code === 'invalid', String(error));
        });
        const entries = (await readContextFile(paths, type))?.document.entries.map((entry) => entry.title) ?? [];
        if (added === undefined) assert.equal(fs.readFileSync(known.file, 'utf8'), before);
        else assert.deepEqual(entries.sort(), ['Known before', titleAsRead(cleaned)].sort());
      }),
      { numRuns: 150 },
    );
  });

  it('keeps what an editor saved at the same moment', async () => {
    const paths = project();
    await addEntry(paths, draft('task', { title: 'First' }));
    // An editor that saves without pause while entries are added, and leaves off before they are all tried.
    const mostSaves = 40;
    let saves = 0;
    const stop = new AbortController();
    const editor = (async () => {
      while (!stop.signal.aborted && saves < mostSaves) {
        const text = fs.readFileSync(paths.files.task, 'utf8');
        fs.writeFileSync(paths.files.task, `${text}\n<!-- save ${saves++} -->\n`);
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
    })();
    for (let n = 0; n < 30; n++) {
      try {
        await addEntry(paths, draft('task', { title: `Task ${n} of many` }));
      } catch (error) {
        assert.ok(error instanceof HubError && error.code === 'locked', String(error));
      }
    }
    stop.abort();
    await editor;
    await addEntry(paths, draft('task', { title: 'The last of them' }));
    const text = fs.readFileSync(paths.files.task, 'utf8');
    const seen = [...text.matchAll(/<!-- save (\d+) -->/g)].map((match) => Number(match[1]));
    assert.ok(saves > 0);
    assert.deepEqual(seen, [...Array(saves).keys()], 'every save is there');
  });

  it('leaves the files of an existing project alone', async () => {
    const paths = projectPaths(tempDir());
    assert.equal((await createContextFiles(paths)).length, 4);
    fs.writeFileSync(paths.files.task, 'mine');
    fs.rmSync(paths.files.learning);
    assert.deepEqual(await createContextFiles(paths), [paths.files.learning]);
    assert.equal(fs.readFileSync(paths.files.task, 'utf8'), 'mine');
  });
});
