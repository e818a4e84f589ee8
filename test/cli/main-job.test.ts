/** The main job through the built command line: share in one project, hub, mirror in another; and what may go wrong on the way. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { MAX_CONTENT_BYTES } from '../../core/limits';
import { formatToken } from '../../core/token';
import { startHub, type HubProcess } from '../support/hub-process';
import { removeTempDirs, tempDir, until } from '../support/processes';
import {
  connect,
  DECISION_FIELDS,
  logOf,
  mirroredIds,
  newProject,
  projectAt,
  succeeded,
  type CliProject,
} from '../support/projects';

describe('the main job', function () {
  this.timeout(60_000);
  let hub: HubProcess;
  let alpha: CliProject;
  let beta: CliProject;

  before(async () => {
    hub = await startHub();
    alpha = await newProject('alpha');
    beta = await newProject('beta');
    await connect(alpha, hub);
    await connect(beta, hub);
  });
  after(async () => {
    await hub.kill9();
    removeTempDirs();
  });

  it('a shared decision is in the local file, in the log with its stamps, and in the other project', async () => {
    const listener = beta.start(['connection', 'listen']);
    await listener.says(/up to date/);
    succeeded(await alpha.ctx(['add', 'decision', 'Store timestamps in UTC', ...DECISION_FIELDS, '--share']));
    await until('the mirror has it', () => mirroredIds(beta).length === 1);
    listener.process.kill('SIGTERM');
    assert.equal((await listener.finished).code, 0);

    const [entry] = logOf(hub);
    assert.equal(entry?.origin, 'alpha');
    assert.match(entry.client, /^[a-z0-9][a-z0-9._@-]*$/);
    assert.match(alpha.read('DECISIONS.md'), new RegExp(`ctx:id=${entry.id}`));
    const mirror = beta.read('hub/decisions.md');
    assert.match(mirror, /^\*\*Origin\*\*: alpha$/m);
    assert.match(mirror, /Store timestamps in UTC/);
    assert.deepEqual(mirroredIds(alpha), [], 'own entries are not mirrored');
  });

  it('every type, in both spellings, arrives in its own file', async () => {
    const learning = [
      '--context',
      'A test failed in the evening',
      '--lesson',
      'Clocks matter',
      '--application',
      'Inject the clock',
    ];
    succeeded(await alpha.ctx(['learning', 'add', 'Clocks are an input', ...learning, '--share']));
    succeeded(await alpha.ctx(['add', 'convention', 'Units stand last in a name', '--section', 'Naming', '--share']));
    succeeded(await alpha.ctx(['task', 'add', 'Convert old timestamps', '--priority', 'high', '--share']));
    succeeded(await beta.ctx(['connection', 'sync']));
    assert.match(beta.read('hub/learnings.md'), /Clocks are an input/);
    assert.match(beta.read('hub/conventions.md'), /Units stand last in a name/);
    assert.match(beta.read('hub/tasks.md'), /Convert old timestamps/);
  });

  it('only subscribed types arrive, and a type subscribed later is filled in', async () => {
    const gamma = await newProject('gamma');
    await connect(gamma, hub);
    const { stdout } = succeeded(await gamma.ctx(['connection', 'subscribe', 'decision']));
    assert.match(stdout, /^Subscribed to decision \(no longer to learning, convention, task\)$/m);
    succeeded(await gamma.ctx(['connection', 'unsubscribe', 'learning', 'convention', 'task']));
    succeeded(await gamma.ctx(['connection', 'sync']));
    assert.deepEqual(mirroredIds(gamma, 'hub/learnings.md'), []);
    assert.notDeepEqual(mirroredIds(gamma), []);
    succeeded(await gamma.ctx(['connection', 'subscribe', 'learning']));
    succeeded(await gamma.ctx(['connection', 'sync']));
    assert.deepEqual(mirroredIds(gamma, 'hub/learnings.md').length, 1);
  });

  it('two people on one repository both register, and share as the same project', async () => {
    const ada = projectAt(alpha.dir, path.dirname(alpha.env['HOME'] ?? ''));
    const bob = projectAt(alpha.dir);
    await connect(bob, hub, ['--client', 'bob@desk', '--project', 'alpha']);
    succeeded(await bob.ctx(['add', 'decision', 'Bob decided this', ...DECISION_FIELDS, '--share']));
    const entry = logOf(hub).find(({ content }) => content.startsWith('Bob decided this'));
    assert.equal(entry?.client, 'bob@desk');
    assert.equal(entry.origin, 'alpha');
    assert.ok(ada.dir === bob.dir);
    await connect(alpha, hub);
    succeeded(await alpha.ctx(['add', 'decision', 'Ada still can', ...DECISION_FIELDS, '--share']));
    const clients = succeeded(await alpha.ctx(['hub', 'client', 'list', '--json', '--data-dir', hub.dataDir])).stdout;
    assert.match(clients, /bob@desk/);
  });

  it('content of exactly 1 MiB goes through hub, disk, restart and mirror; one byte more is too_large and stored nowhere', async () => {
    const title = 'A large learning\n\n';
    const largest = title + 'x'.repeat(MAX_CONTENT_BYTES - title.length);
    const before = logOf(hub).length;
    const refused = await alpha.ctx(['connection', 'publish', 'learning', '-'], `${largest}x`);
    assert.equal(refused.code, 65, refused.stderr);
    assert.match(refused.stderr, /1048576 bytes/);
    assert.equal(logOf(hub).length, before);
    assert.doesNotMatch(alpha.read('LEARNINGS.md'), /A large learning/);

    succeeded(await alpha.ctx(['connection', 'publish', 'learning', '-'], largest));
    assert.equal(logOf(hub).length, before + 1);
    await hub.kill9();
    hub = await startHub({ dataDir: hub.dataDir, args: ['--port', String(hub.port)] });
    succeeded(await beta.ctx(['connection', 'sync']));
    assert.ok(beta.read('hub/learnings.md').includes(largest.split('\n').at(-1) ?? 'never'));
  });

  it('with the hub down the entry is saved, waits, and is published later, once (FM-17, FM-18)', async () => {
    const before = logOf(hub).length;
    await hub.kill9();
    const began = performance.now();
    const offline = await alpha.ctx(['add', 'decision', 'Written without a hub', ...DECISION_FIELDS, '--share']);
    assert.equal(offline.code, 75, offline.stderr);
    assert.match(offline.stderr, /[Nn]ot shared|will be/);
    assert.ok(performance.now() - began < 15_000, 'nothing waits for long');
    assert.match(alpha.read('DECISIONS.md'), /Written without a hub/);
    const status = await alpha.ctx(['connection', 'status', '--json']);
    assert.match(status.stdout, /"outbox":\s*\{?[^}]*1|"pending":\s*1/);

    hub = await startHub({ dataDir: hub.dataDir, args: ['--port', String(hub.port)] });
    succeeded(await alpha.ctx(['connection', 'publish']));
    succeeded(await alpha.ctx(['connection', 'publish']));
    const found = logOf(hub).filter(({ content }) => content.startsWith('Written without a hub'));
    assert.equal(found.length, 1);
    assert.equal(logOf(hub).length, before + 1);
  });

  it('a listener that was killed with -9 again and again leaves no gap and no duplicate', async () => {
    const expected = new Set(mirroredIds(beta));
    for (let round = 0; round < 4; round++) {
      const listener = beta.start(['connection', 'listen']);
      await listener.says(/up to date/);
      const titles = Array.from({ length: 5 }, (_, i) => `Round ${round} decision ${i}`);
      const added = titles.map((title) =>
        alpha.ctx(['add', 'decision', title, ...DECISION_FIELDS, '--share', '--json']),
      );
      await until('the first of the round is there', () => mirroredIds(beta).length > expected.size, 20_000);
      listener.process.kill('SIGKILL');
      assert.equal((await listener.finished).signal, 'SIGKILL');
      for (const each of await Promise.all(added)) succeeded(each);
      for (const id of mirroredIds(beta)) expected.add(id);
    }
    succeeded(await beta.ctx(['connection', 'sync']));
    const ids = mirroredIds(beta);
    const ofOthers = logOf(hub).filter(({ content }) => /^\*\*Decision\*\*/m.test(content));
    assert.deepEqual(
      ids,
      ofOthers.map(({ id }) => id),
    );
    assert.equal(new Set(ids).size, ids.length);
  });

  it('a hub killed with -9 while publishers run keeps every acknowledged entry, once', async () => {
    for (let round = 0; round < 3; round++) {
      const sharing = Array.from({ length: 6 }, (_, i) =>
        alpha.ctx(['add', 'convention', `Convention ${round}.${i}`, '--section', 'Killed', '--share', '--json']),
      );
      await Promise.race(sharing);
      await hub.kill9();
      const finished = await Promise.all(sharing);
      hub = await startHub({ dataDir: hub.dataDir, args: ['--port', String(hub.port)] });
      const stored = logOf(hub).map(({ id }) => id);
      assert.equal(new Set(stored).size, stored.length);
      for (const { code, stdout, stderr } of finished) {
        assert.ok(code === 0 || code === 75, stderr);
        const id = /"id":\s*"([^"]+)"/.exec(stdout)?.[1];
        if (code === 0) assert.ok(id !== undefined && stored.includes(id), `${String(id)} was acknowledged`);
      }
    }
    succeeded(await alpha.ctx(['connection', 'publish']));
    const killed = logOf(hub).filter(({ content }) => /^Convention \d\.\d$/.test(content));
    assert.equal(killed.length, 18);
  });
});

