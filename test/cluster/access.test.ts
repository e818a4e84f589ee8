/** What one node grants holds on all of a cluster: on open sessions, and on a node that was away meanwhile (FM-36, FM-41, FM-44). */
import assert from 'node:assert/strict';
import { changeAccess, closeCode, errorOf, idsIn, listedClients, listening } from '../support/access';
import { publishAnywhere, whoLeads } from '../support/cluster-clients';
import { startCluster, type ClusterNode, type TestCluster } from '../support/cluster-processes';
import { registerClient } from '../support/hub-process';
import { removeTempDirs, until } from '../support/processes';
import { rawSession, type Message } from '../support/raw-session';
import { shared } from '../support/shared-entry';

describe('access in a cluster of three', function () {
  this.timeout(180_000);
  let cluster: TestCluster;
  let leader: ClusterNode;
  let followers: readonly [ClusterNode, ClusterNode];

  before(async () => {
    cluster = await startCluster(3, ['--approve-registrations']);
    leader = await whoLeads(cluster.nodes);
    const [one, two] = cluster.nodes.filter((each) => each !== leader);
    assert.ok(one !== undefined && two !== undefined);
    followers = [one, two];
  });
  after(async () => {
    await Promise.all(cluster.nodes.map(({ hub }) => hub.stop()));
    removeTempDirs();
  });

  /** The leader may be another one at that moment; to say it twice changes nothing. */
  const change = (node: ClusterNode, ...args: readonly string[]): Promise<string> =>
    until(args.join(' '), () => changeAccess(node, ...args).catch(() => undefined), 60_000);

  /** What a `sync` at a node is answered; nothing while the node does not know the token yet. */
  async function answered(node: ClusterNode, token: string): Promise<Message | undefined> {
    const session = await rawSession(node.address, token).catch(() => undefined);
    const answer = await session?.ask({ kind: 'sync', request: 1 }).catch(() => undefined);
    session?.ws.terminate();
    return answer;
  }
  const everywhere = (what: string, token: string, fits: (answer: Message) => boolean): Promise<unknown> =>
    Promise.all(
      cluster.nodes.map((node) =>
        until(
          `${what} at ${node.address}`,
          async () => {
            const answer = await answered(node, token);
            return answer !== undefined && fits(answer);
          },
          30_000,
        ),
      ),
    );

  it('pending, approved and limited, each at another node, hold on all; listeners everywhere come back', async () => {
    const [first, second] = followers;
    const { token, clientId } = await registerClient(first.hub, 'alpha', 'ada@laptop');
    await publishAnywhere(cluster.nodes, token, shared('a-decision'));
    await publishAnywhere(cluster.nodes, token, shared('a-task', { type: 'task' }));
    await everywhere('it is pending', token, (answer) => errorOf(answer).code === 'forbidden');
    await change(second, 'approve', clientId);
    await everywhere('it is approved', token, (answer) => answer['kind'] === 'page' && idsIn(answer).length === 2);

    const open = await Promise.all(cluster.nodes.map((node) => listening(node.address, token)));
    await change(first, 'grant', clientId, '--types', 'task');
    for (const session of open) assert.equal(await closeCode(session), 1001);
    await everywhere(
      'it is limited',
      token,
      (answer) => answer['kind'] === 'page' && idsIn(answer).join() === 'a-task',
    );
    for (const node of cluster.nodes) {
      const listed = (await listedClients(node)).find(({ client_id }) => client_id === clientId);
      assert.deepEqual(listed?.access, { types: ['task'] });
    }
  });

  it('a node that was away gives no more than was granted meanwhile', async () => {
    const [away, other] = followers;
    const { token, clientId } = await registerClient(other.hub, 'beta', 'bob@desk');
    await change(other, 'approve', clientId);
    await everywhere('it is approved', token, (answer) => answer['kind'] === 'page');
    assert.equal((await away.hub.kill9()).signal, 'SIGKILL');
    await change(other, 'grant', clientId, '--types', 'task');
    await away.restart();
    await everywhere(
      'it is limited',
      token,
      (answer) => answer['kind'] === 'page' && idsIn(answer).join() === 'a-task',
    );
    // Applied again from the Raft log or taken from clients.json: it stays so.
    await away.hub.stop();
    await away.restart();
    await everywhere(
      'it is limited',
      token,
      (answer) => answer['kind'] === 'page' && idsIn(answer).join() === 'a-task',
    );
  });
});
