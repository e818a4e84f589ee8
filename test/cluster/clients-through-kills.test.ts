/** Clients that are registered and revoked while leaders are killed: what was acknowledged holds on all nodes (FM-31, FM-36). */
import assert from 'node:assert/strict';
import { HubError } from '../../core/errors';
import { openSession, type HubSession } from '../../core/node/hub-session';
import type { ClientInfo } from '../../core/wire';
import { whoLeads } from '../support/cluster-clients';
import { sharedCluster, type ClusterNode } from '../support/cluster-processes';
import { until } from '../support/processes';

const KILLS = 2;
const EACH_ROUND = 10;

describe('clients of a cluster whose leaders are killed', function () {
  this.timeout(180_000);
  const cluster = sharedCluster(3);

  /** With the admin token of that node. @returns undefined when it is not known whether it happened, or the node is gone */
  async function asked<T>(node: ClusterNode, work: (session: HubSession) => Promise<T>): Promise<T | undefined> {
    let session: HubSession | undefined;
    try {
      session = await openSession({ address: node.address, token: node.hub.adminToken, timeoutMs: 15_000 });
      return await work(session);
    } catch (error) {
      if (error instanceof HubError) return undefined;
      throw error;
    } finally {
      session?.terminate();
    }
  }

  const clientsAt = (node: ClusterNode): Promise<readonly ClientInfo[]> =>
    until('the node answers', () => asked(node, (session) => session.clientList()), 30_000);

  it('a registration or revocation that was acknowledged is never lost, and no node knows others than the rest', async () => {
    const tokens = new Map<string, string>();
    const revoked = new Set<string>();
    const perhapsRevoked = new Set<string>();
    let unknown = 0;
    let number = 0;
    let isOver = false;

    /** One registers, and ends every second of its own clients at another node. */
    const lane = async (first: number): Promise<void> => {
      for (let at = first; !isOver; at++) {
        const here = cluster.nodes[at % 3];
        const there = cluster.nodes[(at + 1) % 3];
        assert.ok(here !== undefined && there !== undefined);
        const made = await asked(here, (session) => session.register('alpha', `lane-${number++}@here`));
        if (made === undefined) {
          unknown += 1;
          continue;
        }
        tokens.set(made.clientId, made.token);
        if (at % 2 === 0) continue;
        perhapsRevoked.add(made.clientId);
        const isDone = await asked(there, async (session) => {
          await session.clientRevoke(made.clientId);
          return true;
        });
        if (isDone === true) revoked.add(made.clientId);
      }
    };
    const lanes = [lane(0), lane(1), lane(2), lane(5)];
    const reach = (count: number): Promise<unknown> =>
      until(`${count} are registered`, () => tokens.size >= count, 60_000);

    await reach(EACH_ROUND);
    for (let kill = 0; kill < KILLS; kill++) {
      const leader = await whoLeads(cluster.nodes);
      assert.equal((await leader.hub.kill9()).signal, 'SIGKILL');
      await reach(tokens.size + EACH_ROUND);
      await leader.restart();
    }
    isOver = true;
    await Promise.all(lanes);
    assert.ok(revoked.size > KILLS, `${revoked.size} were revoked`);

    const expected = [...tokens.keys()].filter((id) => !perhapsRevoked.has(id));
    for (const node of cluster.nodes) {
      await until(
        `${node.address} knows all and only what is acknowledged`,
        async () => {
          const listed = new Map((await clientsAt(node)).map((client) => [client.client_id, client.revoked_at]));
          return (
            expected.every((id) => listed.has(id) && listed.get(id) === undefined) &&
            [...revoked].every((id) => listed.get(id) !== undefined)
          );
        },
        30_000,
      );
    }
    const [one, two, three] = await Promise.all(cluster.nodes.map(clientsAt));
    assert.deepEqual(two, one);
    assert.deepEqual(three, one);
    assert.ok((one?.length ?? 0) <= tokens.size + unknown, 'none was made twice');
    for (const [at, [id, token]] of [...tokens].entries()) {
      const node = cluster.nodes[at % 3];
      assert.ok(node !== undefined);
      if (revoked.has(id)) {
        await assert.rejects(openSession({ address: node.address, token }), { code: 'unauthenticated' }, id);
      } else if (!perhapsRevoked.has(id)) (await openSession({ address: node.address, token })).terminate();
    }
  });
});
