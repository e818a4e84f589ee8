/** A cluster takes in seven nodes and no more, whoever asks at the same time, and each under a number of its own. */
import assert from 'node:assert/strict';
import type { OpenedRaftEngine } from '../../hub/engine/raft/open';
import { freePorts } from '../support/cluster-processes';
import { LabNode } from '../support/lab-node';
import { removeTempDirs, tempDir, until } from '../support/processes';

const FOUNDERS = 5;
const MOST = 7;

describe('the most nodes of a cluster', function () {
  this.timeout(120_000);
  const callOff = new AbortController();
  const nodes: LabNode[] = [];
  const founders: OpenedRaftEngine[] = [];
  let waiting: Promise<PromiseSettledResult<OpenedRaftEngine>[]> = Promise.resolve([]);

  before(async () => {
    const folder = tempDir('ctx-most');
    nodes.push(...(await freePorts(FOUNDERS + 3)).map((port) => new LabNode(folder, port)));
    const addresses = nodes.slice(0, FOUNDERS).map(({ address }) => address);
    founders.push(...(await Promise.all(nodes.slice(0, FOUNDERS).map((node) => node.open(addresses)))));
    // They wait to be added.
    const opening = nodes
      .slice(FOUNDERS)
      .map((node) => node.open([...addresses, node.address], { signal: callOff.signal }));
    waiting = Promise.allSettled(opening);
  });
  after(async () => {
    callOff.abort();
    await waiting;
    await Promise.all(nodes.map((node) => node.close()));
    removeTempDirs();
  });

  const add = (at: number, address: string): Promise<{ readonly said: string }> => {
    const asked = founders[at];
    assert.ok(asked !== undefined);
    return asked.cluster.admin.wish({ action: 'add', address });
  };
  const members = async (): Promise<readonly { id: number; address: string }[]> =>
    (await founders[0]?.cluster.admin.status()) ?? [];

  it('three that are added at once by three operators: two are taken in, one is refused', async () => {
    const newcomers = nodes.slice(FOUNDERS);
    // Before they answer at all, adding them fails for another reason.
    const answers = await until(
      'all three were answered',
      async () => {
        const each = await Promise.allSettled(newcomers.map(({ address }, at) => add(at, address)));
        return each.filter(({ status }) => status === 'fulfilled').length >= 2 ? each : undefined;
      },
      60_000,
    );
    const refused = answers.flatMap((each) => (each.status === 'rejected' ? [each.reason as Error] : []));
    assert.equal(refused.length, 1);
    assert.match(refused[0]?.message ?? '', /at most 7 nodes.*ctx hub peer remove/);
    const now = await until('they are members', async () => {
      const all = await members();
      return all.length === MOST ? all : undefined;
    });
    assert.deepEqual(
      now.map(({ id }) => id),
      [1, 2, 3, 4, 5, 6, 7],
    );
    assert.equal(new Set(now.map(({ address }) => address)).size, MOST);
  });

  it('an eighth is refused, whether it answers or not; one of the seven is not', async () => {
    const known = await members();
    const eighth = nodes.find(({ address }) => !known.some((each) => each.address === address));
    for (const address of [eighth?.address ?? '', 'ws://127.0.0.1:1']) {
      await assert.rejects(add(1, address), { code: 'invalid', message: /at most 7 nodes/ });
    }
    assert.match((await add(1, known[6]?.address ?? '')).said, /is node 7 already/);
    assert.equal((await members()).length, MOST);
  });
});
