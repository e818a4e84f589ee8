/** Every command explains itself with an example; the completion scripts know them all. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { CTX, ctx, removeTempDirs, tempDir, userEnv, type Finished } from '../support/processes';
import { succeeded } from '../support/projects';

describe('help and completion', function () {
  this.timeout(120_000);
  let home: string;
  before(() => {
    home = tempDir('ctx-help');
  });
  after(removeTempDirs);

  const run = (...args: string[]): Promise<Finished> => ctx(args, { cwd: home, env: userEnv(home) });

  /** Every place of the command line, as the bash script knows it. */
  async function places(): Promise<string[]> {
    const { stdout } = succeeded(await run('completion', 'bash'));
    const known = /^ {6}('init'.*)\) place=\$next ;;$/m.exec(stdout)?.[1] ?? '';
    return known.split('|').map((quoted) => quoted.slice(1, -1));
  }

  it('every command has a description and an example, and help exits 0', async () => {
    const all = await places();
    assert.ok(all.length > 35, `only ${all.length} commands`);
    const leaves = all.filter((place) => !all.some((other) => other.startsWith(`${place} `)));
    const lacking: string[] = [];
    for (const place of leaves) {
      const { code, stdout, stderr } = await run(...place.split(' '), '--help');
      assert.deepEqual([code, stderr], [0, ''], place);
      assert.match(stdout, /^Usage: ctx /m, place);
      const [options = '', examples = ''] = stdout.split(/^Examples?:\n/m);
      if (!/^ {2}\$ .*\bctx /m.test(examples)) lacking.push(place);
      for (const [, words = ''] of examples.matchAll(/\bctx (.*)/g)) {
        const flags = words.startsWith(place) ? (words.match(/--[a-z-]+/g) ?? []) : [];
        lacking.push(...flags.filter((flag) => !options.includes(`${flag} `)).map((flag) => `${place} ${flag}`));
      }
    }
    assert.deepEqual(lacking, []);
  });

  it('an unknown command or flag is 64 and points to the help', async () => {
    for (const args of [['nonsense'], ['list', '--nonsense'], ['hub', 'nonsense'], ['connection', 'nonsense']]) {
      const { code, stdout, stderr } = await run(...args);
      assert.deepEqual([code, stdout], [64, ''], args.join(' '));
      assert.match(stderr, /nonsense/);
    }
    assert.equal((await run('completion', 'tcsh')).code, 64);
  });

  /** What bash offers for words typed so far; the last one is being typed. */
  function offered(script: string, ...words: string[]): string[] {
    const typed = words.map((word) => `'${word}'`).join(' ');
    const code = `source ${script}; COMP_WORDS=(ctx ${typed}); COMP_CWORD=${words.length}; _ctx; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, status, stderr } = spawnSync('bash', ['--norc', '-c', code], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    return stdout.split('\n').filter((line) => line !== '');
  }

  async function scriptOf(shell: string): Promise<string> {
    const file = path.join(home, `completion.${shell}`);
    fs.writeFileSync(file, succeeded(await run('completion', shell)).stdout);
    return file;
  }

  it('bash: commands, their commands, types and options are offered', async function () {
    if (spawnSync('bash', ['--version']).error !== undefined) this.skip(); // No bash on this machine.
    const script = await scriptOf('bash');
    assert.deepEqual(offered(script, 'conn'), ['connection']);
    assert.deepEqual(offered(script, 'connection', 'subs'), ['subscribe']);
    assert.deepEqual(offered(script, 'hub', 'client', ''), ['list', 'revoke', 'approve', 'grant']);
    assert.deepEqual(offered(script, 'add', 'decision', '--rat'), ['--rationale']);
    assert.deepEqual(offered(script, 'connection', 'subscribe', 'le'), ['learning']);
    assert.deepEqual(offered(script, 'hub', 'start', '--tls-c'), ['--tls-cert']);
    assert.deepEqual(offered(script, 'completion', ''), ['bash', 'zsh', 'fish']);
    // A word that only looks like a command, as the value of an option.
    assert.deepEqual(offered(script, 'list', '--type', 'hub', 'x'), []);
  });

  for (const shell of ['zsh', 'fish']) {
    it(`${shell}: the script holds every command, and the shell (where there is one) reads it`, async () => {
      const script = await scriptOf(shell);
      const text = fs.readFileSync(script, 'utf8');
      for (const place of await places()) assert.ok(text.includes(`'${place}'`), place);
      const checked = spawnSync(shell, ['-n', script], { encoding: 'utf8' });
      if (checked.error === undefined) assert.deepEqual([checked.status, checked.stderr], [0, '']);
    });
  }

  it('asking for completion touches nothing and needs no project', () => {
    assert.ok(fs.existsSync(CTX));
    assert.ok(!fs.existsSync(path.join(home, '.ctx')));
  });
});
