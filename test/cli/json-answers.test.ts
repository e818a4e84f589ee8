/** `--json` of every command: one line a program can read, of the kind PROTOCOL.md names; an error leaves standard output empty. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { hubCommand } from '../support/hub-log';
import { startHub, type HubProcess } from '../support/hub-process';
import { ctx, removeTempDirs, tempDir, until, userEnv, type Finished } from '../support/processes';
import { connect, DECISION_FIELDS, newProject, projectAt, succeeded, type CliProject } from '../support/projects';

const LEARNING_FIELDS = ['--context', 'It happened', '--lesson', 'It is so', '--application', 'Do it so'] as const;

/** A project that is connected, has an entry of its own and one of another project; and the hub they share. */
interface Place {
  readonly hub: HubProcess;
  readonly project: CliProject;
  /** A JSON line that can be published or imported. */
  readonly lines: string;
}

interface Row {
  /** Of the answer; absent for what only a cluster answers (`test/cluster` does) and what runs on (below). */
  readonly kind?: string;
  /** Runs the command with --json to its good end. */
  readonly run?: (place: Place) => Promise<Finished>;
  /** What is wrong in the call that has to fail; by default nothing but the place, where there is no project and no hub. */
  readonly wrong?: readonly string[];
  /** A failure is what is asked for: it is the answer. */
  readonly reportsFailure?: true;
}

const inProject =
  (...args: string[]) =>
  ({ project }: Place): Promise<Finished> =>
    project.ctx([...args, '--json']);
const onHub =
  (...args: string[]) =>
  ({ hub }: Place): Promise<Finished> =>
    hubCommand(hub.dataDir, ...args, '--json');
const onFirstClient =
  (action: string, ...args: string[]) =>
  async (place: Place): Promise<Finished> => {
    const { stdout } = succeeded(await onHub('client', 'list')(place));
    const [client] = (JSON.parse(stdout) as { clients: { client_id: string }[] }).clients;
    return onHub('client', action, client?.client_id ?? '', ...args)(place);
  };

const decision: Row = { kind: 'added', run: inProject('add', 'decision', 'A new one', ...DECISION_FIELDS, '--share') };
const learning: Row = { kind: 'added', run: inProject('add', 'learning', 'A new one', ...LEARNING_FIELDS) };
const convention: Row = { kind: 'added', run: inProject('add', 'convention', 'A new one') };
const task: Row = { kind: 'added', run: inProject('add', 'task', 'A new one') };
const ofCluster: Row = {};

/** The copy of a hub's data that an offline command may work on. */
async function offline({ hub }: Place, ...args: string[]): Promise<Finished> {
  const copy = path.join(tempDir('ctx-copy'), 'data');
  succeeded(await hubCommand(hub.dataDir, 'backup', copy));
  return hubCommand(copy, ...args, '--json');
}

/** In the order in which they are run: each finds what those before it left. */
const ROWS: Readonly<Record<string, Row>> = {
  init: {
    kind: 'initialized',
    run: () => projectAt(tempDir('ctx-init')).ctx(['init', '--json']),
    wrong: ['--nonsense'],
  },
  'add decision': { ...decision, wrong: ['A new one', ...DECISION_FIELDS] },
  'add learning': { ...learning, wrong: ['A new one', ...LEARNING_FIELDS] },
  'add convention': { ...convention, wrong: ['A new one'] },
  'add task': { ...task, wrong: ['A new one'] },
  'decision add': { ...decision, wrong: ['A new one', ...DECISION_FIELDS] },
  'learning add': { ...learning, wrong: ['A new one', ...LEARNING_FIELDS] },
  'convention add': { ...convention, wrong: ['A new one'] },
  'task add': { ...task, wrong: ['A new one'] },
  list: { kind: 'entries', run: inProject('list') },
  'decision list': { kind: 'entries', run: inProject('decision', 'list') },
  'learning list': { kind: 'entries', run: inProject('learning', 'list') },
  'convention list': { kind: 'entries', run: inProject('convention', 'list') },
  'task list': { kind: 'entries', run: inProject('task', 'list') },
  show: { kind: 'entry', run: inProject('show', 'of-their-own'), wrong: ['nothing'] },
  search: { kind: 'entries', run: inProject('search', 'words'), wrong: ['words'] },
  agent: { kind: 'agent_packet', run: inProject('agent', '--include-hub') },
  doctor: { kind: 'doctor', run: inProject('doctor'), reportsFailure: true },
  'connection register': {
    kind: 'registered',
    run: ({ hub, project }) => {
      const tokenFile = path.join(hub.dataDir, 'admin.token');
      return project.ctx(['connection', 'register', hub.address, '--token-file', tokenFile, '--json']);
    },
    wrong: ['127.0.0.1:9', '--token', 'none'],
  },
  'connection subscribe': {
    kind: 'subscription',
    run: inProject('connection', 'subscribe', 'decision', 'learning'),
    wrong: ['decision'],
  },
  'connection unsubscribe': {
    kind: 'subscription',
    run: inProject('connection', 'unsubscribe', 'learning'),
    wrong: ['decision'],
  },
  'connection publish': { kind: 'published', run: inProject('connection', 'publish') },
  'connection sync': { kind: 'synced', run: inProject('connection', 'sync') },
  'connection status': { kind: 'connection_status', run: inProject('connection', 'status') },
  'connection listen': {
    kind: 'received',
    run: async ({ hub, project }) => {
      const other = await newProject('speaker');
      await connect(other, hub);
      const listener = project.start(['connection', 'listen', '--json']);
      await listener.says(/up to date/, 30_000);
      succeeded(await other.ctx(['add', 'decision', 'Ünsagbar', ...DECISION_FIELDS, '--share']));
      await until('it was received', () => listener.stdout().includes('"received"'), 30_000);
      listener.process.kill('SIGTERM');
      return listener.finished;
    },
  },
  'connection unregister': { kind: 'unregistered', run: inProject('connection', 'unregister') },
  'hub status': { kind: 'hub_status', run: onHub('status') },
  'hub client list': { kind: 'hub_clients', run: onHub('client', 'list') },
  'hub client approve': { kind: 'client_access', run: onFirstClient('approve'), wrong: ['nobody'] },
  'hub client grant': { kind: 'client_access', run: onFirstClient('grant', '--all'), wrong: ['nobody', '--all'] },
  'hub client revoke': { kind: 'client_revoked', run: onFirstClient('revoke'), wrong: ['nobody'] },
  'hub token rotate': { kind: 'admin_token', run: onHub('token', 'rotate') },
  'hub verify': { kind: 'hub_verify', run: onHub('verify') },
  'hub backup': {
    kind: 'hub_backup',
    run: (place) => onHub('backup', path.join(tempDir('ctx-backup'), 'copy'))(place),
    wrong: ['copy'],
  },
  'hub import': { kind: 'hub_import', run: (place) => onHub('import', place.lines)(place), wrong: ['no-such-file'] },
  'hub rejected': { kind: 'hub_rejected', run: onHub('rejected'), wrong: ['--nonsense'] },
  'hub repair': {
    kind: 'hub_repair',
    run: (place) => offline(place, 'repair', '--rebuild-meta', '--dry-run'),
    wrong: ['--quarantine'],
  },
  'hub start': {
    kind: 'hub_started',
    run: async () => {
      const home = tempDir('ctx-start');
      const dataDir = path.join(home, 'data');
      const args = ['hub', 'start', '--daemon', '--port', '0', '--data-dir', dataDir, '--json'];
      const started = await ctx(args, { cwd: home, env: userEnv(home) });
      succeeded(await hubCommand(dataDir, 'stop'));
      return started;
    },
    wrong: ['--port', 'none'],
  },
  'hub peer list': ofCluster,
  'hub peer add': { ...ofCluster, wrong: ['127.0.0.1:1'] },
  'hub peer remove': { ...ofCluster, wrong: ['127.0.0.1:1'] },
  'hub stepdown': ofCluster,
  'hub recover': { ...ofCluster, wrong: ['--force'] },
};

