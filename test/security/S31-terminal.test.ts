/** S31: text of entries cannot steer the terminal of who reads them, whatever command prints it. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { renderEntry, renderHeader } from '../../core/mirror/format';
import { FakeHub } from '../support/fake-hub';
import { ctx, removeTempDirs, tempDir, until, userEnv } from '../support/processes';
import { hasTerminal, onTerminal, startOnTerminal } from '../support/terminal';
import { makeProject } from '../support/test-project';

const ESC = '\u001B';
const HOSTILE: readonly string[] = [
  `${ESC}[2J`,
  `${ESC}[31mred${ESC}[0m`,
  `${ESC}[1;1H`,
  `${ESC}[?1049h`,
  `${ESC}[6n`,
  `${ESC}[c`,
  `${ESC}[8m`,
  `${ESC}c`,
  `${ESC}]0;title\u0007`,
  `${ESC}]8;;http://evil/\u0007link${ESC}]8;;\u0007`,
  `${ESC}]52;c;ZXZpbA==\u0007`,
  `${ESC}]4;1;?\u0007`,
  `${ESC}P+q544e${ESC}\\`,
  `${ESC}_Gf=100;AAAA${ESC}\\`,
  `${ESC}^private${ESC}\\`,
  `${ESC}X string${ESC}\\`,
  `${ESC}#8`,
  `${ESC}(0`,
  `${ESC}>`,
  `${ESC}=`,
  `${ESC}D`,
  `${ESC}M`,
  `${ESC}7`,
  `${ESC}8`,
  `${ESC}[20h`,
  `${ESC}[5i`,
  `${ESC}]1337;File=:AAAA\u0007`,
  '\u009B31m',
  '\u009D0;t\u009C',
  '\u0090q\u009C',
  '\u0085next',
  '\u008D',
  'over\rwritten',
  'back\b\b\bspace',
  '\u0007',
  '\u000B',
  '\u000C',
  '\u000E\u000F',
  '\u007F',
  '\u202Edesrever\u202C',
  '\u2066isolate\u2069',
  'zero\u200Bwidth',
  '\u2028line',
  '\u{E0041}\u{E0042}tags',
];

/** A hub takes no CR: content is in normal form. */
const FOREIGN = HOSTILE.filter((text) => !text.includes('\r'));

/** What may come out: printable, line feed and tab. */
const STEERS = /[^\n\t\P{C}]|[\u2028\u2029]/u;

