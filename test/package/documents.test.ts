/**
 * The documents' examples, run as a user would type them. Every `console` block of a page is one shell session: lines after
 * `$ ` are commands that must succeed, the lines below a command are what it prints, `…` stands for anything.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { CTX, removeTempDirs, tempDir, userEnv } from '../support/processes';

const PAGES = [
  'README.md',
  ...fs
    .readdirSync('docs', { encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => `docs/${name}`),
];

interface Example {
  readonly command: string;
  readonly expected: string;
}

interface Printed {
  readonly text: string;
  readonly code: number;
}

function examplesOf(page: string): Example[] {
  const blocks = fs.readFileSync(page, 'utf8').matchAll(/^```console\n([\s\S]*?)^```$/gm);
  const examples: { command: string; expected: string }[] = [];
  for (const [, block] of blocks) {
    for (const line of (block ?? '').trimEnd().split('\n')) {
      const last = examples.at(-1);
      if (line.startsWith('$ ')) examples.push({ command: line.slice(2), expected: '' });
      else if (line.startsWith('> ') && last?.expected === '') last.command += `\n${line.slice(2)}`;
      else if (last !== undefined) last.expected += `${line}\n`;
    }
  }
  return examples;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const pattern = (expected: string): RegExp =>
  new RegExp(`^${expected.trim().split('…').map(escape).join('[\\s\\S]*?')}$`);

function outputs(page: string, examples: readonly Example[], port: number): Printed[] {
  const home = tempDir('ctx-docs');
  const bin = path.join(home, 'bin');
  fs.mkdirSync(bin);
  // The pages use the default port; here it may be taken.
  const shim = `#!/bin/sh
ctx() { exec '${process.execPath}' '${CTX}' "$@"; }
if [ "$1 $2" = 'hub start' ]; then shift 2; ctx hub start --port ${port} "$@"; else ctx "$@"; fi
`;
  fs.writeFileSync(path.join(bin, 'ctx'), shim, { mode: 0o755 });
  const mark = '@@next@@';
  const script = examples
    .map(({ command }) => `${command.replaceAll('9900', String(port))}\ncode=$?; echo; echo ${mark}$code`)
    .join('\n');
  const env = userEnv(home, { PATH: `${bin}${path.delimiter}${process.env['PATH'] ?? ''}` });
  const done = spawnSync('sh', ['-c', `exec 2>&1\n${script}`], { cwd: home, env, encoding: 'utf8', timeout: 60_000 });
  spawnSync(process.execPath, [CTX, 'hub', 'stop'], { cwd: home, env });
  const parts = [...done.stdout.matchAll(new RegExp(`([\\s\\S]*?)${mark}(\\d+)\\n`, 'g'))];
  assert.equal(parts.length, examples.length, `${page}: a command ended the session:\n${done.stdout}`);
  return parts.map(([, text, code]) => ({
    text: (text ?? '').trim().replaceAll(String(port), '9900'),
    code: Number(code),
  }));
}

describe('the examples of', () => {
  after(removeTempDirs);

  for (const page of PAGES) {
    const examples = examplesOf(page);
    if (examples.length === 0) continue;
    it(`${page} print what the page says`, async function () {
      if (process.platform === 'win32') this.skip();
      this.timeout(90_000);
      const printed = outputs(page, examples, await freePort());
      for (const [at, { command, expected }] of examples.entries()) {
        const { text, code } = printed[at] ?? { text: '', code: -1 };
        assert.equal(code, 0, `${page}: $ ${command}\n${text}`);
        assert.match(text, pattern(expected), `${page}: $ ${command}\n--- printed\n${text}\n--- expected\n${expected}`);
      }
    });
  }

  it('the getting-started page are there', () => {
    assert.ok(PAGES.some((page) => page === 'docs/getting-started.md' && examplesOf(page).length > 5));
  });
});