/** They answer in another form, or not at all. */
const WITHOUT_JSON = ['completion', 'hub stop', 'lsp'];

describe('--json', function () {
  this.timeout(180_000);
  let place: Place;

  before(async () => {
    const hub = await startHub();
    const project = await newProject('alpha');
    const other = await newProject('beta');
    await connect(project, hub);
    await connect(other, hub);
    succeeded(await other.ctx(['add', 'decision', 'Of others', ...DECISION_FIELDS, '--share']));
    succeeded(await project.ctx(['add', 'convention', 'Own words', '--id', 'of-their-own']));
    succeeded(await project.ctx(['connection', 'sync']));
    const lines = path.join(tempDir('ctx-lines'), 'journal.jsonl');
    fs.copyFileSync(path.join(hub.dataDir, 'entries.jsonl'), lines);
    place = { hub, project, lines };
  });
  after(async () => {
    await place.hub.kill9();
    removeTempDirs();
  });

  /** Every command, and whether it says that it has --json. */
  async function commands(): Promise<ReadonlyMap<string, boolean>> {
    const { stdout } = succeeded(await place.project.ctx(['completion', 'bash']));
    const options = [...stdout.matchAll(/^ {8}'([^']+)'\) words='([^']*--help[^']*)' ;;$/gm)];
    const known = new Map(options.map(([, name = '', words = '']) => [name, words.split(' ').includes('--json')]));
    const groups = [...known.keys()].filter((name) => [...known.keys()].some((other) => other.startsWith(`${name} `)));
    for (const group of groups) known.delete(group);
    return known;
  }

  it('every command has it and a row here, or is known to have none', async () => {
    const all = await commands();
    assert.ok(all.size > 35, `only ${all.size} commands`);
    const having = [...all].flatMap(([name, json]) => (json ? [name] : []));
    assert.deepEqual(having.sort(), Object.keys(ROWS).sort());
    const lacking = [...all].flatMap(([name, json]) => (json ? [] : [name]));
    assert.deepEqual(lacking.sort(), WITHOUT_JSON);
  });

  for (const [name, { kind, run }] of Object.entries(ROWS)) {
    if (kind === undefined || run === undefined) continue;
    it(`${name}: one line of JSON of kind ${kind}`, async () => {
      const { stdout } = succeeded(await run(place));
      const lines = stdout.split('\n');
      assert.equal(lines.pop(), '', 'ends with its line');
      assert.ok(name === 'connection listen' ? lines.length > 0 : lines.length === 1, stdout);
      for (const line of lines) {
        const answer = JSON.parse(line) as { schemaVersion: unknown; kind: unknown };
        assert.deepEqual([answer.schemaVersion, answer.kind], [1, kind]);
        assert.match(line, /^[\x20-\x7e]*$/);
      }
    });
  }

  it('an error leaves standard output empty, and says on the other one what is wrong', async () => {
    const home = tempDir('ctx-nowhere');
    for (const [name, { wrong = [], reportsFailure }] of Object.entries(ROWS)) {
      if (reportsFailure === true) continue;
      const place = name.startsWith('hub ') ? ['--data-dir', path.join(home, 'none')] : [];
      const args = [...name.split(' '), ...wrong, ...place, '--json'];
      const { code, stdout, stderr } = await ctx(args, { cwd: home, env: userEnv(home) });
      assert.notEqual(code, 0, name);
      assert.equal(stdout, '', name);
      assert.match(stderr, /\S/, name);
    }
  });
});
