/** The Raft engine under the suite for every engine: one node, and three nodes whose leader is asked. Disks fail in the raft-log tests. */
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { openRaftEngine, type OpenedRaftEngine } from '../../../hub/engine/raft/open';
import { isPeerPath } from '../../../hub/peers/peer-door';
import { nodeDisk } from '../../../hub/store/node-disk';
import type { LoggedLine, NodeLog } from '../../support/history';
import { fullScale } from '../../support/scale';
import { freePorts } from '../../support/cluster-processes';
import { tempDir, until } from '../../support/processes';
import { engineConformance } from './engine-conformance';
import type { EngineLab, OpenedLab } from './engine-lab';
import { faultyDisk, type FaultyDisk } from './faulty-disk';

const SECRET = '5ec2e7'.repeat(10);

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

/** A node in this process, with the port that its peers come in by. */
class LabNode {
  readonly folder: string;
  readonly faults: FaultyDisk = faultyDisk(nodeDisk);
  opened: OpenedRaftEngine | undefined;
  private server: http.Server | undefined;

  constructor(
    parent: string,
    readonly port: number,
  ) {
    this.folder = path.join(parent, `node-${port}`);
    fs.mkdirSync(this.folder, { mode: 0o700 });
  }

  async open(peers: readonly string[]): Promise<OpenedRaftEngine> {
    const advertise = `ws://127.0.0.1:${this.port}`;
    const opened = await openRaftEngine({
      ...{ folder: this.folder, disk: this.faults.disk, host: '127.0.0.1', port: this.port, version: 'lab' },
      config: { advertise, peers, secret: SECRET, keepEntries: 5, maxAuthAgeMs: 600_000 },
      certificate: () => undefined,
      warn: () => undefined,
      // A process would end; here the lab notices by what is not answered.
      crash: () => undefined,
      signal: new AbortController().signal,
    });
    this.opened = opened;
    this.server = http.createServer();
    this.server.on('upgrade', (request, stream, head) => {
      if (isPeerPath(request.url)) opened.cluster.door.upgrade(request, stream, head, () => undefined);
      else stream.destroy();
    });
    await new Promise<void>((resolve) => this.server?.listen(this.port, '127.0.0.1', resolve));
    return opened;
  }

  async close(): Promise<void> {
    await this.opened?.engine.close().catch(() => undefined);
    this.opened = undefined;
    const { server } = this;
    this.server = undefined;
    server?.closeAllConnections();
    if (server?.listening === true) await new Promise((resolve) => server.close(resolve));
  }
}

async function lab(count: number): Promise<EngineLab> {
  const parent = tempDir('ctx-raft-lab');
  const nodes = (await freePorts(count)).map((port) => new LabNode(parent, port));
  const peers = nodes.map(({ port }) => `ws://127.0.0.1:${port}`);
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
