/**
 * The failure modes of a cluster that a user can see, on three real processes: FM-12, FM-13, FM-15, FM-19, FM-20, FM-30, FM-47,
 * FM-52, FM-61. What needs a network to be cut is in test/real-clusters.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { HubError } from '../../core/errors';
import { openSession } from '../../core/node/hub-session';
import type { Hello } from '../../core/wire';
import { PEER_SILENCE_MS } from '../../hub/peers/limits';
import { changeConnection, connectionOf } from '../support/connection';
import { publishAnywhere, sameLogs, statusOf, whoLeads } from '../support/cluster-clients';
import { logOf, startCluster, type ClusterNode, type TestCluster } from '../support/cluster-processes';
import { hubCommand, logEntries, published } from '../support/hub-log';
import { registerClient } from '../support/hub-process';
import { removeTempDirs, start, until, type Finished } from '../support/processes';
import { connect, DECISION_FIELDS, mirroredIds, newProject, succeeded, type CliProject } from '../support/projects';

const MAX_AUTH_AGE_S = 8;
/** Not just that an answer is late. */
const GIVEN_UP = /fell silent|does not answer|broke/;
const HOUR_MS = 3_600_000;
const CLOCK = path.resolve('test/support/faults/clock-jump.cjs');

interface Row {
  readonly address: string;
  readonly role?: string;
  readonly term?: number;
  readonly sequence?: number;
  readonly lag?: number;
  readonly reachable: boolean;
  readonly why?: string;
}

