/** Many entries at once, far behind, or stopped: nothing is lost or doubled, and neither side holds in memory what it has to pass on. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { openSession } from '../../core/node/hub-session';
import { fillLog } from '../support/fill-log';
import { registerClient, startHub, type HubProcess } from '../support/hub-process';
import { bytesMoved, peakMib } from '../support/process-figures';
import { removeTempDirs, start, until, type Running } from '../support/processes';
import { connect, mirroredIds, newProject, type CliProject } from '../support/projects';
import { noteFigures } from '../support/reliability';
import { fullScale, scaled } from '../support/scale';

const KIB = 1024;
const DEADLINE_MS = scaled(120_000, 1_200_000);

describe('a flood of entries', function () {
  this.timeout(2 * DEADLINE_MS);
  let hub: HubProcess;
  let project: CliProject;
  const figures = { entries: 0, listeners: 0 };
  after(() => noteFigures('floods', figures));

  beforeEach(async () => {
    hub = await startHub({ args: ['--no-rate-limit'] });
    project = await newProject('reader');
    await connect(project, hub);
  });
  afterEach(async () => {
    await hub.kill9();
    removeTempDirs();
  });

  const content = (number: number, bytes: number): string => `Title of ${number}\n\n${'x'.repeat(bytes)}`;
  const entryOf = (number: number, bytes: number) =>
    ({
      id: `e-${number}`,
      type: 'learning',
      content: content(number, bytes),
      timestamp: '2026-01-31T09:30:00Z',
    }) as const;

  /** Up to entry `last`, while no hub runs. */
  async function fill(first: number, last: number, bytes: number): Promise<void> {
    await hub.stop();
    await fillLog(hub.dataDir, first, last, (number) => ({
      ...entryOf(number, bytes),
      origin: 'flood',
      client: 'f@f',
    }));
    const args = ['--port', String(hub.port), '--no-rate-limit'];
    hub = await startHub({ dataDir: hub.dataDir, args, deadlineMs: DEADLINE_MS });
  }

  /** A listener that ends, rather than holds in memory what it has not written yet. */
  const listen = (): Running =>
    start(['connection', 'listen'], {
      cwd: project.dir,
      env: { ...project.env, NODE_OPTIONS: '--max-old-space-size=64' },
    });

  function mirroredTo(): number {
    const file = project.file('hub/.sync-state.json');
    if (!fs.existsSync(file)) return 0;
    return (JSON.parse(fs.readFileSync(file, 'utf8')) as { cursor: { sequence: number } | null }).cursor?.sequence ?? 0;
  }

  const arrived = (listener: Running, last: number): Promise<unknown> =>
    until(
      `all ${last} have arrived`,
      () => {
        const { exitCode, signalCode } = listener.process;
        assert.deepEqual([exitCode, signalCode], [null, null], `the listener ended: ${listener.stderr()}`);
        return mirroredTo() === last;
      },
      DEADLINE_MS,
    );

  async function end(listener: Running): Promise<void> {
    listener.process.kill('SIGTERM');
    assert.equal((await listener.finished).code, 0, listener.stderr());
  }

  /** Told once each and in order; in the mirror or its archive once each and in order. */
  function assertEachOnce(listener: Running, first: number, last: number): void {
    let told = first - 1;
    for (const [, sequence] of listener.stdout().matchAll(/^#(\d+) /gm)) {
      assert.equal(Number(sequence), ++told);
    }
    assert.equal(told, last);
    const archived = fs.readdirSync(project.file('hub/archive')).sort();
    let kept = 0;
    for (const file of [...archived.map((name) => `hub/archive/${name}`), 'hub/learnings.md']) {
      for (const id of mirroredIds(project, file)) assert.equal(id, `e-${++kept}`);
    }
    assert.equal(kept, last);
    figures.entries += last - first + 1;
    figures.listeners++;
  }

  function assertPeak(what: string, running: Running, mostMib: number): void {
    const peak = peakMib(running.process.pid);
    if (peak === undefined) return;
    console.log(`      ${what}: at most ${peak.toFixed(0)} MiB resident`);
    assert.ok(peak < mostMib, `${what} had ${peak.toFixed(0)} MiB resident`);
  }

  it('a new listener gets everything there is', async () => {
    const count = scaled(5_000, 100_000);
    await fill(1, count, 4 * KIB);
    const listener = listen();
    await arrived(listener, count);
    assertPeak('client', listener, 300);
    assertPeak('hub', hub.process, 250);
    await end(listener);
    assertEachOnce(listener, 1, count);
  });

  it('a listener that is far behind catches up, and an entry costs as much at the end as at the beginning', async () => {
    const count = scaled(12_000, 1_000_000);
    /** @returns bytes that an entry cost the listener */
    const catchUp = async (first: number, last: number): Promise<number | undefined> => {
      await fill(first, last, 100);
      const listener = listen();
      await arrived(listener, last);
      const bytes = bytesMoved(listener.process.pid);
      assertPeak('client', listener, 300);
      assertPeak('hub', hub.process, 250);
      await end(listener);
      assertEachOnce(listener, first, last);
      return bytes === undefined ? undefined : bytes / (last - first + 1);
    };
    const early = await catchUp(1, count);
    const late = await catchUp(count + 1, 1.5 * count);
    if (early === undefined || late === undefined) return;
    console.log(`      bytes per entry: ${early.toFixed(0)}, later ${late.toFixed(0)}`);
    assert.ok(late < 1.5 * early, `${early} bytes an entry became ${late}`);
  });

  it('a listener that is stopped loses nothing and costs the hub no memory', async () => {
    const before = 2_000;
    const count = 16_000;
    const bytes = 8 * KIB;
    await fill(1, before, bytes);
    const listener = listen();
    await arrived(listener, before);
    const { token } = await registerClient(hub, 'flood');
    const { adminToken } = hub;
    const gauge = async (name: string): Promise<number> => {
      const url = `${hub.address.replace('ws', 'http')}/metrics`;
      const answer = await fetch(url, { headers: { authorization: `Bearer ${adminToken}` } });
      return Number(new RegExp(`^ctx_hub_${name} (\\d+)$`, 'm').exec(await answer.text())?.[1]);
    };
    assert.equal(await gauge('listeners'), 1);

    listener.process.kill('SIGSTOP');
    const stoppedAt = performance.now();
    try {
      const session = await openSession({ address: hub.address, token, timeoutMs: 60_000 });
      let next = before + 1;
      const lane = async (): Promise<void> => {
        while (next <= count) {
          const batch = Array.from({ length: 50 }, () => entryOf(next++, bytes));
          await session.publish(batch);
        }
      };
      await Promise.all([lane(), lane(), lane()]);
      await session.close();
      await until('the hub is held up by it, or has given it up', async () => {
        return (await gauge('lagging_listeners')) === 1 || (await gauge('listeners')) === 0;
      });
      if (fullScale) {
        await until('the hub has given it up', async () => (await gauge('listeners')) === 0, 120_000);
        await until('a minute has gone by', () => performance.now() - stoppedAt > 60_000, 120_000);
      }
      assert.ok(mirroredTo() < count, 'it was stopped');
      assertPeak('hub', hub.process, 250);
    } finally {
      listener.process.kill('SIGCONT');
    }
    await arrived(listener, count);
    assertPeak('client', listener, 300);
    await end(listener);
    assertEachOnce(listener, 1, count);
  });
});
