/** The VSIX: small, and exactly what is meant to be in it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { brokenLinks } from '../support/links';
import { removeTempDirs, tempDir } from '../support/processes';

const ALLOWED = [
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'LICENSE',
  'PROTOCOL.md',
  'README.md',
  'dist/ThirdPartyNotices.txt',
  'dist/client.js',
  'dist/ctx.js',
  'dist/extension.js',
  'dist/hub.js',
  'dist/language-server.js',
  'dist/log-checker.js',
  ...fs.readdirSync('docs').map((name) => `docs/${name}`),
  'media/activity.svg',
  'media/icon.png',
  'media/screenshots/feed.png',
  'media/screenshots/lenses.png',
  'package.json',
];

describe('VSIX', function () {
  this.timeout(120_000);
  after(removeTempDirs);

  it('holds the allow-list and nothing else', () => {
    const vsce = path.resolve('node_modules/@vscode/vsce/vsce');
    const listed = execFileSync(process.execPath, [vsce, 'ls', '--no-dependencies'], { encoding: 'utf8' });
    const files = listed.split('\n').filter((line) => line !== '');
    assert.deepEqual(files.sort(), [...ALLOWED].sort());
  });

  it('holds everything that the README shows and leads to', () => {
    assert.deepEqual(brokenLinks('README.md', ALLOWED), []);
  });

  it('is packed from what is built, and stays below 2 MiB', () => {
    const file = path.join(tempDir('ctx-vsix'), 'ctx-hub.vsix');
    execFileSync(process.execPath, ['scripts/package.mjs', '--no-build', '--out', file], { stdio: 'pipe' });
    const { size } = fs.statSync(file);
    assert.ok(size > 100_000 && size <= 2 * 1024 * 1024, `${size} bytes`);
  });
});