describe('S31 terminal output', function () {
  this.timeout(120_000);
  const dir = path.join(tempDir(), 'p');
  const env = userEnv(tempDir('home'));
  const run = (...args: string[]): ReturnType<typeof ctx> => ctx(args, { cwd: dir, env });

  before(async () => {
    fs.mkdirSync(dir);
    await run('init');
    const file = path.join(dir, '.context', 'CONVENTIONS.md');
    const own = HOSTILE.map((text) => text.replaceAll(/[\r\n\u2028]/g, '\r')).map(
      (text) => `- own ${text} end\n\n  body ${text}\n`,
    );
    fs.appendFileSync(file, `\n## Section ${ESC}[5m\n\n${own.join('')}`);
    const foreign = FOREIGN.map((text, n) =>
      renderEntry({
        id: `f-${n}`,
        type: 'decision',
        content: `foreign ${text} end\n\nbody ${text} end`,
        origin: 'other',
        client: 'ada@laptop',
        timestamp: '2026-01-02T03:04:05Z',
        received_at: '2026-01-02T03:04:05Z',
        sequence: n + 1,
        digest: `1.${'A'.repeat(22)}`,
      }),
    );
    fs.writeFileSync(path.join(dir, '.context', 'hub', 'decisions.md'), renderHeader('decision') + foreign.join(''));
  });
  after(removeTempDirs);

  it(`shows ${HOSTILE.length} sequences, in list, search and show, as harmless text`, async () => {
    assert.ok(HOSTILE.length >= 40);
    const list = await run('list');
    assert.equal(list.code, 0, list.stderr);
    assert.equal(
      list.stdout.split('\n').filter((line) => / (?:own|foreign) /.test(line)).length,
      HOSTILE.length + FOREIGN.length,
    );
    const ids = list.stdout.split('\n').flatMap((line) => /^(\S+)/.exec(line)?.[1] ?? []);
    const outputs = [list, await run('search', 'end')];
    for (const id of [ids[0] ?? '', 'f-0', 'f-8', 'f-32', 'f-40']) outputs.push(await run('show', id));
    for (const { stdout, stderr, code } of outputs) {
      assert.equal(code, 0, stderr);
      assert.doesNotMatch(stdout + stderr, STEERS);
      assert.match(stdout, /\\u\{1b\}|end/);
    }
  });

  it('answers JSON in ASCII only, and loses nothing', async () => {
    const { stdout } = await run('list', 'decision', '--json');
    assert.match(stdout, /^[\x20-\x7E]+\n$/);
    const { entries } = JSON.parse(stdout) as { entries: { content: string }[] };
    assert.deepEqual(
      entries.map(({ content }) => content),
      FOREIGN.map((text) => `foreign ${text} end\n\nbody ${text} end`),
    );
  });

  it('says in its messages nothing that was typed as it was typed', async () => {
    const evil = `${ESC}]52;c;ZXZpbA==\u0007`;
    for (const args of [
      ['show', evil],
      [evil],
      ['hub', evil],
      ['hub', 'client', evil],
      ['hub', 'start', '--port', evil],
      ['connection', evil],
      ['connection', 'publish', `-${evil}`],
      ['list', evil],
      ['add', 'task', `-${evil}`],
      ['add', 'task', 'a b', '--id', evil],
    ]) {
      const { code, stderr } = await run(...args);
      assert.notEqual(code, 0);
      assert.doesNotMatch(stderr, STEERS);
    }
  });

  describe('on a real terminal', () => {
    // The terminal itself turns line feeds into CR LF.
    const assertHarmless = (shown: string): void => assert.doesNotMatch(shown.replaceAll('\r\n', '\n'), STEERS);

    before(function () {
      if (!hasTerminal) this.skip();
    });

    it('list, search and show say the same', async () => {
      for (const args of [['list'], ['search', 'end'], ['show', 'f-0'], ['show', 'f-32']]) {
        const { stdout, code } = await onTerminal(args, { cwd: dir, env });
        assert.equal(code, 0, stdout);
        assert.match(stdout, /\\u\{1b\}|\\u\{[0-9a-f]+\}/);
        assertHarmless(stdout);
      }
    });

    it('listen shows what arrives, and what a hub says, as harmless text', async () => {
      const hub = new FakeHub();
      const project = makeProject();
      await project.connect({ hub_addr: await hub.listen() });
      const at = { cwd: project.dir, env: userEnv(path.dirname(project.dir)) };
      const listening = startOnTerminal(['connection', 'listen'], at);
      await listening.says(/up to date at #0/, 60_000);
      const arriving = FOREIGN.map((text, n) => ({
        ...{ id: `a-${n}`, type: 'decision' as const, timestamp: '2026-01-02T03:04:05Z' },
        content: `arriving ${text} end\n\nbody`,
      }));
      hub.append('beta', ...arriving);
      await until('all are shown', () => listening.stdout().split('arriving ').length > FOREIGN.length, 60_000);
      listening.type('\u0003');
      const { stdout, code } = await listening.finished;
      assert.equal(code, 0, stdout);
      assertHarmless(stdout);
      for (let first = 0; first < FOREIGN.length; first += 8) {
        const hostile = FOREIGN.slice(first, first + 8).join(' and ');
        hub.refusals.push({ code: 'forbidden', message: `no ${hostile} no` });
        const { stdout: said } = await onTerminal(['connection', 'publish', 'decision', 'Some words'], at);
        assert.match(said, /no .* and .* no/);
        assertHarmless(said.replace('^C', ''));
      }
      await hub.close();
    });
  });
});
