/** What three nodes do with commands, seen from inside: a command that one of them is too old for, and more than can be committed. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { HubError } from '../../../core/errors';
import { entry, publish } from '../../support/entries';
import { LabNode } from '../../support/lab-node';
import { freePorts } from '../../support/cluster-processes';
import { MAX_WAITING_BYTES } from '../../../hub/engine/gather';
import { removeTempDirs, tempDir, until } from '../../support/processes';

const MIB = 1024 * 1024;
/** Of one MiB each: more than may wait. */
const ENTRIES = MAX_WAITING_BYTES / MIB + 15;

describe('three nodes in one process', function () {
  this.timeout(120_000);
  let nodes: readonly LabNode[];
  let peers: readonly string[];

  beforeEach(async () => {
    const parent = tempDir('ctx-lab');
    nodes = (await freePorts(3)).map((port) => new LabNode(parent, port));
    peers = nodes.map(({ address }) => address);
  });
  afterEach(() => Promise.all(nodes.map((node) => node.close())));
  after(removeTempDirs);

  const leader = (): Promise<LabNode> =>
    until('a node leads', () => nodes.find(({ opened }) => opened?.engine.status().role === 'leader'), 60_000);
  const outcomeOf = async (node: LabNode, id: string, content = 'Title'): Promise<string> => {
    try {
      return (await node.engine.propose(publish(entry(id, { content })))).kind;
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      return `${error.code} ${error.outcome}: ${error.message}`;
    }
  };

  it('a command that one node is too old for is refused, naming that node, until it is updated', async () => {
    const [old, ...others] = nodes;
    assert.ok(old !== undefined);
    await Promise.all([old.open(peers, { speaks: 0 }), ...others.map((node) => node.open(peers))]);
    await leader();
    for (const node of nodes) {
      const outcome = await until('somebody leads', async () => {
        const told = await outcomeOf(node, 'too-new');
        return told.startsWith('no_leader') ? undefined : told;
      });
      assert.match(outcome, /^unsupported_version refused: The node at ws:\S+ runs an older ctx/);
      assert.ok(outcome.includes(old.address));
    }
    // Down it is as old as it was; a majority does not outvote it.
    await old.close();
    await until(
      'the others lead',
      async () => (await outcomeOf(await leader(), 'still')).startsWith('unsupported'),
      60_000,
    );
    await old.open(peers);
    await until('it is updated', async () => (await outcomeOf(await leader(), 'now')) === 'published', 60_000);
    for (const node of nodes) assert.doesNotMatch(node.log(), /too-new|still/);
  });

  it('what comes while no majority takes part is refused clearly, and does not pile up on the leader’s disk', async () => {
    await Promise.all(nodes.map((node) => node.open(peers)));
    const first = await leader();
    await Promise.all(nodes.filter((node) => node !== first).map((node) => node.close()));
    const many = Array.from({ length: ENTRIES }, (_, i) => outcomeOf(first, `much-${i}`, 'x'.repeat(MIB)));
    const outcomes = await Promise.all(many);
    const busy = outcomes.filter((each) => each.startsWith('rate_limited refused: More is waiting'));
    const lost = outcomes.filter((each) => /^no_leader (refused|unknown): There is no leader/.test(each));
    assert.equal(
      busy.length + lost.length,
      outcomes.length,
      outcomes.find((each) => !/^(rate|no_l)/.test(each)),
    );
    assert.ok(busy.length > 10, `${busy.length} were refused at once`);
    const folder = path.join(first.folder, 'raft', 'log');
    const kept = fs.readdirSync(folder).reduce((sum, name) => sum + fs.statSync(path.join(folder, name)).size, 0);
    assert.ok(kept < 40 * MIB, `${kept} bytes in the Raft log`);
    // What may have been taken in is named so, and the rest certainly never appears.
    await Promise.all(nodes.filter((node) => node !== first).map((node) => node.open(peers)));
    await until('writes go on', async () => (await outcomeOf(await leader(), 'after')) === 'published', 60_000);
    outcomes.forEach((outcome, i) => {
      if (outcome.includes(' refused: ')) assert.ok(!first.log().includes(`"id":"much-${i}"`), `much-${i}: ${outcome}`);
    });
  });
});
