/** The Raft engine under the suite for every engine: one node, and three nodes whose leader is asked. Disks fail in the raft-log tests. */
import fs from 'node:fs';
import path from 'node:path';
import type { LoggedLine, NodeLog } from '../../support/history';
import { fullScale } from '../../support/scale';
import { freePorts } from '../../support/cluster-processes';
import { LabNode } from '../../support/lab-node';
import { tempDir, until } from '../../support/processes';
import { engineConformance } from './engine-conformance';
import type { EngineLab, OpenedLab } from './engine-lab';

function linesOf(file: string): readonly LoggedLine[] {
  return fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const { id, sequence } = JSON.parse(line) as { id: string; sequence: number };
      return { id, sequence, text: line };
    });
}

async function lab(count: number): Promise<EngineLab> {
  const parent = tempDir('ctx-raft-lab');
  const nodes = (await freePorts(count)).map((port) => new LabNode(parent, port));
  const peers = nodes.map(({ address }) => address);
  const closeAll = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.close()));
  };
  const heads = (): readonly number[] => nodes.map(({ opened }) => opened?.reader.head().sequence ?? -1);
  const open = async (): Promise<OpenedLab> => {
    await Promise.all(nodes.map((node) => node.open(peers)));
    const leader = await until(
      'a node leads',
      () => nodes.find(({ opened }) => opened?.engine.status().role === 'leader')?.opened,
      60_000,
    );
    const close = async (): Promise<void> => {
      await leader.engine.close();
      const { sequence } = leader.reader.head();
      await until('the others have all of it', () => heads().every((head) => head === sequence), 60_000);
      await closeAll();
    };
    return { ...leader, engine: { propose: leader.engine.propose, status: leader.engine.status, close } };
  };
  return {
    open,
    crash: async () => {
      for (const { faults } of nodes) faults.die();
      await closeAll();
      for (const { faults } of nodes) faults.revive();
    },
    logs: () =>
      Promise.resolve(
        nodes.map(({ folder }): NodeLog => ({
          node: path.basename(folder),
          lines: linesOf(path.join(folder, 'entries.jsonl')),
        })),
      ),
    dispose: async () => {
      await closeAll();
      fs.rmSync(parent, { recursive: true, force: true });
    },
  };
}

describe('the Raft engine', function () {
  // Elections and a loaded machine take their time.
  this.timeout(180_000);
  engineConformance('raft, one node', () => lab(1));
  if (fullScale) engineConformance('raft, three nodes', () => lab(3));
});
