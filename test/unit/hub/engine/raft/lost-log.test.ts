/**
 * A node whose Raft log does not have any more what the node answered for is refused at start, each time, before it can vote
 * (thesis §3.8, FM-23): by the watermark, by a line that was applied, by the clients, by a snapshot that the log has forgotten.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { HubError } from '../../../../../core/errors';
import type { Disk, DiskFile } from '../../../../../hub/store/disk';
import { freePorts } from '../../../../support/cluster-processes';
import { entry, publish, record } from '../../../../support/entries';
import { LabNode } from '../../../../support/lab-node';
import { removeTempDirs, tempDir, until } from '../../../../support/processes';

const BATCHES = 8;

describe('a Raft log that lost its end', function () {
  this.timeout(120_000);
  let nodes: readonly LabNode[];
  let peers: readonly string[];
  let count = 0;

  beforeEach(async () => {
    const parent = tempDir('ctx-lost-log');
    nodes = (await freePorts(3)).map((port) => new LabNode(parent, port));
    peers = nodes.map(({ address }) => address);
    await Promise.all(nodes.map((node) => node.open(peers)));
  });
  afterEach(() => Promise.all(nodes.map((node) => node.close())));
  after(removeTempDirs);

  const isLeader = ({ opened }: LabNode): boolean => opened?.engine.status().role === 'leader';
  const leader = (): Promise<LabNode> => until('a node leads', () => nodes.find(isLeader), 60_000);

  async function publishSome(batches = BATCHES): Promise<void> {
    for (let i = 0; i < batches; i++) {
      await until(
        'it is stored',
        async () => {
          const answer = await (await leader()).engine.propose(publish(entry(`e-${++count}`))).catch(() => undefined);
          return answer?.kind === 'published';
        },
        60_000,
      );
    }
  }

  const head = ({ opened }: LabNode): number => opened?.reader.head().sequence ?? -1;

  /** A follower that has everything. */
  async function follower(): Promise<LabNode> {
    const ahead = head(await leader());
    return until('a follower has it all', () => nodes.find((node) => !isLeader(node) && head(node) >= ahead), 60_000);
  }

  /** As a kill -9 leaves it: what was handed to the system stays, and no watermark is written. */
  async function kill(node: LabNode): Promise<void> {
    node.faults.die();
    await node.close();
    node.faults.revive();
  }

  const segments = ({ folder }: LabNode): readonly string[] => {
    const log = path.join(folder, 'raft', 'log');
    return fs
      .readdirSync(log)
      .toSorted()
      .map((name) => path.join(log, name));
  };

  function cutTo(node: LabNode, part: number): void {
    const file = segments(node).at(-1) ?? '';
    fs.truncateSync(file, Math.floor(fs.statSync(file).size * part));
  }

  const meta = ({ folder }: LabNode): string => fs.readFileSync(path.join(folder, 'meta.json'), 'utf8');
  const watermark = (node: LabNode): number =>
    (JSON.parse(meta(node)) as { watermark: { sequence: number } }).watermark.sequence;

  async function refusedTwice(node: LabNode, sign: RegExp): Promise<void> {
    for (const time of ['at first', 'and again']) {
      await assert.rejects(
        node.open(peers),
        (error) =>
          error instanceof HubError &&
          error.code === 'bad_data' &&
          /lost what it promised.*peer remove.*peer add/.test(error.message) &&
          sign.test(error.message),
        time,
      );
    }
  }

  it('is told by a line that was applied from it', async () => {
    await publishSome();
    const node = await follower();
    await kill(node);
    const lines = node.log().split('\n').length - 1;
    assert.ok(watermark(node) < lines, 'there are lines behind the watermark');
    cutTo(node, 0.9);
    await refusedTwice(node, new RegExp(`lacks "e-${lines}"`));
    assert.equal(node.log().split('\n').length - 1, lines, 'nothing was changed');
  });

  it('is told by the watermark', async () => {
    await publishSome();
    const node = await follower();
    await node.close();
    cutTo(node, 0.9);
    await refusedTwice(node, /but \d+ was applied here/);
  });

  it('is told by the clients', async () => {
    await publishSome(1);
    const client = record('1');
    const answer = await (await leader()).engine.propose({ kind: 'register', record: client });
    assert.equal(answer.kind, 'registered');
    const node = await until(
      'a follower knows the client',
      () => nodes.find((each) => !isLeader(each) && each.opened?.clients.find(client.id) !== undefined),
      60_000,
    );
    await kill(node);
    const file = segments(node).at(-1) ?? '';
    // Only the registration goes.
    fs.truncateSync(file, fs.readFileSync(file).lastIndexOf('"register"'));
    await refusedTwice(node, /clients\.json was written at \d+/);
  });

  it('is told although a snapshot had been taken in, once the Raft log knew of that', async () => {
    const node = await follower();
    await node.close();
    // More than a leader keeps.
    await publishSome(40);
    await node.open(peers);
    await until('it has caught up by a snapshot', () => meta(node).includes('"installed"'), 60_000);
    await kill(node);
    await node.open(peers);
    // So few that no other snapshot is needed.
    await publishSome(2);
    await until('it follows', () => head(node) === 42, 60_000);
    await node.close();
    assert.ok(!meta(node).includes('"installed"'));
    cutTo(node, 0.9);
    await refusedTwice(node, /lost what it promised/);
  });

  it('is not suspected for lines of a snapshot that was not whole yet', async () => {
    const node = await follower();
    await node.close();
    await publishSome(40);
    const lines = (await leader()).log().split('\n').slice(0, 20);
    // As a node leaves it that ended in between: the mark of the beginning, and half of the lines.
    const begun = JSON.parse(meta(node)) as { raft: Record<string, unknown>; closed: boolean; checksum?: string };
    begun.raft['snapshot'] = 'begun';
    begun.closed = false;
    delete begun.checksum;
    fs.writeFileSync(path.join(node.folder, 'meta.json'), JSON.stringify(begun));
    fs.writeFileSync(path.join(node.folder, 'entries.jsonl'), `${lines.join('\n')}\n`);
    await node.open(peers);
    await until('it has caught up', () => head(node) === 40, 60_000);
  });

  it('and a snapshot says so before its first line is there', async () => {
    const node = await follower();
    await node.close();
    await publishSome(40);
    let mark: unknown;
    const { disk } = node.faults;
    const open: Disk['open'] = async (file, mode) => {
      const opened = await disk.open(file, mode);
      if (!file.endsWith('entries.jsonl')) return opened;
      const write: DiskFile['write'] = (bytes, position) => {
        mark ??= (JSON.parse(meta(node)) as { raft: { snapshot?: unknown } }).raft.snapshot;
        return opened.write(bytes, position);
      };
      return { ...opened, write };
    };
    await node.open(peers, { disk: { ...disk, open } });
    await until('it has caught up', () => head(node) === 40, 60_000);
    assert.equal(mark, 'begun');
  });
});
