/** A hub that asks to slow down is obeyed and loses nothing; what it refuses for good leaves the outbox with a reason, and is not sent again. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { startHub, type HubProcess } from '../support/hub-process';
import { removeTempDirs, until } from '../support/processes';
import { connect, logOf, newProject, succeeded, type CliProject } from '../support/projects';

describe('a hub that asks to slow down, or refuses', function () {
  this.timeout(180_000);
  let hub: HubProcess;
  let project: CliProject;

  async function begin(...limits: string[]): Promise<void> {
    hub = await startHub({ args: limits });
    project = await newProject('alpha');
    await connect(project, hub);
  }
  afterEach(() => hub.kill9());
  after(removeTempDirs);

  const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => `e-${i}`);
  const linesOf = (all: readonly string[]): string =>
    all
      .map((id) => ({ id, type: 'learning', content: `Title of ${id}`, timestamp: '2026-01-31T09:30:00Z' }))
      .map((entry) => `${JSON.stringify(entry)}\n`)
      .join('');
  /** Into the outbox, without a hub. */
  async function wait(waiting: readonly string[]): Promise<void> {
    const file = path.join(project.dir, 'lines.jsonl');
    fs.writeFileSync(file, linesOf(waiting));
    await hub.kill9();
    assert.equal((await project.ctx(['connection', 'publish', '--from', file])).code, 69);
  }
  const again = async (...limits: string[]): Promise<void> => {
    hub = await startHub({ dataDir: hub.dataDir, args: ['--port', String(hub.port), ...limits] });
  };
  const shared = (): string[] => logOf(hub).map(({ id }) => id);
  async function counted(metric: string): Promise<number> {
    const url = `${hub.address.replace('ws', 'http')}/metrics`;
    const answer = await fetch(url, { headers: { authorization: `Bearer ${hub.adminToken}` } });
    const line = (await answer.text()).split('\n').find((each) => each.startsWith(`ctx_hub_${metric} `));
    return Number(line?.split(' ')[1] ?? 0);
  }
  const refusedAsTooFast = (): Promise<number> => counted('errors_total{code="rate_limited"}');

  it('a listener waits as long as it is told, says so once, and everything arrives once, in order', async () => {
    await begin();
    const waiting = ids(250);
    await wait(waiting);
    await again('--publish-burst', '5', '--publish-rate', '100');
    const listener = project.start(['connection', 'listen']);
    await until('everything is shared', () => shared().length === waiting.length, 90_000);
    await until('the outbox is empty', () => project.read('hub/outbox.jsonl') === '', 30_000);
    assert.deepEqual(shared(), waiting);
    const pauses = await refusedAsTooFast();
    // Four batches: three pauses, each asked into once. A batch more than that would be one that did not wait.
    assert.ok(pauses >= 3 && pauses <= 4, `${pauses} requests were too fast`);
    listener.process.kill('SIGTERM');
    assert.equal((await listener.finished).code, 0);
    assert.equal([...listener.stderr().matchAll(/to be shared \(rate_limited\)/g)].length, 1, listener.stderr());
  });

  it('publish waits a little as it is told, and comes back with the reason when it would be long', async () => {
    await begin();
    await wait(ids(150));
    await again('--publish-burst', '5', '--publish-rate', '100');
    const patient = succeeded(await project.ctx(['connection', 'publish']));
    assert.match(patient.stderr, /asks to slow down; 64 shared so far/);
    assert.match(patient.stdout, /Shared 150 entries/);
    assert.deepEqual(shared(), ids(150));

    const more = Array.from({ length: 70 }, (_, i) => `more-${i}`);
    await wait(more);
    await again('--publish-burst', '1', '--publish-rate', '1');
    const publishing = project.start(['connection', 'publish']);
    await publishing.says(/6 entries wait/, 30_000);
    const impatient = await publishing.finished;
    assert.equal(impatient.code, 69, impatient.stderr);
    assert.match(impatient.stderr, /6 entries wait in the outbox \(rate_limited\): .*Try again in 6\d{4} ms/);
    assert.equal(shared().length, 214);
  });

  it('a share that comes too soon is saved here and says why; a listener sends it when it may', async () => {
    await begin('--publish-burst', '1', '--publish-rate', '1');
    // One batch may be more than the rate allows; then it takes as many seconds until the next entry.
    const seconds = 12;
    const file = path.join(project.dir, 'lines.jsonl');
    fs.writeFileSync(file, linesOf(ids(seconds)));
    succeeded(await project.ctx(['connection', 'publish', '--from', file]));
    const late = await project.ctx(['add', 'convention', 'Come too soon', '--share']);
    assert.equal(late.code, 75, late.stderr);
    assert.match(late.stderr, /saved locally, not shared \(rate_limited\)/);
    assert.equal(shared().length, seconds);
    const listener = project.start(['connection', 'listen']);
    await listener.says(/up to date/, 30_000);
    await until('all are shared', () => shared().length === seconds + 1, 60_000);
    listener.process.kill('SIGTERM');
    assert.equal((await listener.finished).code, 0);
  });

  it('what a hub refuses leaves the outbox with the reason, stands in status, and is not sent again', async () => {
    await begin();
    const other = await newProject('other');
    await connect(other, hub);
    succeeded(await other.ctx(['add', 'convention', 'Theirs', '--id', 'taken', '--share']));
    await wait(['good-1', 'taken', 'good-2']);
    await again();
    const listener = project.start(['connection', 'listen']);
    await listener.says(/Entry taken was refused and will not be sent again: /, 40_000);
    await until('the others are shared', () => shared().includes('good-2'), 30_000);
    const { stdout } = succeeded(await project.ctx(['connection', 'status', '--json']));
    const { outbox, rejected } = JSON.parse(stdout) as { outbox: number; rejected: { id: string; code: string }[] };
    assert.deepEqual([outbox, rejected.map(({ id, code }) => [id, code])], [0, [['taken', 'id_conflict']]]);
    assert.match(succeeded(await project.ctx(['connection', 'status'])).stdout, /Refused: *taken \(id_conflict\)/);
    // What comes later does not take it along.
    const before = listener.stderr().length;
    succeeded(await project.ctx(['add', 'convention', 'Comes afterwards', '--share']));
    assert.match(succeeded(await project.ctx(['connection', 'publish'])).stdout, /Nothing is waiting/);
    assert.ok(!listener.stderr().slice(before).includes('taken'));
    listener.process.kill('SIGTERM');
    assert.equal((await listener.finished).code, 0);
  });
});
