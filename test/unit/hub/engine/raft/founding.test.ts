/** A founding by three nodes, one of which is killed at any one operation of its disk: its next start makes it one of them. */
import assert from 'node:assert/strict';
import type { Disk, DiskFile } from '../../../../../hub/store/disk';
import { nodeDisk } from '../../../../../hub/store/node-disk';
import { freePorts } from '../../../../support/cluster-processes';
import { entry, publish } from '../../../../support/entries';
import { LabNode } from '../../../../support/lab-node';
import { removeTempDirs, tempDir, until } from '../../../../support/processes';
import { scaled } from '../../../../support/scale';
import { Dead } from '../../../../support/simulated-disk';

/** To write raft/node.json whose folder is there. */
const NODE_FILE_CHANGES = 6;

interface MortalDisk extends Disk {
  readonly isDead: () => boolean;
}

/** Its process is killed at the given change, which is the last one that is done. */
function diesAfter(changes: number): MortalDisk {
  let done = 0;
  const change = <A extends unknown[], R>(work: (...args: A) => Promise<R>): ((...args: A) => Promise<R>) => {
    return async (...args) => {
      if (done++ >= changes) throw new Dead();
      return work(...args);
    };
  };
  const mortal = (file: DiskFile): DiskFile => ({
    ...file,
    write: change(file.write),
    sync: change(file.sync),
    truncate: change(file.truncate),
  });
  const create = change(nodeDisk.open);
  return {
    ...nodeDisk,
    open: async (name, mode) =>
      mode === 'create' ? mortal(await create(name, mode)) : mortal(await nodeDisk.open(name, mode)),
    makeFolder: change(nodeDisk.makeFolder),
    syncFolder: change(nodeDisk.syncFolder),
    rename: change(nodeDisk.rename),
    remove: change(nodeDisk.remove),
    isDead: () => done > changes,
  };
}

describe('three nodes that found a cluster', function () {
  this.timeout(300_000);
  after(removeTempDirs);

  /** How often the others had begun without it. */
  let lateStarts = 0;

  /**
   * @param isLate the others have become a cluster without it when it comes back
   * @returns whether the node was killed before it belonged to the cluster
   */
  async function foundedAlthoughKilled(changes: number, isLate: boolean): Promise<boolean> {
    const parent = tempDir('ctx-founding');
    const nodes = (await freePorts(3)).map((port) => new LabNode(parent, port));
    const peers = nodes.map(({ address }) => address);
    const [mortal, ...others] = nodes;
    assert.ok(mortal !== undefined);
    const disk = diesAfter(changes);
    try {
      const opening = others.map((node) => node.open(peers));
      const isFounded = await mortal.open(peers, { disk }).then(
        () => true,
        (error: unknown) => {
          assert.ok(disk.isDead(), String(error));
          return false;
        },
      );
      // So late that it may die while it serves.
      if (isFounded) await mortal.close();
      else if (isLate && (await becomeOneWithout(mortal, others, peers))) lateStarts += 1;
      await mortal.open(peers);
      await Promise.all(opening);
      const stored = async (): Promise<boolean> =>
        (await mortal.engine.propose(publish(entry('e-1'))).catch(() => undefined))?.kind === 'published';
      await until('it takes an entry', stored, 60_000);
      await until('all have it', () => nodes.every((node) => node.log().includes('"e-1"')), 60_000);
      return !isFounded;
    } finally {
      await Promise.all(nodes.map((node) => node.close()));
    }
  }

  /**
   * They meet it, and it is killed each time before it changes anything but which node it is.
   * @returns false when it was one of them already before it was killed for the first time
   */
  async function becomeOneWithout(
    mortal: LabNode,
    others: readonly LabNode[],
    peers: readonly string[],
  ): Promise<boolean> {
    let wasMember = false;
    await until(
      'the others have met it',
      async () => {
        const disk = diesAfter(NODE_FILE_CHANGES);
        try {
          await mortal.open(peers, { disk });
          wasMember = true;
          await mortal.close();
        } catch (error) {
          assert.ok(disk.isDead(), String(error));
        }
        return wasMember || others.every(({ opened }) => opened !== undefined);
      },
      60_000,
    );
    return !wasMember;
  }

  for (const [isLate, when] of [
    [false, ''],
    [true, ', and the others begin without it'],
  ] as const) {
    it(`do so although one is killed, wherever it is${when}`, async () => {
      let changes = 0;
      while (await foundedAlthoughKilled(changes, isLate)) changes += scaled(3, 1);
      assert.ok(changes > 20, `${changes} changes`);
      if (isLate) assert.ok(lateStarts > 3, `${lateStarts} late starts`);
    });
  }
});