describe('bad input is told apart by exit code, and says what to do', function () {
  this.timeout(60_000);
  let hub: HubProcess;
  let project: CliProject;

  before(async () => {
    hub = await startHub();
    project = await newProject('alpha');
  });
  after(async () => {
    await hub.kill9();
    removeTempDirs();
  });

  const refuses = (what: string, args: () => readonly string[], code: number, says: RegExp, stdin?: string): void => {
    it(`${what}: ${code}`, async () => {
      const before = fs.readdirSync(path.join(project.dir, '.context')).map((name) => [name, size(project.file(name))]);
      const finished = await project.ctx(args(), stdin);
      assert.equal(finished.code, code, finished.stderr + finished.stdout);
      assert.match(finished.stderr, says);
      assert.equal(finished.stdout, '');
      const after = fs.readdirSync(path.join(project.dir, '.context')).map((name) => [name, size(project.file(name))]);
      assert.deepEqual(after, before, 'nothing was changed');
    });
  };
  const size = (file: string): number => (fs.statSync(file).isDirectory() ? 0 : fs.statSync(file).size);
  const token = (text: string): string => {
    const file = path.join(tempDir('ctx-token'), 'token');
    fs.writeFileSync(file, text, { mode: 0o600 });
    return file;
  };

  refuses('an unknown command', () => ['frobnicate'], 64, /unknown command|frobnicate/i);
  refuses('an unknown type', () => ['add', 'thought', 'x'], 64, /decision/);
  refuses('an unknown flag', () => ['list', '--frob'], 64, /--frob/);
  refuses('a missing field', () => ['add', 'decision', 'A title'], 65, /--context/);
  refuses('a placeholder', () => ['add', 'decision', 'T', ...DECISION_FIELDS.slice(2), '--context', 'tbd'], 65, /tbd/);
  refuses('a bad id', () => ['add', 'decision', 'T', ...DECISION_FIELDS, '--id', 'a b'], 65, /id/);
  refuses('broken JSON', () => ['add', 'decision', '--json-file', '-'], 65, /JSON/, '{"title":');
  refuses(
    'a file that is not there',
    () => ['add', 'decision', 'T', '--json-file', 'missing.json'],
    74,
    /missing\.json/,
  );
  refuses('a share without a connection', () => ['connection', 'publish'], 78, /register/);
  refuses(
    'an address that is none',
    () => ['connection', 'register', 'http://x y', '--token', 'x'],
    64,
    /address|host/i,
  );
  refuses(
    'a token that is none',
    () => ['connection', 'register', hub.address, '--token-file', token('hunter2')],
    64,
    /not a ctx token/,
  );
  refuses(
    'a token of another hub',
    () => [
      ...['connection', 'register', hub.address, '--token-file'],
      token(formatToken({ kind: 'adm', id: '0'.repeat(16), secret: '0'.repeat(64) })),
    ],
    77,
    /token/,
  );
  refuses(
    'no hub at the address',
    () => ['connection', 'register', '127.0.0.1:1', '--token-file', path.join(hub.dataDir, 'admin.token')],
    69,
    /hub/i,
  );
  refuses(
    'a token file that is not there',
    () => ['connection', 'register', hub.address, '--token-file', 'nope'],
    74,
    /nope/,
  );

  it('a context file that is not UTF-8 is left as it is: 65', async () => {
    const other = await newProject('other');
    const bytes = Buffer.concat([Buffer.from('# Decisions\n\n'), Buffer.from([0xff, 0xfe, 0x41])]);
    fs.writeFileSync(other.file('DECISIONS.md'), bytes);
    const finished = await other.ctx(['add', 'decision', 'T', ...DECISION_FIELDS]);
    assert.equal(finished.code, 65, finished.stderr);
    assert.match(finished.stderr, /UTF-8/);
    assert.deepEqual(fs.readFileSync(other.file('DECISIONS.md')), bytes);
  });

  it('outside a project it says where to begin: 78', async () => {
    const nowhere = projectAt(tempDir('ctx-nowhere'));
    const finished = await nowhere.ctx(['list']);
    assert.equal(finished.code, 78, finished.stderr);
    assert.match(finished.stderr, /ctx init/);
  });
});
