/**
 * How long a cluster of three real nodes cannot write: after kill -9 of the leader, its silent loss and its clean stop; and how long a
 * node that was cut off needs to be in sync again (P9, P10). Measured, printed and written to the figures, never asserted by time;
 * `.ci/run` runs this, as root.
 */
import assert from 'node:assert/strict';
import { Lab, type LabNode } from '../support/cluster-lab/lab';
import { namespaceNetwork, namespacesImpossible } from '../support/cluster-lab/namespaces';
import { logOf } from '../support/cluster-processes';
import { removeTempDirs, until } from '../support/processes';
import { noteFigures, percentile, type Figures } from '../support/reliability';
import { scaled } from '../support/scale';

const MAX_MS = 600_000;
const KILLS = scaled(3, 30);
const LOSSES = scaled(2, 10);
const STOPS = scaled(2, 10);
const HEALS = scaled(2, 8);
const DEADLINE_MS = 60_000;
/** Light load: what is measured is the cluster, not the queue for the processor. */
const LOAD = { writers: 4, pauseMs: 10 };

describe('how long a cluster of three cannot write', function () {
  this.timeout(MAX_MS);
  let why: string | undefined;
  const figures: Record<string, number> = {};

  before(async () => {
    why = await namespacesImpossible();
    if (why !== undefined) console.log(`      NOT RUN: ${why}`);
  });
  after(() => {
    if (why === undefined) noteFigures('failover', figures);
    removeTempDirs();
  });

  function note(what: string, goal: string, times: readonly number[]): void {
    const measured: Figures = {
      count: times.length,
      median_ms: Math.round(percentile(times, 50)),
      p99_ms: Math.round(percentile(times, 99)),
    };
    for (const [name, value] of Object.entries(measured))
      figures[`${what} ${name}`.replaceAll(' ', '_')] = Number(value);
    console.log(
      `      ${what}: median ${measured['median_ms']} ms, p99 ${measured['p99_ms']} ms of ${times.length} (goal: ${goal})`,
    );
  }

  /** In a cluster under light load; the history is checked at the end. */
  async function measured(run: (lab: Lab) => Promise<void>): Promise<void> {
    const lab = await Lab.open({ nodes: 3, network: namespaceNetwork, ...LOAD });
    try {
      await run(lab);
      await lab.conclude();
    } finally {
      await lab.close();
    }
  }

  /** From `since` until the first entry that was sent later is acknowledged. */
  async function nextWrite(lab: Lab, since: number): Promise<number> {
    return (await until('a write is acknowledged', () => lab.writers.firstAfter(since), DEADLINE_MS)) - since;
  }

  async function allAtWork(lab: Lab): Promise<LabNode> {
    await until(
      'all nodes are in contact',
      async () =>
        (await Promise.all(lab.nodes.map((node) => lab.status(node)))).every(({ problems }) => problems.length === 0),
      DEADLINE_MS,
    );
    await lab.writers.more(60);
    return lab.leader();
  }

  it(`${KILLS} times kill -9 of the leader (root)`, async function () {
    if (why !== undefined) this.skip();
    await measured(async (lab) => {
      const times: number[] = [];
      for (let kill = 0; kill < KILLS; kill++) {
        const leader = await allAtWork(lab);
        const since = performance.now();
        await lab.kill(leader);
        times.push(await nextWrite(lab, since));
        await lab.restart(leader);
      }
      note('kill -9 to next write', 'median 600 ms, p99 2 s', times);
    });
  });

  it(`${LOSSES} times the leader is cut off without a word (root)`, async function () {
    if (why !== undefined) this.skip();
    await measured(async (lab) => {
      const times: number[] = [];
      for (let loss = 0; loss < LOSSES; loss++) {
        const leader = await allAtWork(lab);
        const others = lab.others(leader);
        await lab.part([leader], others);
        const since = performance.now();
        times.push(await nextWrite(lab, since));
        const [first] = others;
        assert.ok(first !== undefined);
        await lab.faultSeen(leader, first);
        await lab.heal();
      }
      note('silent loss to next write', 'p99 3 s', times);
    });
  });

  it(`${STOPS} times a clean stop of the leader: no publish at another node fails (root)`, async function () {
    if (why !== undefined) this.skip();
    await measured(async (lab) => {
      const pauses: number[] = [];
      for (let stop = 0; stop < STOPS; stop++) {
        const leader = await allAtWork(lab);
        const since = performance.now();
        await lab.stop(leader);
        await lab.writers.more(60);
        const during = lab.writers.operations.filter(({ completed = 0 }) => completed > since);
        assert.deepEqual(
          during.filter(({ node, told }) => node !== leader.address && told.kind !== 'ok'),
          [],
        );
        pauses.push(
          longestPause(
            since,
            during.flatMap(({ completed, told }) => (told.kind === 'ok' ? (completed ?? []) : [])),
          ),
        );
        await lab.restart(leader);
      }
      note('longest pause at a clean stop', '500 ms', pauses);
    });
  });

  it(`${HEALS} times a follower is cut off and comes back (root)`, async function () {
    if (why !== undefined) this.skip();
    await measured(async (lab) => {
      const times: number[] = [];
      for (let heal = 0; heal < HEALS; heal++) {
        const leader = await allAtWork(lab);
        const [cutOff, other] = lab.others(leader);
        assert.ok(cutOff !== undefined && other !== undefined);
        await lab.part([cutOff], [leader, other]);
        await lab.faultSeen(leader, cutOff);
        await lab.writers.more(300);
        await lab.writers.stop();
        const whole = logOf(leader);
        assert.ok(logOf(cutOff).length < whole.length, 'it was cut off');
        const since = performance.now();
        await lab.heal();
        await until('it is in sync', () => logOf(cutOff).length >= whole.length, DEADLINE_MS);
        times.push(performance.now() - since);
        lab.writers.start();
      }
      note('heal to in sync', '5 s', times);
    });
  });
});

function longestPause(since: number, acknowledged: readonly number[]): number {
  const times = [since, ...acknowledged.toSorted((a, b) => a - b)];
  return Math.max(...times.slice(1).map((time, at) => time - (times[at] ?? time)));
}
