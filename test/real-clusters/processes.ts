/** Scenarios of processes that are killed, frozen, stopped and replaced by another build. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import type { Lab, LabNode } from '../support/cluster-lab/lab';
import { tempDir, until } from '../support/processes';
import { scaled } from '../support/scale';
import { nothingAcknowledged, type Scenario } from './scenario';

const GO_ON = scaled(80, 500);

async function killed(lab: Lab, count: number, withLeader: boolean): Promise<void> {
  const leader = await lab.leader();
  const others = lab.others(leader);
  const victims = withLeader ? [leader, ...others.slice(0, count - 1)] : others.slice(0, count);
  await lab.kill(...victims);
  const rest = lab.others(...victims);
  const next = await lab.leader(rest);
  assert.equal(next === leader, !withLeader);
  await lab.writers.more(GO_ON);
  await Promise.all(victims.map((node) => lab.restart(node)));
}

async function frozen(lab: Lab, count: number, withLeader: boolean): Promise<void> {
  const leader = await lab.leader();
  const others = lab.others(leader);
  const victims = withLeader ? [leader, ...others.slice(0, count - 1)] : others.slice(0, count);
  await lab.freeze(...victims);
  await lab.leader(lab.others(...victims));
  await lab.writers.more(GO_ON);
  await lab.thaw(...victims);
}

/** Every leader in turn, each while its followers are busy. */
async function killedAgainAndAgain(lab: Lab, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const leader = await lab.leader();
    await lab.kill(leader);
    await lab.writers.more(60);
    await lab.restart(leader);
    await lab.writers.more(60);
  }
}

async function allAtOnce(lab: Lab): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await lab.kill(...lab.nodes);
    await Promise.all(lab.nodes.map((node) => lab.restart(node)));
    await lab.writers.more(200);
  }
}

/** Nothing is acknowledged until enough of them are back. */
async function majorityKilled(lab: Lab): Promise<void> {
  const victims = lab.nodes.slice(0, Math.floor(lab.nodes.length / 2) + 1);
  await lab.kill(...victims);
  await nothingAcknowledged(lab);
  await Promise.all(victims.map((node) => lab.restart(node)));
  await lab.writers.more(GO_ON);
}

async function rolling(lab: Lab, each: (node: LabNode) => Promise<void>): Promise<void> {
  for (const node of lab.nodes) {
    await lab.stop(node);
    await each(node);
    await until('it is in contact', async () => (await lab.status(node)).problems.length === 0, 60_000);
    await lab.writers.more(120);
  }
}

const NEXT = '99.0.0-next';

/** The same source under another version. */
function nextBuild(): string {
  const folder = path.join(tempDir('ctx-next'), 'dist');
  const define = JSON.stringify({ CTX_VERSION: JSON.stringify(NEXT) });
  const code = `import { bundleProducts } from './esbuild.mjs'; await bundleProducts(${JSON.stringify(folder)}, [], ${define});`;
  execFileSync(process.execPath, ['--input-type=module', '--eval', code], { stdio: ['ignore', 'ignore', 'inherit'] });
  return path.join(folder, 'ctx.js');
}

async function upgraded(lab: Lab): Promise<void> {
  const program = nextBuild();
  const versions = async (): Promise<readonly string[]> =>
    (await Promise.all(lab.nodes.map((node) => lab.status(node)))).map(({ version }) => version);
  const seen = new Set<string>();
  await rolling(lab, async (node) => {
    await lab.restart(node, program);
    seen.add((await versions()).toSorted().join());
  });
  assert.equal(seen.size, lab.nodes.length, [...seen].join(' | '));
  assert.deepEqual(
    await versions(),
    lab.nodes.map(() => NEXT),
  );
}

export const processes: readonly Scenario[] = [
  { title: '3 nodes: kill -9 of the leader', nodes: 3, run: (lab) => killed(lab, 1, true) },
  { title: '3 nodes: kill -9 of a follower', nodes: 3, run: (lab) => killed(lab, 1, false) },
  { title: '3 nodes: SIGSTOP of the leader', nodes: 3, run: (lab) => frozen(lab, 1, true) },
  { title: '3 nodes: SIGSTOP of a follower', nodes: 3, run: (lab) => frozen(lab, 1, false) },
  { title: '3 nodes: kill -9 of 6 leaders, one after the other', nodes: 3, run: (lab) => killedAgainAndAgain(lab, 6) },
  { title: '3 nodes: kill -9 of all at once, 3 times', nodes: 3, run: allAtOnce },
  {
    title: '3 nodes: each is stopped and started, one after the other',
    nodes: 3,
    run: (lab) => rolling(lab, (node) => lab.restart(node)),
  },
  { title: '3 nodes: each gets another build, one after the other', nodes: 3, run: upgraded },
  { title: '5 nodes: kill -9 of the leader and a follower', nodes: 5, run: (lab) => killed(lab, 2, true) },
  { title: '5 nodes: SIGSTOP of the leader and a follower', nodes: 5, run: (lab) => frozen(lab, 2, true) },
  {
    title: '5 nodes: each is stopped and started, one after the other',
    nodes: 5,
    run: (lab) => rolling(lab, (node) => lab.restart(node)),
  },
  { title: '7 nodes: kill -9 of the leader and two followers', nodes: 7, run: (lab) => killed(lab, 3, true) },
  { title: '7 nodes: kill -9 of four', nodes: 7, run: majorityKilled },
];
