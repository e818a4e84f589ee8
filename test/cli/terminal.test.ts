/** What only a terminal shows: a secret asked for without showing it, and how far long work is. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { makeLog } from '../bench/log-maker';
import { FakeHub } from '../support/fake-hub';
import { startHub, type HubProcess } from '../support/hub-process';
import { connect, newProject, succeeded, type CliProject } from '../support/projects';
import { ctx, removeTempDirs, tempDir, until, userEnv } from '../support/processes';
import { makeProject } from '../support/test-project';
import { hasTerminal, onTerminal, startOnTerminal, type OnTerminal } from '../support/terminal';

const PROMPT = /Admin token of the hub: /;
const DEADLINE_MS = 60_000;

describe('on a terminal', function () {
  this.timeout(180_000);
  before(function () {
    // Said as skipped, with this name: no script(1) here.
    if (!hasTerminal) this.skip();
  });
  after(removeTempDirs);

  describe('the admin token is asked for', () => {
    let hub: HubProcess;
    let project: CliProject;
    const register = (...more: string[]): OnTerminal =>
      startOnTerminal(['connection', 'register', hub.address, ...more], { cwd: project.dir, env: project.env });
    const connected = (): boolean => fs.existsSync(project.file('.connect.enc'));

    before(async () => (hub = await startHub()));
    beforeEach(async () => (project = await newProject('alpha')));
    after(() => hub.stop());

    it('and not shown while it is typed', async () => {
      const running = register();
      await running.says(PROMPT, DEADLINE_MS);
      running.type(`${hub.adminToken}\r`);
      const { code, stdout } = await running.finished;
      assert.equal(code, 0, stdout);
      assert.match(stdout, /Registered project alpha/);
      assert.ok(!stdout.includes(hub.adminToken.slice(0, 12)), stdout);
      assert.ok(connected());
    });

    it('a mistyped one is refused, and not repeated', async () => {
      const running = register();
      await running.says(PROMPT, DEADLINE_MS);
      running.type('ctx_adm_hunter2\r');
      const { code, stdout } = await running.finished;
      assert.equal(code, 64, stdout);
      assert.ok(!stdout.includes('hunter2'), stdout);
      assert.ok(!connected());
    });

    it('Ctrl-C ends it, with nothing registered and no further question or complaint', async () => {
      const running = register();
      await running.says(PROMPT, DEADLINE_MS);
      running.type('\u0003');
      const { code, stdout } = await running.finished;
      assert.equal(code, 130, stdout);
      assert.equal(stdout.replace(PROMPT, '').trim(), '');
      assert.ok(!connected());
    });

    it('but not with --no-input', async () => {
      const { code, stdout } = await register('--no-input').finished;
      assert.equal(code, 64);
      assert.doesNotMatch(stdout, PROMPT);
      assert.match(stdout, /--token-file/);
    });
  });

  describe('how far long work is', () => {
    const SHOWN = (what: string): RegExp => new RegExp(`\\r${what}: \\d+ %\\u001b\\[K`);
    /** The line is gone at the end. */
    const assertGone = (text: string): void => {
      const last = text.lastIndexOf(' %\u001b[K');
      assert.ok(text.indexOf('\r\u001b[K', last) > last, text);
    };

    async function syncWith(redirect: string): Promise<{ text: string; seen: boolean }> {
      const hub = new FakeHub();
      hub.pageEntries = 1;
      hub.heldAt = 0;
      const entries = Array.from({ length: 80 }, (_, n) => ({
        ...{ id: `p-${n}`, type: 'decision' as const, content: `number ${n}`, timestamp: '2026-01-02T03:04:05Z' },
      }));
      hub.append('beta', ...entries);
      const address = await hub.listen();
      const project = makeProject();
      await project.connect({ hub_addr: address });
      const running = startOnTerminal(
        ['connection', 'sync'],
        { cwd: project.dir, env: userEnv(path.dirname(project.dir)) },
        redirect.replace('FILE', path.join(project.dir, 'other')),
      );
      await until('connected', () => hub.sessions === 1, DEADLINE_MS);
      let sent = 0;
      // One entry per look: together they take longer than what is short work.
      await until(
        'everything sent',
        () => {
          hub.holdAt(++sent);
          return sent === entries.length;
        },
        DEADLINE_MS,
      );
      const { code, stdout } = await running.finished;
      await hub.close();
      assert.equal(code, 0, stdout);
      return { text: stdout, seen: SHOWN('Receiving').test(stdout) };
    }

    it('is shown by sync, in one line that is gone at the end', async () => {
      const { text, seen } = await syncWith('');
      assert.ok(seen);
      assertGone(text);
      assert.match(text, /Up to date at #80: 80 received/);
    });

    it('is shown where standard error is the terminal, not where only standard output is', async () => {
      assert.equal((await syncWith('>FILE')).seen, true);
      assert.equal((await syncWith('2>FILE')).seen, false);
    });

    it('is shown by publish', async () => {
      const hub = await startHub({ args: ['--publish-burst', '64', '--publish-rate', '64'] });
      const project = await newProject('alpha');
      await connect(project, hub);
      const lines = Array.from({ length: 200 }, (_, n) => {
        const names = { origin: 'alpha', client: 'ada@laptop', timestamp: '2026-01-02T03:04:05Z' };
        return `${JSON.stringify({ id: `q-${n}`, type: 'decision', content: `number ${n}`, ...names })}\n`;
      });
      const file = path.join(project.dir, 'entries.jsonl');
      fs.writeFileSync(file, lines.join(''));
      const { code, stdout } = await onTerminal(['connection', 'publish', '--from', file], {
        cwd: project.dir,
        env: project.env,
      });
      assert.equal(code, 0, stdout);
      assert.match(stdout, SHOWN('Publishing'));
      assertGone(stdout);
      assert.match(stdout, /Shared 200 entries/);
      await hub.stop();
    });

    it('is shown by verify, backup, import and the start of a hub', async () => {
      const home = tempDir('ctx-hub');
      const at = { cwd: home, env: userEnv(home) };
      const folder = path.join(home, 'data');
      fs.mkdirSync(folder, { mode: 0o700 });
      // Work is long when it takes half a second: the log grows until it does on this machine.
      for (let entries = 50_000; ; entries *= 2) {
        await makeLog(folder, entries);
        const { code, stdout } = await onTerminal(['hub', 'verify', '--data-dir', folder], at);
        assert.equal(code, 0, stdout);
        if (SHOWN('Verifying').test(stdout)) {
          assertGone(stdout);
          break;
        }
        assert.ok(entries < 1_000_000, 'verifying a million entries is no short work');
        fs.rmSync(folder, { recursive: true });
        fs.mkdirSync(folder, { mode: 0o700 });
      }
      fs.rmSync(path.join(folder, 'entries.index'));
      const backup = await onTerminal(['hub', 'backup', path.join(home, 'copy'), '--data-dir', folder], at);
      assert.equal(backup.code, 0, backup.stdout);
      assert.match(backup.stdout, SHOWN('Copying'));
      for (const how of [[], ['--daemon']]) {
        const started = startOnTerminal(['hub', 'start', '--port', '0', '--data-dir', folder, ...how], at);
        await started.says(/ctx hub listening on /, DEADLINE_MS);
        assert.match(started.stdout(), SHOWN('Reading the log'));
        assertGone(started.stdout());
        succeeded(await ctx(['hub', 'stop', '--data-dir', folder], at));
        await started.finished;
        fs.rmSync(path.join(folder, 'entries.index'));
      }
      const empty = path.join(home, 'empty');
      succeeded(await ctx(['hub', 'start', '--daemon', '--port', '0', '--data-dir', empty], at));
      succeeded(await ctx(['hub', 'stop', '--data-dir', empty], at));
      const journal = path.join(folder, 'entries.jsonl');
      const imported = await onTerminal(['hub', 'import', journal, '--data-dir', empty], at);
      assert.equal(imported.code, 0, imported.stdout);
      assert.match(imported.stdout, SHOWN('Importing'));
    });
  });
});
