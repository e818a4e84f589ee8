/** Scenarios of disks that are full, wiped or damaged, and of clocks that are wrong. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { openSession } from '../../core/node/hub-session';
import type { Lab, LabNode } from '../support/cluster-lab/lab';
import { MemoryDisks } from '../support/faults/memory-disks';
import { WrongClocks } from '../support/faults/wrong-clocks';
import { tempDir, until } from '../support/processes';
import type { EquippedScenario, Scenario } from './scenario';

const GO_ON = 400;
const HOUR_S = 3_600;

/** Does something to the files of a follower that stopped cleanly: it must not start on them, and is taken in anew. */
async function damaged(
  lab: Lab,
  damage: (dataDir: string) => void,
  says = /is damaged/,
  end: 'stop' | 'kill' = 'stop',
): Promise<void> {
  const victim = await lab.follower();
  await lab.writers.more(100);
  await lab[end](victim);
  damage(victim.dataDir);
  await lab.writers.more(GO_ON);
  await assert.rejects(lab.process(victim.number), says);
  await replace(lab, victim);
}

/**
 * Nothing on the disk tells any more that the end of its log is missing: the lines that were applied from it are gone too. The leader
 * knows better, and the node ends before it votes on what it has.
 */
async function shortened(lab: Lab): Promise<void> {
  const victim = await lab.follower();
  await lab.writers.more(GO_ON);
  await lab.kill(victim);
  halve(victim.dataDir);
  cutToWatermark(victim.dataDir);
  await lab.writers.more(100);
  const { process } = await lab.process(victim.number);
  const { code, stderr } = await process.finished;
  assert.equal(code, 65, stderr);
  assert.match(stderr, /the leader has this node's word for \d+: this node lost what it promised.*ctx hub peer remove/);
  assert.doesNotMatch(stderr, /^\s+at /m);
  await replace(lab, victim);
}

function cutToWatermark(dataDir: string): void {
  const meta = JSON.parse(fs.readFileSync(path.join(dataDir, 'meta.json'), 'utf8')) as {
    watermark: { length: number };
    raft: { index: number };
  };
  const log = path.join(dataDir, 'entries.jsonl');
  assert.ok(fs.statSync(log).size > meta.watermark.length, 'there are lines behind the watermark');
  fs.truncateSync(log, meta.watermark.length);
}

function halve(dataDir: string): void {
  const file = lastSegment(dataDir);
  fs.truncateSync(file, Math.floor(fs.statSync(file).size / 2));
}

async function replace(lab: Lab, victim: LabNode): Promise<void> {
  await lab.remove(victim);
  fs.rmSync(victim.dataDir, { recursive: true });
  await lab.join(victim.number);
  await lab.writers.more(GO_ON);
}

async function wiped(lab: Lab): Promise<void> {
  const victim = await lab.follower();
  await lab.kill(victim);
  fs.rmSync(victim.dataDir, { recursive: true });
  assert.ok(!fs.existsSync(victim.dataDir));
  await lab.writers.more(GO_ON);
  await lab.remove(victim);
  await lab.join(victim.number);
  await lab.writers.more(GO_ON);
}

function flip(file: string, at: (size: number) => number): void {
  const bytes = fs.readFileSync(file);
  const place = at(bytes.length);
  bytes.writeUInt8(bytes.readUInt8(place) ^ 0x20, place);
  fs.writeFileSync(file, bytes);
}

function lastSegment(dataDir: string): string {
  const folder = path.join(dataDir, 'raft', 'log');
  const name = fs
    .readdirSync(folder)
    .filter((each) => each.endsWith('.log'))
    .toSorted()
    .at(-1);
  assert.ok(name !== undefined);
  return path.join(folder, name);
}

function fullLeader(): ReturnType<EquippedScenario['equip']> {
  const disks = new MemoryDisks(160);
  return {
    options: { folderOf: (node) => disks.folder(`node-${node}`) },
    run: async (lab) => {
      const leader = await lab.leader();
      const name = `node-${leader.number}`;
      disks.fill(name);
      await until(
        'the leader says that its disk is full',
        async () => (await lab.status(leader)).problems.some((problem) => /full|No space|space/i.test(problem)),
        60_000,
      );
      const next = await lab.leader(lab.others(leader));
      assert.notEqual(next, leader);
      await lab.writers.more(GO_ON);
      disks.free(name);
      await until('it has room again', async () => (await lab.status(leader)).problems.length === 0, 60_000);
      await lab.writers.more(GO_ON);
    },
    remove: () => disks.remove(),
  };
}

function wrongClocks(): ReturnType<EquippedScenario['equip']> {
  const clocks = new WrongClocks(tempDir('ctx-clocks'));
  const name = (node: number): string => `node-${node}`;
  const isWrong = async (node: LabNode, seconds: number): Promise<void> => {
    clocks.set(name(node.number), seconds);
    const session = await openSession({ address: node.address, token: node.hub.adminToken });
    session.terminate();
    const aside = session.clockOffsetMs / 1000 - seconds;
    assert.ok(Math.abs(aside) < 600, `the clock of node ${node.number} is ${session.clockOffsetMs} ms aside`);
  };
  return {
    options: { env: (node) => clocks.env(name(node)) },
    run: async (lab) => {
      const leader = await lab.leader();
      const [first, second] = lab.others(leader);
      assert.ok(first !== undefined && second !== undefined);
      for (const [ahead, behind] of [
        [leader, first],
        [second, leader],
      ] as const) {
        await isWrong(ahead, HOUR_S);
        await isWrong(behind, -HOUR_S);
        await lab.writers.more(GO_ON);
      }
      // Also the one that leads next.
      await lab.kill(leader);
      await lab.writers.more(GO_ON);
      await lab.restart(leader);
      for (const node of lab.nodes) await isWrong(node, 0);
    },
    remove: () => undefined,
  };
}

export const disks: readonly (Scenario | EquippedScenario)[] = [
  { title: '3 nodes: the disk of the leader is full', nodes: 3, equip: fullLeader },
  { title: '3 nodes: wall clocks jump by an hour, ahead and back', nodes: 3, equip: wrongClocks },
  { title: '3 nodes: a follower lost its disk', nodes: 3, run: wiped },
  {
    title: '3 nodes: a flipped bit in the Raft log of a stopped node',
    nodes: 3,
    run: (lab) => damaged(lab, (dataDir) => flip(lastSegment(dataDir), (size) => Math.floor(size / 2))),
  },
  {
    title: '3 nodes: a flipped bit in entries.jsonl of a stopped node',
    nodes: 3,
    run: (lab) => damaged(lab, (dataDir) => flip(path.join(dataDir, 'entries.jsonl'), () => 40)),
  },
  {
    title: '5 nodes: half of the Raft log of a stopped node is missing',
    nodes: 5,
    run: (lab) => damaged(lab, halve, /lost/),
  },
  {
    title: '3 nodes: half of the Raft log of a killed node is missing',
    nodes: 3,
    run: (lab) => damaged(lab, halve, /lost what it promised/, 'kill'),
  },
  { title: '3 nodes: half of the Raft log of a killed node is missing, and nothing tells', nodes: 3, run: shortened },
];
