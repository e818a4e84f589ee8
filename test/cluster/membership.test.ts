/** A single hub grows into a cluster and its nodes come and go, with entries published all the while (FM-30, FM-34, FM-35). */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { openSession } from '../../core/node/hub-session';
import { publishAnywhere, sameLogs, statusOf } from '../support/cluster-clients';
import { freePorts, logOf, secretFileIn, startNode } from '../support/cluster-processes';
import { hubCommand, published, publishEach } from '../support/hub-log';
import { registerClient, startHub, type HubProcess } from '../support/hub-process';
import { removeTempDirs, tempDir, until, type Finished } from '../support/processes';

interface Row {
  readonly node: number;
  readonly address: string;
  readonly role?: string;
  readonly voter: boolean;
  readonly reachable: boolean;
  readonly why?: string;
}

interface Node {
  address: string;
  dataDir: string;
  hub: HubProcess;
}

describe('a hub that grows into a cluster', function () {
  this.timeout(180_000);
  const folder = tempDir('ctx-grow');
  const secretFile = secretFileIn(folder);
  const nodes: Node[] = [];
  let ports: readonly number[] = [];
  let token = '';
  let count = 0;

  const node = (at: number): Node => {
    const found = nodes[at];
    assert.ok(found !== undefined);
    return found;
  };
  const dir = (name: string): string => {
    const parent = path.join(folder, name);
    fs.mkdirSync(parent, { recursive: true });
    return path.join(parent, 'data');
  };
  const rows = async (at: number): Promise<readonly Row[]> => {
    const { stdout } = await hubCommand(node(at).dataDir, 'peer', 'list', '--json');
    return (JSON.parse(stdout) as { peers: readonly Row[] }).peers;
  };
  const votes = (address: string, asked = 0): Promise<unknown> =>
    until(
      `${address} votes`,
      async () => (await rows(asked)).some((row) => row.address === address && row.voter && row.reachable),
      30_000,
    );
  /** It waits to be added, so that it serves only later. */
  const startNewcomer = (
    at: number,
    name = `n${at}`,
  ): { address: string; serving: Promise<HubProcess>; dataDir: string } => {
    const port = ports[at] ?? 0;
    const address = `ws://127.0.0.1:${port}`;
    const dataDir = dir(name);
    const peers = [address, ...nodes.map((each) => each.address)];
    return { address, dataDir, serving: startNode({ dataDir, port, peers, secretFile }) };
  };
  const addNewcomer = async (at: number, name?: string): Promise<Node> => {
    const { address, dataDir, serving } = startNewcomer(at, name);
    const added = await until(
      'it is added',
      async () => {
        const answer = await hubCommand(node(0).dataDir, 'peer', 'add', address);
        return answer.code === 0 ? answer : undefined;
      },
      30_000,
    );
    assert.match(added.stdout, /is node \d+/);
    const joined = { address, dataDir, hub: await serving };
    await votes(address);
    return joined;
  };
  const publishOne = (): Promise<number> => publishAnywhere(nodes, token, published(`e-${++count}`), count);

  before(async () => {
    ports = await freePorts(4);
  });
  after(async () => {
    await Promise.all(nodes.map(({ hub }) => hub.stop()));
    removeTempDirs();
  });

  it('keeps every line, sequence and token of the single hub', async () => {
    const dataDir = dir('n0');
    const port = ports[0] ?? 0;
    const single = await startHub({ dataDir, args: ['--port', String(port)] });
    ({ token } = await registerClient(single, 'alpha', 'ada@laptop'));
    const first = Array.from({ length: 20 }, () => published(`e-${++count}`));
    await publishEach(single, token, first);
    assert.equal((await single.stop()).code, 0);
    const before = logOf({ dataDir });
    const hub = await startNode({ dataDir, port, peers: [`ws://127.0.0.1:${port}`], secretFile });
    nodes.push({ address: hub.address, dataDir, hub });
    assert.ok(logOf({ dataDir }).equals(before));
    assert.equal(await publishOne(), 21);
    assert.ok(logOf({ dataDir }).subarray(0, before.length).equals(before));
    const status = await statusOf(node(0));
    assert.equal(status.engine, 'raft');
  });

  it('refuses to start it as a single hub again, and with a secret that is too short', async () => {
    await node(0).hub.stop();
    const alone = await hubCommand(node(0).dataDir, 'start', '--port', '0');
    assert.equal(alone.code, 78);
    assert.match(alone.stderr, /--cluster-secret-file/);
    const short = path.join(folder, 'short.secret');
    fs.writeFileSync(short, 'short\n');
    const flags = ['--daemon', '--port', '0', '--cluster-secret-file', short];
    const refused = await hubCommand(node(0).dataDir, 'start', ...flags);
    if (refused.code === 0) await hubCommand(node(0).dataDir, 'stop');
    assert.equal(refused.code, 78);
    const [port] = ports;
    node(0).hub = await startNode({ dataDir: node(0).dataDir, port: port ?? 0, secretFile });
  });

  it('takes in two nodes, one after the other; each gets everything and then votes', async () => {
    nodes.push(await addNewcomer(1));
    await publishOne();
    nodes.push(await addNewcomer(2));
    await publishOne();
    await sameLogs(nodes);
    assert.deepEqual(
      (await rows(1)).map(({ node: id, voter, reachable }) => [id, voter, reachable]),
      [
        [1, true, true],
        [2, true, true],
        [3, true, true],
      ],
    );
  });

  it('shows a table of all nodes in status, which is an exit code too', async () => {
    const shown = await hubCommand(node(1).dataDir, 'status', '--exit-code');
    assert.equal(shown.code, 0, shown.stdout);
    assert.match(shown.stdout, /engine raft, (leader|follower)$/m);
    assert.match(shown.stdout, /NODE +ADDRESS +ROLE +TERM +SEQUENCE +LAG/);
    assert.equal(shown.stdout.match(/^\d+ +ws:\/\/.* ok *$/gm)?.length, 3, shown.stdout);
  });

  it('peer add says where no node answers, at the leader and through a follower', async () => {
    const [, , , free = 0] = ports;
    for (const { dataDir } of nodes) {
      const added = await hubCommand(dataDir, 'peer', 'add', `127.0.0.1:${free}`);
      assert.deepEqual([added.code, added.stdout], [69, ''], added.stderr);
      assert.match(added.stderr, new RegExp(`No node answers at ws://127\\.0\\.0\\.1:${free}: .*ECONNREFUSED`));
    }
  });

  it('stepdown names the new leader', async () => {
    const before = (await rows(0)).find(({ role }) => role === 'leader');
    const { code, stdout } = await hubCommand(node(0).dataDir, 'stepdown');
    assert.equal(code, 0);
    const after = await until('there is a leader', async () => (await rows(0)).find(({ role }) => role === 'leader'));
    assert.notEqual(after.node, before?.node);
    assert.equal(stdout, `Node ${after.node} (${after.address}) leads now.\n`);
  });

  it('a publisher at another node sees no failed write while the leader is stopped (FM-30)', async () => {
    const leaderAddress = (await rows(0)).find(({ role }) => role === 'leader')?.address;
    const leader = nodes.find(({ address }) => address === leaderAddress);
    const other = nodes.find(({ address }) => address !== leaderAddress);
    assert.ok(leader !== undefined && other !== undefined);
    const session = await openSession({ address: other.address, token });
    let stopped: Finished | undefined;
    const stopping = until('some were published', () => count > 40, 30_000).then(async () => {
      stopped = await leader.hub.stop();
    });
    const lane = async (): Promise<void> => {
      while (stopped === undefined || count < 60) {
        const [result] = await session.publish([published(`e-${++count}`)]);
        assert.ok(result !== undefined && 'sequence' in result, JSON.stringify(result));
      }
    };
    await Promise.all([...Array.from({ length: 16 }, lane), stopping]);
    session.terminate();
    assert.equal((await leader.hub.process.finished).code, 0);
    const port = Number(new URL(leader.address).port);
    leader.hub = await startNode({ dataDir: leader.dataDir, port, secretFile });
    await sameLogs(nodes);
  });

  it('a wiped node is not let vote under its old number; removed and added again, it gets everything (FM-35)', async () => {
    const wiped = node(2);
    await wiped.hub.kill9();
    fs.rmSync(wiped.dataDir, { recursive: true });
    await publishOne();
    nodes.length = 2;
    const { address, serving, dataDir } = startNewcomer(2);
    const refused = await until(
      'it answers',
      async () => {
        const answer = await hubCommand(node(0).dataDir, 'peer', 'add', address);
        return answer.stderr.includes('lost its data') ? answer : undefined;
      },
      30_000,
    );
    assert.equal(refused.code, 65);
    assert.match(refused.stderr, /ctx hub peer remove 3/);
    assert.equal((await hubCommand(node(0).dataDir, 'peer', 'remove', '3')).code, 0);
    const again = await hubCommand(node(0).dataDir, 'peer', 'add', address);
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stdout, /is node 4/);
    nodes.push({ address, dataDir, hub: await serving });
    await votes(address);
    await publishOne();
    await sameLogs(nodes);
  });

  it('removes the leader itself after handing over, and the rest goes on', async () => {
    const leaderRow = (await rows(0)).find(({ role }) => role === 'leader');
    assert.ok(leaderRow !== undefined);
    const at = nodes.findIndex(({ address }) => address === leaderRow.address);
    const [leader] = nodes.splice(at, 1);
    const removed = await until('it is removed', async () => {
      const answer = await hubCommand(node(0).dataDir, 'peer', 'remove', leaderRow.address);
      return answer.code === 0 ? answer : undefined;
    });
    assert.match(removed.stdout, /no longer a member/);
    const back = await hubCommand(node(0).dataDir, 'peer', 'add', leaderRow.address);
    assert.equal(back.code, 65, back.stdout);
    assert.match(back.stderr, /was removed from this cluster.*empty its data directory/);
    await leader?.hub.stop();
    await publishOne();
    await sameLogs(nodes);
    const unknown = await hubCommand(node(0).dataDir, 'peer', 'remove', '99');
    assert.equal(unknown.code, 65);
  });

  it('without a majority writes end with no_leader, reads go on, and a change names the way out (FM-14, FM-16)', async () => {
    const [kept, lost] = nodes;
    assert.ok(kept !== undefined && lost !== undefined);
    await lost.hub.kill9();
    nodes.length = 1;
    const session = await openSession({ address: kept.address, token });
    const names = new RegExp(`not reached: ${lost.address} \\(connect ECONNREFUSED`);
    await until(
      'the node is missed',
      async () => (await hubCommand(kept.dataDir, 'status')).stdout.match(names) !== null,
    );
    await assert.rejects(session.publish([published('nobody')]), { code: 'no_leader', message: names });
    const page = await session.syncPage({});
    assert.ok(page.entries.length > 0);
    session.terminate();
    const refused = await hubCommand(kept.dataDir, 'peer', 'remove', lost.address);
    assert.equal(refused.code, 69);
    assert.match(refused.stderr, /no leader, not reached: ws:.* ctx hub recover --force/);
    const status = await hubCommand(kept.dataDir, 'status', '--exit-code');
    assert.equal(status.code, 1);
    assert.match(status.stdout, /^Problem: +There is no leader: .* Now not reached: ws:.*$/m);
    assert.match(status.stdout, /unreachable: /);
  });
});
