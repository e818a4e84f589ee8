/** FM-18: what waits is sent by `publish`, and by `listen` on its own; sharing again is safe; other content under a known id is refused. */
import assert from 'node:assert/strict';
import { startHub, type HubProcess } from '../support/hub-process';
import { removeTempDirs, until } from '../support/processes';
import { connect, DECISION_FIELDS, logOf, newProject, succeeded, type CliProject } from '../support/projects';
import { scaled } from '../support/scale';

describe('FM-18 back-fill', function () {
  this.timeout(scaled(120_000, 1_200_000));
  let hub: HubProcess;
  let project: CliProject;

  beforeEach(async () => {
    hub = await startHub();
    project = await newProject('alpha');
    await connect(project, hub);
  });
  afterEach(async () => {
    await hub.kill9();
  });
  after(removeTempDirs);

  const again = async (): Promise<void> => {
    hub = await startHub({ dataDir: hub.dataDir, args: ['--port', String(hub.port)] });
  };
  const titles = (): string[] => logOf(hub).map(({ content }) => content.split('\n')[0] ?? '');
  const share = (title: string, ...more: string[]): ReturnType<CliProject['ctx']> =>
    project.ctx(['add', 'decision', title, ...DECISION_FIELDS, '--share', ...more]);

  it('a listener sends the outbox by itself: at reconnect, and what is added while it runs', async () => {
    await hub.kill9();
    assert.equal((await share('First')).code, 75);
    assert.equal((await share('Second')).code, 75);
    const listener = project.start(['connection', 'listen']);
    await listener.says(/Next attempt/);
    await again();
    await until('both are shared', () => titles().join() === 'First,Second', 40_000);
    await until('the outbox is empty', () => project.read('hub/outbox.jsonl') === '');
    listener.process.kill('SIGTERM');
    assert.equal((await listener.finished).code, 0);
    assert.match(succeeded(await project.ctx(['connection', 'publish'])).stdout, /Nothing is waiting/);
  });

  it('the same entry again, by --id and by publish --id, is one entry with one sequence', async () => {
    const id = 'chosen-by-me';
    succeeded(await share('Again', '--id', id));
    assert.match(succeeded(await share('Again', '--id', id)).stdout, /#1/);
    assert.match(succeeded(await project.ctx(['connection', 'publish', '--id', id])).stdout, /#1/);
    assert.deepEqual(titles(), ['Again']);
  });

  it('other content under a known id is refused with id_conflict, kept in the rejected list, never merged', async () => {
    const id = 'taken';
    succeeded(await share('Mine', '--id', id));
    const other = await newProject('beta');
    await connect(other, hub);
    const refused = await other.ctx(['add', 'decision', 'Theirs', ...DECISION_FIELDS, '--share', '--id', id]);
    assert.equal(refused.code, 65, refused.stderr);
    assert.match(refused.stderr, /id_conflict/);
    assert.ok(!refused.stderr.includes('Mine'), 'nothing of the stored one is told');
    assert.deepEqual(titles(), ['Mine']);
    const status = succeeded(await other.ctx(['connection', 'status', '--json'])).stdout;
    const { outbox, rejected } = JSON.parse(status) as { outbox: number; rejected: { id: string; code: string }[] };
    assert.deepEqual([outbox, rejected.map((each) => [each.id, each.code])], [0, [[id, 'id_conflict']]]);
    assert.match(other.read('DECISIONS.md'), /Theirs/, 'the local entry stays');
  });

  it('two processes that send the same outbox at once share each entry once, and both succeed', async () => {
    await hub.kill9();
    for (let i = 0; i < 6; i++) assert.equal((await share(`Waiting ${i}`)).code, 75);
    await again();
    const both = await Promise.all([project.ctx(['connection', 'publish']), project.ctx(['connection', 'publish'])]);
    for (const each of both) succeeded(each);
    assert.deepEqual(
      titles(),
      Array.from({ length: 6 }, (_, i) => `Waiting ${i}`),
    );
    const counts = both.map(({ stdout }) => Number(/Shared (\d+)/.exec(stdout)?.[1] ?? 0));
    assert.equal((counts[0] ?? 0) + (counts[1] ?? 0), 6, 'each was sent by one of them');
  });

  it('killed with -9 anywhere in a share: what the outbox confirmed arrives, once', async () => {
    const rounds = scaled(12, 200);
    const titleOf = (round: number): string => `Killed in round ${round}.`;
    const publish = ['connection', 'publish', 'learning'];
    const began = performance.now();
    succeeded(await project.ctx([...publish, titleOf(0)]));
    const wholeMs = performance.now() - began;
    let killed = 0;
    for (let round = 1; round < rounds; round++) {
      const running = project.start([...publish, titleOf(round)]);
      // Spread over the second half of a run: before that, Node is starting.
      const timer = setTimeout(() => running.process.kill('SIGKILL'), wholeMs * (0.4 + (0.7 * round) / rounds));
      if ((await running.finished).signal === 'SIGKILL') killed++;
      clearTimeout(timer);
    }
    assert.ok(killed >= rounds / 4, `only ${killed} were killed in time`);
    const confirmed = ['hub/outbox.jsonl', 'hub/shared.jsonl'].map((name) => project.read(name)).join('');
    succeeded(await project.ctx(['connection', 'publish']));
    const stored = titles();
    assert.equal(new Set(stored).size, stored.length, 'none twice');
    for (let round = 0; round < rounds; round++) {
      if (confirmed.includes(titleOf(round))) assert.ok(stored.includes(titleOf(round)), `${titleOf(round)} got lost`);
    }
    assert.ok(stored.length <= rounds);
  });
});
