/**
 * The documents' examples, run as a user would type them. Every `console` block of a page is one shell session: lines after
 * `$ ` are commands that must succeed, the lines below a command are what it prints, `…` stands for anything.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { freePorts } from '../support/cluster-processes';
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

/** The pages use these; here they may be taken. */
const PAGES_PORTS = ['9900', '9901', '9902', '9903', '9904', '9905', '9906'] as const;

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const pattern = (expected: string): RegExp =>
  new RegExp(`^${expected.trim().split('…').map(escape).join('[\\s\\S]*?')}$`);

function outputs(page: string, examples: readonly Example[], ports: readonly number[]): Printed[] {
  const pairs = PAGES_PORTS.map((shown, at) => [shown, String(ports[at])] as const);
  const here = (text: string): string => pairs.reduce((done, [shown, port]) => done.replaceAll(shown, port), text);
  const asShown = (text: string): string => pairs.reduce((done, [shown, port]) => done.replaceAll(port, shown), text);
  const home = tempDir('ctx-docs');
  const bin = path.join(home, 'bin');
  fs.mkdirSync(bin);
  const shim = `#!/bin/sh
ctx() { exec '${process.execPath}' '${CTX}' "$@"; }
if [ "$1 $2" = 'hub start' ]; then shift 2; ctx hub start --port ${here('9900')} "$@"; else ctx "$@"; fi
`;
  fs.writeFileSync(path.join(bin, 'ctx'), shim, { mode: 0o755 });
  const mark = '@@next@@';
  const script = examples.map(({ command }) => `${here(command)}\ncode=$?; echo; echo ${mark}$code`).join('\n');
  const env = userEnv(home, { PATH: `${bin}${path.delimiter}${process.env['PATH'] ?? ''}` });
  const done = spawnSync('sh', ['-c', `exec 2>&1\n${script}`], { cwd: home, env, encoding: 'utf8', timeout: 220_000 });
  const folders = fs.readdirSync(home).filter((name) => fs.existsSync(path.join(home, name, 'hub.json')));
  for (const more of [[], ...folders.map((name) => ['--data-dir', name])]) {
    spawnSync(process.execPath, [CTX, 'hub', 'stop', ...more], { cwd: home, env });
  }
  const parts = [...done.stdout.matchAll(new RegExp(`([\\s\\S]*?)${mark}(\\d+)\\n`, 'g'))];
  assert.equal(parts.length, examples.length, `${page}: a command ended the session:\n${done.stdout}`);
  return parts.map(([, text, code]) => ({
    text: asShown((text ?? '').trim()),
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
      this.timeout(240_000);
      const printed = outputs(page, examples, (await freePorts(PAGES_PORTS.length)).toSorted());
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
