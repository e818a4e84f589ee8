/** FM-44, FM-41 in a project: its mirror and journal hold what the operator grants, no more and no less, whenever that changes. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { ENTRY_TYPES } from '../../core/entry';
import { changeAccess, listedClients } from '../support/access';
import { publishEach } from '../support/hub-log';
import { registerClient, startHub, type HubProcess } from '../support/hub-process';
import { removeTempDirs, tempDir, until, type Running } from '../support/processes';
import {
  connect,
  DECISION_FIELDS,
  logOf,
  mirroredIds,
  newProject,
  succeeded,
  type CliProject,
} from '../support/projects';
import { shared } from '../support/shared-entry';

describe('FM-44: mirror and journal hold what is granted', function () {
  this.timeout(240_000);
  let hub: HubProcess;
  let reader: CliProject;
  let clientId: string;
  let journal: string;
  const writers = new Map<string, string>();

  before(async () => {
    hub = await startHub({ args: ['--approve-registrations'] });
    for (const project of ['alpha', 'beta']) {
      const writer = await registerClient(hub, project, 'writer@here');
      writers.set(project, writer.token);
      await publishEach(
        hub,
        writer.token,
        ENTRY_TYPES.map((type) => shared(`${project}.${type}.1`, { type })),
      );
    }
    reader = await newProject('reader');
    await connect(reader, hub);
    clientId = (await listedClients(hub)).find(({ project }) => project === 'reader')?.client_id ?? '';
    journal = path.join(tempDir('ctx-journal'), 'journal.jsonl');
  });
  after(async () => {
    await hub.kill9();
    removeTempDirs();
  });

  const mirrored = (): string[] => ENTRY_TYPES.flatMap((type) => mirroredIds(reader, `hub/${type}s.md`)).sort();
  const kept = (): string[] =>
    fs.existsSync(journal)
      ? fs
          .readFileSync(journal, 'utf8')
          .split('\n')
          .slice(0, -1)
          .map((line) => (JSON.parse(line) as { id: string }).id)
      : [];
  const wanted = (fits: (project: string, type: string) => boolean, rounds = 1): string[] =>
    ['alpha', 'beta']
      .flatMap((project) =>
        ENTRY_TYPES.filter((type) => fits(project, type)).flatMap((type) =>
          Array.from({ length: rounds }, (_, round) => `${project}.${type}.${round + 1}`),
        ),
      )
      .sort();
  const mirrors = (ids: readonly string[]): Promise<unknown> =>
    until(`the mirror holds ${ids.join(' ')}`, () => mirrored().join() === ids.join(), 60_000);
  const grant = (...args: readonly string[]): Promise<string> => changeAccess(hub, 'grant', clientId, ...args);
  const ended = async (listener: Running): Promise<void> => {
    listener.process.kill('SIGTERM');
    const end = await listener.finished;
    assert.equal(end.code, 0, end.stderr);
  };

  it('waiting for approval it shares and reads nothing; listen, sync, status and doctor say what is missing', async () => {
    const asked = new RegExp(`ctx hub client approve ${clientId}`);
    succeeded(await reader.ctx(['add', 'decision', 'Ours', ...DECISION_FIELDS, '--share']));
    assert.equal(logOf(hub).at(-1)?.origin, 'reader');
    const listener = reader.start(['connection', 'listen']);
    await listener.says(asked);
    succeeded(await reader.ctx(['add', 'decision', 'Ours too', ...DECISION_FIELDS, '--share']));
    const sync = await reader.ctx(['connection', 'sync']);
    assert.equal(sync.code, 77, sync.stderr);
    assert.match(sync.stderr, asked);
    assert.match(succeeded(await reader.ctx(['connection', 'status'])).stdout, asked);
    assert.match((await reader.ctx(['doctor'])).stdout, asked);
    assert.deepEqual(mirrored(), []);
    // Approved, the same process goes on by itself and gets what was there before.
    await grant('--types', 'decision,learning');
    await changeAccess(hub, 'approve', clientId);
    await mirrors(wanted((_project, type) => type === 'decision' || type === 'learning'));
    await ended(listener);
    const said = (await listener.finished).stderr.match(new RegExp(asked, 'g')) ?? [];
    assert.equal(said.length, 1, 'it says once that it waits');
  });

  it('a wider grant brings what was held back, a narrower one takes away; the journal has each entry once', async () => {
    const listener = reader.start(['connection', 'listen', '--journal', journal]);
    const first = wanted((_project, type) => type === 'decision' || type === 'learning');
    await until('the journal has them', () => first.every((id) => kept().includes(id)), 60_000);
    await grant('--all', '--origins', 'beta');
    await mirrors(wanted((project) => project === 'beta'));
    await grant('--all');
    await mirrors(wanted(() => true));
    await until('the journal is the log', () => kept().length >= logOf(hub).length, 60_000);
    assert.deepEqual(
      kept().sort(),
      logOf(hub)
        .map(({ id }) => id)
        .sort(),
    );
    await grant('--types', 'task');
    await mirrors(wanted((_project, type) => type === 'task'));
    await ended(listener);
    assert.match((await listener.finished).stderr, /changed by the operator; reading it anew/);
  });

  it('a change while nothing runs is noticed at the next sync, and told by status', async () => {
    await grant('--all', '--origins', 'alpha');
    for (const [project, token] of writers) {
      await publishEach(
        hub,
        token,
        ENTRY_TYPES.map((type) => shared(`${project}.${type}.2`, { type })),
      );
    }
    succeeded(await reader.ctx(['connection', 'sync']));
    assert.deepEqual(
      mirrored(),
      wanted((project) => project === 'alpha', 2),
    );
    assert.match(
      succeeded(await reader.ctx(['connection', 'status'])).stdout,
      /limited by the operator to origins: alpha/,
    );
    const status = succeeded(await reader.ctx(['connection', 'status', '--json'])).stdout;
    assert.deepEqual((JSON.parse(status) as { hub: { access: unknown } }).hub.access, { origins: ['alpha'] });
    await grant('--all');
    succeeded(await reader.ctx(['connection', 'sync']));
    assert.deepEqual(
      mirrored(),
      wanted(() => true, 2),
    );
    // The journal was not there for any of it.
    const listener = reader.start(['connection', 'listen', '--journal', journal]);
    await until('the journal is the log', () => kept().length >= logOf(hub).length, 60_000);
    await ended(listener);
    assert.equal(new Set(kept()).size, kept().length);
  });
});
