/** The hub end to end: a real process, real sockets, real files. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { openSession, type HubSession } from '../../core/node/hub-session';
import type { StoredEntry } from '../../core/entry';
import { registerClient, startHub, type HubProcess } from '../support/hub-process';
import { removeTempDirs, until } from '../support/processes';

const published = (id: string, content = `Title of ${id}`) => ({
  id,
  type: 'decision' as const,
  content,
  timestamp: '2026-01-31T09:30:00+01:00',
});

function logOf(hub: HubProcess): StoredEntry[] {
  return fs
    .readFileSync(path.join(hub.dataDir, 'entries.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as StoredEntry);
}

describe('hub: publish and listen', () => {
  let hub: HubProcess;
  let sessions: HubSession[] = [];
  const session = async (token: string): Promise<HubSession> => {
    const opened = await openSession({ address: hub.address, token });
    sessions.push(opened);
    return opened;
  };

  before(async () => {
    hub = await startHub();
  });
  afterEach(async () => {
    await Promise.all(sessions.map((each) => each.close()));
    sessions = [];
  });
  after(async () => {
    assert.equal((await hub.stop()).code, 0);
    removeTempDirs();
  });

  it('stores an entry once, stamped with origin, client, time and sequence, and streams it to a listener', async () => {
    const alpha = await registerClient(hub, 'alpha', 'ada@laptop');
    const beta = await registerClient(hub, 'beta');
    const listener = await session(beta.token);
    const got: StoredEntry[] = [];
    await listener.listen(undefined, undefined, (push) => void got.push(...push.entries));
    const publisher = await session(alpha.token);
    const [first] = await publisher.publish([published('e-1')]);
    const [again] = await publisher.publish([published('e-1')]);
    assert.deepEqual(first, { id: 'e-1', sequence: 1, duplicate: false });
    assert.deepEqual(again, { id: 'e-1', sequence: 1, duplicate: true });
    await until('the entry arrives', () => got.length > 0);
    const [entry] = logOf(hub);
    assert.deepEqual(got, [entry]);
    assert.equal(entry?.origin, 'alpha');
    assert.equal(entry.client, 'ada@laptop');
    assert.equal(entry.timestamp, '2026-01-31T09:30:00+01:00');
    assert.match(entry.received_at, /^\d{4}-.*Z$/);
  });

  it('numbers the entries of one request without a gap, and stores nothing else under an id that is taken', async () => {
    const { token } = await registerClient(hub, 'batches');
    const publisher = await session(token);
    const results = await publisher.publish(['b-1', 'b-2', 'b-3'].map((id) => published(id)));
    const before = logOf(hub);
    assert.deepEqual(
      results.map((result) => ('sequence' in result ? result.sequence : undefined)),
      before.slice(-3).map((entry) => entry.sequence),
    );
    assert.deepEqual(
      before.map((entry) => entry.sequence),
      before.map((_, index) => index + 1),
    );
    const [taken, fresh] = await publisher.publish([published('b-2', 'Something else'), published('b-4')]);
    assert.ok(taken !== undefined && 'error' in taken);
    assert.equal(taken.error.code, 'id_conflict');
    assert.deepEqual(fresh, { id: 'b-4', sequence: before.length + 1, duplicate: false });
    assert.deepEqual(logOf(hub).slice(0, -1), before);
  });

  it('sends a listener only the types it asked for, and tells it how far the log is', async () => {
    const { token } = await registerClient(hub, 'filters');
    const publisher = await session(token);
    const listener = await session(token);
    const got: StoredEntry[] = [];
    let at = 0;
    await listener.listen(undefined, ['task'], (push) => {
      got.push(...push.entries);
      at = push.cursor.sequence;
    });
    await publisher.publish([published('f-1'), { ...published('f-2'), type: 'task' }, published('f-3')]);
    const head = logOf(hub).length;
    await until('the listener knows of the last entry', () => at === head);
    assert.deepEqual(
      got.map((entry) => entry.id),
      ['f-2'],
    );
  });

  it('keeps what it acknowledged through kill -9, once', async () => {
    const { token } = await registerClient(hub, 'killed');
    const publisher = await session(token);
    const [before] = await publisher.publish([published('k-1')]);
    assert.equal((await hub.kill9()).signal, 'SIGKILL');
    hub = await startHub({ dataDir: hub.dataDir });
    assert.equal(logOf(hub).filter((entry) => entry.id === 'k-1').length, 1);
    const [after] = await (await session(token)).publish([published('k-1')]);
    assert.deepEqual(after, { ...before, duplicate: true });
  });
});
