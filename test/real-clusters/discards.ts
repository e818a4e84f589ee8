/**
 * Scenarios of a leader that is cut off with entries which nobody else has: exactly those of them that are never committed are in
 * its `entries.jsonl.rejected` in the end, and in nobody else's (I9). Writers bring theirs to the others meanwhile.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import type { Lab, LabNode } from '../support/cluster-lab/lab';
import { rejectedIds } from '../support/cluster-clients';
import { logEntries } from '../support/hub-log';
import { until } from '../support/processes';
import type { Scenario } from './scenario';

const GO_ON = 300;
const IN_VAIN = 12;

/** Cuts the leader off and gives it entries that it takes in and brings to nobody. */
async function takenInVain(lab: Lab): Promise<{ cutOff: LabNode; others: readonly LabNode[]; ids: readonly string[] }> {
  const cutOff = await lab.leader();
  const others = lab.others(cutOff);
  const [first] = others;
  assert.ok(first !== undefined);
  await lab.part([cutOff], others);
  const ids = Array.from({ length: IN_VAIN }, (_, at) => `vain-${at + 1}`);
  // At once: it leads no longer than it takes to notice that nobody follows.
  const told = await lab.writers.once(cutOff.address, ids);
  assert.deepEqual(new Set(told.map(({ kind }) => kind)), new Set(['unknown']), 'it took them in');
  await lab.faultSeen(cutOff, first);
  await lab.leader(others);
  await lab.writers.more(GO_ON);
  return { cutOff, others, ids };
}

/** The verdict has come, and it is about exactly these. */
async function rejectedAre(lab: Lab, node: LabNode, ids: readonly string[]): Promise<void> {
  const waiting = path.join(node.dataDir, 'raft', 'discarded.jsonl');
  await until('the verdict has come', () => rejectedIds(node).length > 0 && !fs.existsSync(waiting), 60_000);
  assert.deepEqual(rejectedIds(node).toSorted(), ids.toSorted());
  for (const other of lab.others(node)) assert.deepEqual(rejectedIds(other), []);
  const logged = new Set(logEntries(node.dataDir).map(({ id }) => id));
  for (const id of ids) assert.ok(!logged.has(id), `${id} was rejected and is in the log`);
}

async function healed(lab: Lab): Promise<void> {
  const { cutOff, ids } = await takenInVain(lab);
  await lab.heal();
  await rejectedAre(lab, cutOff, ids);
  await lab.writers.more(GO_ON);
}

/** It finds in its Raft log what it has to discard, and is killed again before the verdict. */
async function restarted(lab: Lab): Promise<void> {
  const { cutOff, ids } = await takenInVain(lab);
  await lab.kill(cutOff);
  await lab.heal();
  await lab.restart(cutOff);
  const waiting = path.join(cutOff.dataDir, 'raft', 'discarded.jsonl');
  await until('it discards them', () => fs.existsSync(waiting), 30_000);
  await lab.kill(cutOff);
  assert.deepEqual(rejectedIds(cutOff), []);
  await lab.restart(cutOff);
  await rejectedAre(lab, cutOff, ids);
  await lab.writers.more(GO_ON);
}

/** A client that was told nothing certain goes to another node with half of them. */
async function committedElsewhere(lab: Lab): Promise<void> {
  const { cutOff, others, ids } = await takenInVain(lab);
  const [again, never] = [ids.slice(0, IN_VAIN / 2), ids.slice(IN_VAIN / 2)];
  const told = await lab.writers.once((await lab.leader(others)).address, again);
  assert.deepEqual(new Set(told.map(({ kind }) => kind)), new Set(['ok']));
  await lab.heal();
  await rejectedAre(lab, cutOff, never);
  await lab.writers.more(GO_ON);
}

export const discards: readonly Scenario[] = [
  { title: '3 nodes: a leader that was cut off discards what nobody else has', nodes: 3, run: healed },
  { title: '3 nodes: a leader that was cut off is killed twice before it is rid of that', nodes: 3, run: restarted },
  {
    title: '5 nodes: what a leader discards was committed by others, but for a part',
    nodes: 5,
    run: committedElsewhere,
  },
];
