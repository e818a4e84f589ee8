/** `npm pack` gives a tarball that installs `ctx` on a server with Node alone: no network, no scripts, no other package. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { brokenLinks } from '../support/links';
import { removeTempDirs, tempDir, userEnv } from '../support/processes';

const npm = (args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = process.env): string =>
  execFileSync('npm', args, {
    cwd,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  });

describe('the npm package', function () {
  this.timeout(120_000);
  const place = tempDir('ctx-pack');
  const env = userEnv(path.join(place, 'home'));
  const prefix = path.join(place, 'prefix');
  const bin = process.platform === 'win32' ? path.join(prefix, 'ctx.cmd') : path.join(prefix, 'bin', 'ctx');
  const run = (args: readonly string[], cwd: string): string =>
    execFileSync(bin, args, {
      cwd,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    });

  before(() => {
    fs.mkdirSync(path.join(place, 'home'));
    npm(['pack', '--ignore-scripts', '--pack-destination', place], process.cwd());
    const tarball = fs.readdirSync(place).find((name) => name.endsWith('.tgz'));
    assert.ok(tarball, 'npm pack made a tarball');
    npm(
      ['install', '--global', '--prefix', prefix, '--offline', '--ignore-scripts', path.join(place, tarball)],
      place,
      env,
    );
  });
  after(removeTempDirs);

  it('installs a ctx that says its version', () => {
    const { version } = JSON.parse(fs.readFileSync('package.json', 'utf8')) as { version: string };
    assert.equal(run(['--version'], place).trim(), version);
  });

  it('holds bundles and documents, nothing else, and depends on nothing', () => {
    const dir = path.join(prefix, process.platform === 'win32' ? '' : 'lib', 'node_modules', 'ctx-hub');
    const files = fs.readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort();
    const unexpected = files.filter(
      (name) =>
        !/^(dist([\\/]((ctx|client|hub|language-server)\.js|ThirdPartyNotices\.txt))?|[A-Z][A-Za-z]+(\.md|\.txt)?|package\.json|docs([\\/][a-z-]+\.md)?|media([\\/]screenshots([\\/][a-z]+\.png)?)?)$/.test(
          name,
        ),
    );
    assert.deepEqual(unexpected, []);
    assert.deepEqual(brokenLinks('README.md', files), []);
    for (const name of ['ctx', 'client', 'hub', 'language-server'])
      assert.ok(fs.existsSync(path.join(dir, 'dist', `${name}.js`)), name);
    const manifest = JSON.parse(fs.readFileSync(path.join(dir, 'package.json'), 'utf8')) as Record<string, unknown>;
    assert.equal(manifest['dependencies'], undefined);
  });

  it('does the main job: hub, two projects, share, sync', () => {
    const dataDir = path.join(place, 'hub-data');
    const alpha = path.join(place, 'alpha');
    const beta = path.join(place, 'beta');
    for (const dir of [alpha, beta]) fs.mkdirSync(dir);
    const started = run(['hub', 'start', '--daemon', '--port', '0', '--data-dir', dataDir], place);
    const address = /listening on (\S+)/.exec(started)?.[1];
    assert.ok(address, started);
    try {
      for (const dir of [alpha, beta]) {
        run(['init'], dir);
        run(['connection', 'register', address, '--token-file', path.join(dataDir, 'admin.token')], dir);
      }
      const fields = [
        '--context',
        'Clocks differed',
        '--rationale',
        'UTC has no changes',
        '--consequence',
        'Convert on display',
      ];
      run(['add', 'decision', 'Store timestamps in UTC', ...fields, '--share'], alpha);
      run(['connection', 'sync'], beta);
      assert.match(
        fs.readFileSync(path.join(beta, '.context', 'hub', 'decisions.md'), 'utf8'),
        /Store timestamps in UTC/,
      );
    } finally {
      run(['hub', 'stop', '--data-dir', dataDir], place);
    }
  });
});
