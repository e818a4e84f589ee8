/** PROTOCOL.md says what the code does: its tables are compared with the source. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { controlActions, type ControlParts } from '../../hub/control';
import { dataFiles } from '../../hub/store/data-directory';
import { CODE_FACTS, LOCAL_CODES, WIRE_CODES } from '../../core/errors';
import * as limits from '../../core/limits';
import { CONTEXT_DIR, projectPaths } from '../../core/node/project-directory';

const protocol = fs.readFileSync('PROTOCOL.md', 'utf8');

/** The text below a heading, up to the next one of its rank or above. */
function section(heading: string): string {
  const start = protocol.indexOf(`${heading}\n`);
  assert.ok(start >= 0, `PROTOCOL.md has no "${heading}"`);
  const rank = heading.indexOf(' ');
  const end = protocol.slice(start + heading.length).search(new RegExp(`^#{1,${rank}} `, 'm'));
  return end === -1 ? protocol.slice(start) : protocol.slice(start, start + heading.length + end);
}

/** Every `code span` of the first column of the tables in a text. */
function named(text: string): string[] {
  return [...text.matchAll(/^\| *(`[^|]*`) *\|/gm)].flatMap((row) =>
    [...(row[1] ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ''),
  );
}

function sourcesOf(...folders: string[]): string[] {
  return folders.flatMap((folder) =>
    fs
      .readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => fs.readFileSync(path.join(folder, name), 'utf8')),
  );
}

describe('PROTOCOL.md', () => {
  it('lists exactly the wire codes, with their close, HTTP and exit codes', () => {
    const rows = [
      ...protocol.matchAll(/^\|\s*`([a-z_]+)`\s*\|\s*(\d{4})\s*\|\s*(\d{3})\s*\|\s*(\d+)\s*\|\s*(yes|no)\s*\|/gm),
    ].map(([, code, close, http, exit, retry]) => ({ code, close, http, exit, retry }));
    const facts = WIRE_CODES.map((code) => {
      const { close, http, exit, retry } = CODE_FACTS[code];
      return { code, close: String(close), http: String(http), exit: String(exit), retry: retry ? 'yes' : 'no' };
    });
    assert.deepEqual(rows, facts);
  });

  it('names every local code with its exit code', () => {
    const said = section('### Errors').split('never travel:')[1]?.replaceAll('\n', ' ') ?? '';
    for (const code of LOCAL_CODES) {
      const exit = new RegExp(`\`${code}\`(?: and \`[a-z_]+\`)? \\((\\d+)`).exec(said)?.[1];
      assert.equal(exit, String(CODE_FACTS[code].exit), code);
    }
  });

  it('states the limits of the wire', () => {
    const said = section('### Limits');
    const mib = (bytes: number): string => `${bytes / 1024 / 1024} MiB`;
    assert.match(said, new RegExp(`content +\\| ${mib(limits.MAX_CONTENT_BYTES)}`));
    assert.match(said, new RegExp(`frame +\\| ${mib(limits.MAX_FRAME_BYTES)}`));
    assert.match(said, new RegExp(`batch +\\| ${limits.MAX_BATCH_ENTRIES} entries`));
    assert.match(said, new RegExp(`id +\\| ${limits.MAX_ID_LENGTH} characters`));
    assert.match(said, new RegExp(`answer +\\| ${limits.REQUEST_TIMEOUT_MS / 1_000} s`));
    assert.match(
      section('### Liveness'),
      new RegExp(`every ${limits.HEARTBEAT_INTERVAL_MS / 1_000} s[^]*for ${limits.HEARTBEAT_TIMEOUT_MS / 1_000} s`),
    );
  });

  it('names every file of a project', () => {
    const said = section('## Project directory');
    const { files, mirror, ...single } = projectPaths('/p');
    const below = Object.values(single).filter((file) => file.startsWith(`${single.contextDir}${path.sep}`));
    for (const file of [...Object.values(files), ...below]) {
      const name = path.basename(file);
      assert.ok(said.includes(name), name);
    }
    for (const file of Object.values(mirror)) {
      const name = path.basename(file, '.md');
      assert.match(said, new RegExp(`${CONTEXT_DIR}/hub/\\{[a-z,]*${name}[a-z,]*\\}\\.md`));
    }
  });

  it('names every file of a data directory', () => {
    const names = named(section('## Data directory'));
    const { folder, ...files } = dataFiles('/d');
    assert.equal(folder, '/d');
    for (const file of Object.values<string>(files)) assert.ok(names.includes(path.basename(file)), file);
  });

  it('lists exactly the control actions', () => {
    const row = /\| `POST \/v1\/control\/<action>` .*/.exec(protocol)?.[0] ?? '';
    const said = [...(row.split('|')[3] ?? '').matchAll(/`([a-z_]+)`/g)].map((match) => match[1]);
    // Only the names are asked for; nothing of the hub is touched.
    assert.deepEqual(said.sort(), [...controlActions({} as ControlParts).keys()].sort());
  });

  it('lists exactly the kinds of --json answers', () => {
    const kinds = sourcesOf('cli', 'hub').flatMap((code) =>
      [...code.matchAll(/jsonAnswer\(\s*'([^']+)'/g)].map((match) => match[1] ?? ''),
    );
    const table = section('## Command output').split('| kind')[1] ?? '';
    assert.deepEqual(named(table).sort(), [...new Set(kinds)].sort());
  });
});
