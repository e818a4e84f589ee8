/** Scenarios of nodes that come and go while others fail. */
import assert from 'node:assert/strict';
import type { Lab } from '../support/cluster-lab/lab';
import type { Scenario } from './scenario';

const GO_ON = 300;

/** The leader is killed while it takes in a node. */
async function addedDuringFailover(lab: Lab): Promise<void> {
  const leader = await lab.leader();
  const rest = lab.others(leader);
  const joining = lab.join(lab.nodes.length + 1, () => rest);
  joining.catch(() => undefined); // Told below.
  await lab.kill(leader);
  await joining;
  await lab.restart(leader);
  await lab.writers.more(GO_ON);
  assert.equal((await lab.addresses(leader)).length, 4);
}

/** The leader is killed while it lets a node go. */
async function removedDuringFailover(lab: Lab): Promise<void> {
  const leader = await lab.leader();
  const [victim, ...rest] = lab.others(leader);
  assert.ok(victim !== undefined);
  const removing = lab.remove(victim, () => rest);
  removing.catch(() => undefined); // Told below.
  await lab.kill(leader);
  await removing;
  await lab.kill(victim);
  await lab.restart(leader);
  await lab.writers.more(GO_ON);
  assert.equal((await lab.addresses(leader)).length, 4);
}

/** Every node is replaced by a new one. */
async function allReplaced(lab: Lab): Promise<void> {
  const before = [...lab.nodes];
  for (const [at, node] of before.entries()) {
    await lab.join(before.length + at + 1);
    await lab.remove(node);
    await lab.stop(node);
    await lab.writers.more(GO_ON);
  }
  assert.ok(lab.members.every((node) => !before.includes(node)));
}

export const members: readonly Scenario[] = [
  { title: '3 nodes: one is added while the leader is killed', nodes: 3, spare: 1, run: addedDuringFailover },
  { title: '5 nodes: one is removed while the leader is killed', nodes: 5, run: removedDuringFailover },
  { title: '3 nodes: each is replaced by a new one', nodes: 3, spare: 3, run: allReplaced },
];
