/** Scenarios of networks that part, lose and delay. */
import assert from 'node:assert/strict';
import type { Lab, LabNode } from '../support/cluster-lab/lab';
import { CUT, FREE } from '../support/cluster-lab/network';
import { scaled } from '../support/scale';
import { nothingAcknowledged, type Scenario } from './scenario';

const GO_ON = scaled(80, 600);
/** What is lost comes again after a wait that doubles each time. */
const LOSSY = scaled(40, 100);

/** The leader and as many others on one side, the rest on the other. */
async function sides(lab: Lab, withLeader: number): Promise<{ leader: LabNode; here: LabNode[]; there: LabNode[] }> {
  const leader = await lab.leader();
  const others = lab.others(leader);
  return { leader, here: [leader, ...others.slice(0, withLeader - 1)], there: others.slice(withLeader - 1) };
}

async function halves(lab: Lab, withLeader: number): Promise<void> {
  const { leader, here, there } = await sides(lab, withLeader);
  await lab.part(here, there);
  const [first] = there;
  assert.ok(first !== undefined);
  await lab.faultSeen(leader, first);
  const majority = here.length > there.length ? here : there;
  const next = await lab.leader(majority);
  await lab.writers.more(GO_ON);
  if (majority === there) assert.notEqual(next, leader);
}

/** One node reaches both sides, which do not reach each other. */
async function bridge(lab: Lab): Promise<void> {
  const leader = await lab.leader();
  const [middle, a, b, c] = lab.others(leader);
  assert.ok(middle !== undefined && a !== undefined && b !== undefined && c !== undefined);
  await lab.part([leader, a], [b, c]);
  await lab.faultSeen(leader, b);
  await lab.writers.more(GO_ON);
  await lab.heal();
  // Then the leader itself is the one that only the middle reaches.
  const now = await lab.leader();
  const rest = lab.others(now, middle);
  if (now !== middle) {
    await lab.part([now], rest);
    const [one] = rest;
    assert.ok(one !== undefined);
    await lab.faultSeen(now, one);
  }
  await lab.writers.more(GO_ON);
}

async function oneWay(lab: Lab, direction: 'from the leader' | 'to the leader'): Promise<void> {
  const leader = await lab.leader();
  const others = lab.others(leader);
  for (const other of others) {
    if (direction === 'from the leader') await lab.link(leader, other, CUT);
    else await lab.link(other, leader, CUT);
  }
  const [first] = others;
  assert.ok(first !== undefined);
  await (direction === 'from the leader' ? lab.faultSeen(leader, first) : lab.faultSeen(first, leader));
  await lab.leader(others);
  await lab.writers.more(GO_ON);
}

async function loss(lab: Lab, lossPercent: number): Promise<void> {
  await lab.everyLink({ lossPercent, delayMs: 0 });
  const leader = await lab.leader();
  const follower = await lab.follower();
  await lab.faultSeen(leader, follower, 20);
  await lab.writers.more(LOSSY, 120_000);
}

async function delay(lab: Lab, delayMs: number): Promise<void> {
  await lab.everyLink({ lossPercent: 0, delayMs });
  await lab.faultSeen(await lab.leader(), await lab.follower(), 20);
  await lab.writers.more(GO_ON);
}

/** The link between the leader and one follower comes and goes. */
async function flapping(lab: Lab): Promise<void> {
  const leader = await lab.leader();
  const [follower] = lab.others(leader);
  assert.ok(follower !== undefined);
  for (let round = 0; round < 4; round++) {
    await lab.part([leader], [follower]);
    await lab.faultSeen(leader, follower);
    await lab.writers.more(80);
    await lab.link(leader, follower, FREE);
    await lab.link(follower, leader, FREE);
    await lab.writers.more(80);
  }
}

/** One leader after the other is cut off, each while the one before comes back. */
async function wandering(lab: Lab): Promise<void> {
  for (let round = 0; round < 3; round++) {
    const leader = await lab.leader();
    const others = lab.others(leader);
    const [first] = others;
    assert.ok(first !== undefined);
    await lab.part([leader], others);
    await lab.faultSeen(leader, first);
    await lab.leader(others);
    await lab.writers.more(80);
    await lab.heal();
  }
}

/** No side has a majority: nothing is acknowledged until they meet again. */
async function noMajority(lab: Lab): Promise<void> {
  const [a, b, c, d, e] = lab.nodes;
  assert.ok(a !== undefined && b !== undefined && c !== undefined && d !== undefined && e !== undefined);
  await lab.part([a, b], [c, d], [e]);
  await lab.faultSeen(a, c);
  await nothingAcknowledged(lab);
  await lab.heal();
  await lab.writers.more(GO_ON);
}

export const partitions: readonly Scenario[] = [
  { title: '3 nodes: the leader is isolated', nodes: 3, run: (lab) => halves(lab, 1) },
  { title: '3 nodes: a follower is isolated', nodes: 3, run: (lab) => halves(lab, 2) },
  { title: '3 nodes: nothing arrives that the leader sends', nodes: 3, run: (lab) => oneWay(lab, 'from the leader') },
  { title: '3 nodes: nothing arrives at the leader', nodes: 3, run: (lab) => oneWay(lab, 'to the leader') },
  { title: '3 nodes: 30 % of all frames get lost', nodes: 3, run: (lab) => loss(lab, 30) },
  { title: '3 nodes: 100 ms each way', nodes: 3, run: (lab) => delay(lab, 100) },
  { title: '3 nodes: the link from the leader to a follower comes and goes', nodes: 3, run: flapping },
  { title: '5 nodes: halves, the leader with the few', nodes: 5, run: (lab) => halves(lab, 2) },
  { title: '5 nodes: halves, the leader with the many', nodes: 5, run: (lab) => halves(lab, 3) },
  { title: '5 nodes: two sides that only one node reaches', nodes: 5, run: bridge },
  { title: '5 nodes: three sides, none with a majority', nodes: 5, run: noMajority },
  { title: '5 nodes: one leader after the other is isolated', nodes: 5, run: wandering },
  { title: '7 nodes: halves, the leader with the few', nodes: 7, run: (lab) => halves(lab, 3) },
  { title: '7 nodes: 30 % of all frames get lost', nodes: 7, run: (lab) => loss(lab, 30) },
];