describe('failure modes of a cluster', function () {
  this.timeout(180_000);
  let cluster: TestCluster;
  let token = '';
  let count = 0;

  before(async () => {
    cluster = await startCluster(3, ['--max-auth-age', `${MAX_AUTH_AGE_S}s`], (folder) => ({
      NODE_OPTIONS: `--require ${CLOCK}`,
      CTX_TEST_CLOCK: path.join(folder, 'clock'),
    }));
    const leader = await whoLeads(cluster.nodes);
    ({ token } = await registerClient(leader.hub, 'alpha', 'ada@laptop'));
    await publishOne();
  });
  after(async () => {
    await Promise.all(cluster.nodes.map(({ hub }) => hub.kill9()));
    removeTempDirs();
  });

  const othersThan = (node: ClusterNode): readonly [ClusterNode, ClusterNode] => {
    const [first, second] = cluster.nodes.filter((each) => each !== node);
    assert.ok(first !== undefined && second !== undefined);
    return [first, second];
  };
  const publishOne = (at: readonly ClusterNode[] = cluster.nodes): Promise<number> =>
    publishAnywhere(at, token, published(`e-${++count}`));
  const rows = async (node: ClusterNode): Promise<readonly Row[]> => {
    const { stdout } = await hubCommand(node.dataDir, 'status', '--json');
    return (JSON.parse(stdout) as { peers: readonly Row[] }).peers;
  };

  /** As the node itself says it. */
  const termAt = async (node: ClusterNode): Promise<number | undefined> =>
    (await rows(node)).find(({ address }) => address === node.address)?.term;

  describe('FM-12, FM-19, FM-30: a project that was given one address', () => {
    let writer: CliProject;
    let reader: CliProject;
    let given: ClusterNode;
    let notes = 0;

    const publishNote = async (): Promise<Finished> =>
      writer.ctx(['connection', 'publish', 'learning', `Note ${++notes}`]);
    const fromWriter = (): readonly string[] =>
      logEntries(cluster.nodes[0]?.dataDir ?? '').flatMap(({ id, origin }) => (origin === 'writer' ? [id] : []));
    const readerHasAll = (): Promise<unknown> =>
      until(
        'the listener has every note, once, in order',
        () => fromWriter().length > 0 && mirroredIds(reader, 'hub/learnings.md').join() === fromWriter().join(),
        60_000,
      );

    before(async () => {
      given = await whoLeads(cluster.nodes);
      [writer, reader] = [await newProject('writer'), await newProject('reader')];
      await connect(writer, given.hub);
      await connect(reader, given.hub);
    });

    it('publishes and listens through `ctx hub stop` of that node: no publish fails, nothing is missed or doubled', async () => {
      const leader = await whoLeads(cluster.nodes);
      const others = othersThan(leader);
      const { peers = [] } = await connectionOf(writer);
      assert.deepEqual(
        [...peers].sort(),
        othersThan(given)
          .map(({ address }) => address)
          .sort(),
      );
      const listener = reader.start(['connection', 'listen']);
      const session = await openSession({ address: leader.address, token });
      succeeded(await publishNote());
      let stopped: Finished | undefined;
      const stopping = hubCommand(leader.dataDir, 'stop').then((finished) => (stopped = finished));
      for (let after = 0; after < 2; after += stopped === undefined ? 0 : 1) succeeded(await publishNote());
      succeeded(await stopping);
      // Its last word names the two others, and first the one that leads.
      const { error, addresses } = await session.closed;
      const next = await whoLeads(others);
      assert.equal(error.code, 'going_away');
      assert.deepEqual(addresses, [
        next.address,
        ...others.filter((each) => each !== next).map((each) => each.address),
      ]);
      assert.equal((await leader.hub.process.finished).code, 0);
      await leader.restart();
      await sameLogs(cluster.nodes);
      assert.equal(fromWriter().length, notes);
      await readerHasAll();
      listener.process.kill('SIGTERM');
      assert.equal((await listener.finished).code, 0);
    });

    it('ends every publish acknowledged once or in the outbox through kill -9 of the leader, and gets through elsewhere', async () => {
      const leader = await whoLeads(cluster.nodes);
      const listener = reader.start(['connection', 'listen']);
      const killed = leader.hub.kill9();
      const codes: (number | null)[] = [];
      while (codes.length < 3 || (!codes.includes(0) && codes.length < 12)) codes.push((await publishNote()).code);
      assert.equal((await killed).signal, 'SIGKILL');
      for (const code of codes) assert.ok(code === 0 || code === 75, `exit code ${String(code)}`);
      assert.ok(codes.includes(0), 'one is acknowledged while that node is gone');
      await leader.restart();
      succeeded(await writer.ctx(['connection', 'publish']));
      await sameLogs(cluster.nodes);
      assert.equal(fromWriter().length, notes);
      assert.equal(new Set(fromWriter()).size, notes);
      await readerHasAll();
      listener.process.kill('SIGTERM');
      assert.equal((await listener.finished).code, 0);
    });
  });

  it('FM-15: a follower that stood still catches up by itself, byte for byte', async () => {
    const leader = await whoLeads(cluster.nodes);
    const [still, other] = othersThan(leader);
    const before = await sameLogs(cluster.nodes);
    still.hub.process.process.kill('SIGSTOP');
    try {
      // So long that all connections are given up, its own too.
      const end = performance.now() + 2 * PEER_SILENCE_MS;
      while (performance.now() < end) await publishOne([leader, other]);
      assert.ok(logOf(still).equals(before), 'it stood still');
      await until(
        'its connections were given up',
        async () =>
          (await rows(leader)).some(({ address, why = '' }) => address === still.address && GIVEN_UP.test(why)),
        30_000,
      );
    } finally {
      still.hub.process.process.kill('SIGCONT');
    }
    assert.ok((await sameLogs(cluster.nodes)).length > before.length);
  });

  it('FM-14: with a majority that hangs, every command says “no leader” in time, whichever address it tries first', async () => {
    const leader = await whoLeads(cluster.nodes);
    const silent = othersThan(leader);
    const project = await newProject('hung');
    await connect(project, leader.hub);
    const [first, second] = silent.map(({ address }) => address);
    await changeConnection(project, { hub_addr: first ?? '', peers: [second ?? '', leader.address] });
    for (const { hub } of silent) hub.process.process.kill('SIGSTOP');
    try {
      const shared = await project.ctx(['add', 'decision', 'Kept', ...DECISION_FIELDS, '--share']);
      const published = await project.ctx(['connection', 'publish']);
      assert.deepEqual([shared.code, published.code], [75, 69]);
      for (const { stderr } of [shared, published]) assert.match(stderr, /\(no_leader\): There is no leader/);
    } finally {
      for (const { hub } of silent) hub.process.process.kill('SIGCONT');
    }
    assert.match(project.read('DECISIONS.md'), /Kept/);
    await whoLeads(cluster.nodes);
    succeeded(await project.ctx(['connection', 'publish']));
  });

  it('FM-30: `ctx hub stop` of the leader hands over while it still votes: with the third node frozen nobody could be elected later', async () => {
    const leader = await whoLeads(cluster.nodes);
    const [next, frozen] = othersThan(leader);
    const before = await termAt(next);
    assert.ok(before !== undefined);
    frozen.hub.process.process.kill('SIGSTOP');
    try {
      await publishOne([leader]);
      succeeded(await hubCommand(leader.dataDir, 'stop'));
      assert.equal((await leader.hub.process.finished).code, 0);
      // A term begins with a vote of the majority, which was there only before.
      assert.ok(((await termAt(next)) ?? 0) > before, 'it was elected');
    } finally {
      frozen.hub.process.process.kill('SIGCONT');
    }
    await leader.restart();
    await publishOne();
    await sameLogs(cluster.nodes);
  });

  it('FM-52: the leader’s clock jumps an hour ahead and an hour back: same leader, same term, writes go on', async () => {
    for (const jump of [HOUR_MS, -HOUR_MS]) {
      // On a busy machine leadership may move by itself; whatever followed the clock would move with each jump.
      await until('a jump changes nothing', () => changesNothing(jump), 90_000);
    }
    await sameLogs(cluster.nodes);
  });

  async function changesNothing(jump: number): Promise<boolean> {
    const leader = await whoLeads(cluster.nodes);
    const term = await termAt(leader);
    const clock = path.join(path.dirname(leader.dataDir), 'clock');
    fs.writeFileSync(clock, String(jump));
    try {
      await until(
        'its clock has jumped',
        async () => {
          const { time } = await helloOf(leader);
          return Math.abs(Date.parse(time) - Date.now() - jump) < HOUR_MS / 10;
        },
        30_000,
      );
      // Longer than any silence that is given up.
      const end = performance.now() + 2 * PEER_SILENCE_MS;
      while (performance.now() < end) await publishOne([leader]);
      return (await statusOf(leader)).role === 'leader' && (await termAt(leader)) === term;
    } finally {
      fs.writeFileSync(clock, '0');
    }
  }

  async function helloOf(node: ClusterNode): Promise<Hello> {
    const session = await openSession({ address: node.address, token: node.hub.adminToken });
    session.terminate();
    return session.hello;
  }

  it('FM-20: a leader whose disk is full hands over, and follows again when there is space', async function () {
    if (process.platform !== 'linux' || spawnSync('prlimit', ['--version']).error !== undefined) {
      console.log('      NOT RUN: needs Linux and prlimit');
      this.skip();
    }
    const leader = await whoLeads(cluster.nodes);
    const others = othersThan(leader);
    const limit = (bytes: string): unknown =>
      execFileSync('prlimit', ['--pid', String(leader.hub.process.process.pid), `--fsize=${bytes}:`]);
    limit('1');
    try {
      await publishOne(others);
      assert.notEqual(await whoLeads(others), leader);
      await until(
        'it says what is wrong',
        async () => (await statusOf(leader)).problems.some((problem) => /full|space/i.test(problem)),
        30_000,
      );
      assert.ok((await rows(others[0])).some(({ address, why }) => address === leader.address && why !== undefined));
    } finally {
      limit('unlimited');
    }
    await sameLogs(cluster.nodes);
    await until('it has no fault any more', async () => (await statusOf(leader)).problems.length === 0, 30_000);
  });

  it('FM-47: clients.json edited by hand is refused at the start, naming what to use; a revoked client never comes back', async () => {
    const leader = await whoLeads(cluster.nodes);
    const [node] = othersThan(leader);
    const revoked = await registerClient(leader.hub, 'revoked');
    succeeded(await hubCommand(leader.dataDir, 'client', 'revoke', revoked.clientId));
    await sameLogs(cluster.nodes);
    const file = path.join(node.dataDir, 'clients.json');
    await until('it is revoked there', () => fs.readFileSync(file, 'utf8').includes('revoked_at'));
    assert.equal((await node.hub.stop()).code, 0);
    const before = fs.readFileSync(file, 'utf8');
    const edited = JSON.parse(before) as { clients: { revoked_at?: string }[] };
    for (const client of edited.clients) delete client.revoked_at;
    fs.writeFileSync(file, JSON.stringify(edited));
    const flags = ['--daemon', '--port', String(node.hub.port), '--cluster-secret-file', cluster.secretFile];
    const refused = await hubCommand(node.dataDir, 'start', ...flags);
    if (refused.code === 0) await hubCommand(node.dataDir, 'stop');
    assert.equal(refused.code, 78, refused.stderr);
    assert.match(refused.stderr, /revoked tester@here .* no longer revoked[\s\S]*ctx hub client revoke/);
    fs.writeFileSync(file, before);
    await node.restart();
    await assert.rejects(openSession({ address: node.address, token: revoked.token }), { code: 'unauthenticated' });
  });

  it('FM-13, FM-61: a node without a majority serves what it has, says so, and after --max-auth-age answers no client', async () => {
    const kept = await whoLeads(cluster.nodes);
    const lost = othersThan(kept);
    const session = await openSession({ address: kept.address, token });
    const watching = start(['hub', 'status', '--watch', '--data-dir', kept.dataDir], { cwd: cluster.folder });
    await watching.says(/leader(.*\n)*.*follower(.*\n)*.*follower/, 30_000);
    await Promise.all(lost.map(({ hub }) => hub.kill9()));
    let ended: HubError | undefined;
    void session.closed.then(({ error }) => (ended = error));
    await assert.rejects(session.publish([published('nobody')]), { code: 'no_leader' });
    const page = await session.syncPage({}).catch((error: unknown) => error);
    assert.ok('entries' in (page as object), 'reads go on at first');
    const table = await rows(kept);
    assert.deepEqual(
      table.map(({ address, reachable }) => [address, reachable]).sort(),
      cluster.nodes.map((node) => [node.address, node === kept]).sort(),
    );
    for (const row of table) {
      if (row.reachable) assert.ok(row.role === 'follower' && row.term !== undefined && row.sequence !== undefined);
      else assert.match(row.why ?? '', /ECONNREFUSED|silent|broke|connect/);
    }
    const why = await until('the session is ended', () => ended, 30_000);
    assert.equal(why.code, 'no_leader');
    assert.match(why.message, /no leader for more than 8s \(--max-auth-age\)/);
    await assert.rejects(openSession({ address: kept.address, token }), { code: 'no_leader' });
    await watching.says(/Problem: +There is no leader(.*\n)*.*unreachable: /, 30_000);
    watching.process.kill('SIGINT');
    await watching.finished;
    const { problems } = await statusOf(kept);
    assert.ok(problems.some((problem) => problem.startsWith('There is no leader')));
    assert.ok(problems.some((problem) => problem.includes('--max-auth-age')));
    await Promise.all(lost.map((node) => node.restart()));
    await publishOne([kept]);
    await sameLogs(cluster.nodes);
  });
});
