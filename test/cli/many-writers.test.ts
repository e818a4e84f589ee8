/** Many processes write the same file at once, and some are killed while they do: nothing is lost, doubled or half-written. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { checkDraft, cleanDraft } from '../../core/context/draft';
import { diagnose } from '../../core/context/diagnose';
import { parseContext } from '../../core/context/parse';
import { addEntry } from '../../core/node/context-file';
import { projectPaths } from '../../core/node/project-directory';
import { ctx, removeTempDirs, tempDir, until, userEnv } from '../support/processes';

const WRITERS = 8;
const ADDS = 100;
const KILLS = 12;

/** What each writer process runs: this very file, started with CTX_WRITER set. Says each title once it is written. */
async function write(name: string, root: string, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const title = `Entry ${n} of ${name}`;
    const fields = { context: 'Many at once', lesson: 'Locks hold', application: 'Keep them' };
    const draft = cleanDraft({
      type: 'learning',
      id: `${name}.${n}`.replaceAll(' ', '-'),
      title,
      date: '2026-06-01-120000',
      fields,
    });
    checkDraft(draft);
    await addEntry(projectPaths(root), draft, { deadlineMs: 120_000 });
    process.stdout.write(`${title}\n`);
  }
}

interface Writer {
  readonly child: ChildProcess;
  readonly written: () => readonly string[];
  readonly ended: Promise<void>;
}

function startWriter(name: string, root: string, count: number): Writer {
  const child = spawn(process.execPath, [__filename], {
    env: { ...process.env, CTX_WRITER: JSON.stringify([name, root, count]) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return { child, written: () => said.split('\n').slice(0, -1), ended };
}

function checkFile(root: string, titles: readonly string[]): void {
  const text = fs.readFileSync(projectPaths(root).files.learning, 'utf8');
  const document = parseContext('learning', text);
  assert.deepEqual(diagnose(document, text), []);
  const found = document.entries.map(({ title }) => title);
  assert.equal(new Set(found).size, found.length, 'no entry twice');
  const missing = titles.filter((title) => !found.includes(title));
  assert.deepEqual(missing, [], 'every entry that was reported is there');
}

function start(): string {
  const root = tempDir();
  fs.mkdirSync(path.join(root, '.context'));
  return root;
}

function suite(): void {
  describe('many writers of one file', () => {
    after(removeTempDirs);

    it(`${WRITERS} processes with ${ADDS} adds each, and the command line beside them`, async function () {
      this.timeout(180_000);
      const root = start();
      const writers = Array.from({ length: WRITERS }, (_, n) => startWriter(`writer ${n}`, root, ADDS));
      const env = userEnv(tempDir('home'));
      const flags = ['--context', 'Beside them', '--lesson', 'It works', '--application', 'Go on'];
      const typed: string[] = [];
      for (let n = 0; n < 8; n++) {
        const { code, stderr } = await ctx(['add', 'learning', `Typed ${n}`, ...flags], { cwd: root, env });
        assert.equal(code, 0, stderr);
        typed.push(`Typed ${n}`);
      }
      await Promise.all(writers.map(({ ended }) => ended));
      const written = writers.flatMap((writer) => writer.written());
      assert.equal(written.length, WRITERS * ADDS);
      checkFile(root, [...written, ...typed]);
      assert.equal(
        parseContext('learning', fs.readFileSync(projectPaths(root).files.learning, 'utf8')).entries.length,
        WRITERS * ADDS + 8,
      );
      assert.deepEqual(fs.readdirSync(projectPaths(root).contextDir).sort(), ['LEARNINGS.md', 'hub']);
    });

    it(`${KILLS} writers killed in the middle: a whole file, nothing reported is lost, and no lock in the way`, async function () {
      this.timeout(180_000);
      const root = start();
      const reported: string[] = [];
      for (let round = 0; round < KILLS; round++) {
        const writers = [0, 1].map((n) => startWriter(`round ${round}-${n}`, root, 10_000));
        // After a different number of adds each time, at no moment in particular.
        await until('adds', () => writers.every((writer) => writer.written().length > round % 4), 60_000);
        for (const { child } of writers) assert.ok(child.kill('SIGKILL'), 'it was still writing');
        await Promise.all(writers.map(({ ended }) => ended));
        reported.push(...writers.flatMap((writer) => writer.written()));
        checkFile(root, reported);
        const after = startWriter(`after ${round}`, root, 1);
        await until('an add after the kill', () => after.written().length === 1, 20_000);
        await after.ended;
        reported.push(...after.written());
      }
      checkFile(root, reported);
    });
  });
}

const role = process.env['CTX_WRITER'];
if (role === undefined) suite();
else {
  const [name, root, count] = JSON.parse(role) as [string, string, number];
  void write(name, root, count);
}
