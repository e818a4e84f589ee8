/** A cluster of three real processes: any node serves, a killed leader is replaced, nothing acknowledged is lost (FM-02, FM-19, FM-31, FM-36). */
import assert from 'node:assert/strict';
import type { PublishedEntry } from '../../core/entry';
import { openSession, type HubSession } from '../../core/node/hub-session';
import { logOf, startCluster, startNode, type ClusterNode, type TestCluster } from '../support/cluster-processes';
import { publishAnywhere, sameLogs, statusOf, whoLeads } from '../support/cluster-clients';
import { hubCommand, logEntries, published } from '../support/hub-log';
import { registerClient } from '../support/hub-process';
import { removeTempDirs, until } from '../support/processes';

describe('a cluster of three', function () {
  this.timeout(120_000);
  let cluster: TestCluster;
  let token: string;
  const sessions: HubSession[] = [];
  const session = async (node: ClusterNode): Promise<HubSession> => {
    const opened = await openSession({ address: node.address, token });
    sessions.push(opened);
    return opened;
  };
  const node = (at: number): ClusterNode => {
    const found = cluster.nodes[at];
    if (found === undefined) throw new Error(`there is no node ${at}`);
    return found;
  };

  before(async () => {
    cluster = await startCluster(3);
    await whoLeads(cluster.nodes);
    ({ token } = await registerClient(node(0).hub, 'alpha', 'ada@laptop'));
  });
  after(async () => {
    for (const each of sessions) each.terminate();
    await Promise.all(cluster.nodes.map(({ hub }) => hub.stop()));
    removeTempDirs();
  });

  it('takes what is published at any node, and streams it from every node', async () => {
    const heard = cluster.nodes.map((): string[] => []);
    for (const [at, each] of cluster.nodes.entries()) {
      await until('the token is known there', () => session(each).catch(() => undefined));
      await (
        await session(each)
      ).listen(undefined, undefined, ({ entries }) => {
        heard[at]?.push(...entries.map(({ id }) => id));
      });
    }
    for (const [at, each] of cluster.nodes.entries()) {
      const [result] = await (await session(each)).publish([published(`any-${at}`)]);
      assert.deepEqual(result, { id: `any-${at}`, sequence: at + 1, duplicate: false });
    }
    for (const ids of heard) await until('every entry arrives', () => ids.length === 3);
    for (const ids of heard) assert.deepEqual(ids, ['any-0', 'any-1', 'any-2']);
  });

  it('stores one of several contents that come under one id at all nodes at once; the others are told, and the logs are the same', async () => {
    const open = await Promise.all(cluster.nodes.map(session));
    for (let round = 0; round < 20; round++) {
      // Not always the same one first.
      const order = open.map((_, at) => (at + round) % open.length);
      const contested = (at: number): PublishedEntry => ({ ...published(`both-${round}`), content: `Of node ${at}` });
      const results = await Promise.all(
        order.map(async (at) => ({ at, result: (await open[at]?.publish([contested(at)]))?.[0] })),
      );
      const stored = results.filter(({ result }) => result !== undefined && 'sequence' in result);
      const refused = results.flatMap(({ result }) =>
        result !== undefined && 'error' in result ? [result.error.code] : [],
      );
      assert.equal(stored.length, 1, JSON.stringify(results));
      assert.deepEqual(refused, ['id_conflict', 'id_conflict']);
      const [winner] = stored;
      assert.ok(winner !== undefined);
      await sameLogs(cluster.nodes);
      assert.equal(logEntries(node(0).dataDir).at(-1)?.content, `Of node ${winner.at}`);
    }
  });

  it('says in hello and status who leads and where the others are', async () => {
    const { hello } = await session(node(1));
    assert.deepEqual([...hello.cluster].sort(), cluster.nodes.map(({ address }) => address).sort());
    const roles = await Promise.all(cluster.nodes.map(async (each) => (await statusOf(each)).role));
    assert.equal(roles.filter((role) => role === 'leader').length, 1);
  });

  it('survives kill -9 of its leader under load: acknowledged entries are there, once, the same on all nodes', async () => {
    const acknowledged = new Map<string, number>();
    let stop = false;
    const publishers = [0, 1, 2, 3].map(async (publisher) => {
      for (let n = 0; !stop; n++) {
        const id = `load-${publisher}-${n}`;
        acknowledged.set(id, await publishAnywhere(cluster.nodes, token, published(id), publisher));
      }
    });
    await until('some are acknowledged', () => acknowledged.size > 40, 30_000);
    const leader = await whoLeads(cluster.nodes);
    const killed = await leader.hub.kill9();
    assert.equal(killed.signal, 'SIGKILL');
    const before = acknowledged.size;
    await until('writes go on', () => acknowledged.size > before + 40, 30_000);
    await leader.restart();
    stop = true;
    await Promise.all(publishers);
    await sameLogs(cluster.nodes);
    const entries = logEntries(leader.dataDir);
    const sequences = new Map(entries.map(({ id, sequence }) => [id, sequence]));
    assert.equal(sequences.size, entries.length, 'an id is there twice');
    for (const [id, sequence] of acknowledged) assert.equal(sequences.get(id), sequence, `${id} was acknowledged`);
    assert.deepEqual(
      entries.map(({ sequence }) => sequence),
      entries.map((_, at) => at + 1),
    );
    assert.ok(logOf(leader).length > 0);
  });

  it('a client registered at one node is known to all, and revoked at one is revoked at all, on open sessions too', async () => {
    const other = await registerClient(node(1).hub, 'gamma');
    for (const { address } of cluster.nodes) {
      await until('the token works everywhere', async () => {
        const opened = await openSession({ address, token: other.token }).catch(() => undefined);
        opened?.terminate();
        return opened !== undefined;
      });
    }
    const open = await openSession({ address: node(2).address, token: other.token });
    const admin = await openSession({ address: node(0).address, token: node(0).hub.adminToken });
    await admin.clientRevoke(other.clientId);
    admin.terminate();
    let isClosed = false;
    void open.closed.then(() => (isClosed = true));
    await until('the open session ends', () => isClosed, 30_000);
    for (const { address } of cluster.nodes) {
      await until('the token works nowhere', async () => {
        const opened = await openSession({ address, token: other.token }).catch(() => undefined);
        opened?.terminate();
        return opened === undefined;
      });
    }
  });

  it('says which node answers where another is expected', async () => {
    const [one, two, three] = [node(0), node(1), node(2)];
    const swapped = [
      [one, two],
      [two, one],
    ] as const;
    for (const each of [one, two]) await each.hub.stop();
    for (const [each, other] of swapped) {
      const { port } = new URL(other.address);
      each.hub = await startNode({ ...each, port: Number(port), secretFile: cluster.secretFile });
    }
    for (const [each, other] of swapped) {
      const told = new RegExp(
        `${each.address} .*unreachable: node \\d answers there: were data directories .*mixed up`,
      );
      await until(
        `${other.address} is told apart`,
        async () => told.test((await hubCommand(three.dataDir, 'status')).stdout),
        30_000,
      );
    }
    for (const each of [one, two]) await each.hub.stop();
    for (const each of [one, two]) await each.restart();
    await whoLeads(cluster.nodes);
  });
});
