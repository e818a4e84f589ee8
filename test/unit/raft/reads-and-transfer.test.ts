/** Reads without log entries (thesis §6.4) and leadership transfer (§3.10). */
import assert from 'node:assert/strict';
import { bytes, Cluster, ELECTION_TICKS, logOf, TestServer, voters } from '../../support/raft/cluster';

describe('raft reads (§6.4)', () => {
  it('are answered with the commit index once a majority confirmed the leader', () => {
    const cluster = Cluster.of(3);
    const leader = cluster.elect(1);
    cluster.propose(1, 'a');
    leader.core.askRead('r1');
    assert.deepEqual(leader.reads, []);
    cluster.settle();
    assert.deepEqual(leader.reads, [{ read: 'r1', index: 2 }]);
  });

  it('are never answered by a leader that lost its majority', () => {
    const cluster = Cluster.of(3);
    const old = cluster.elect(1);
    cluster.isolate(1);
    cluster.elect(2);
    cluster.propose(2, 'newer');
    old.core.askRead('r1');
    cluster.tick(3);
    assert.equal(old.role, 'leader');
    assert.deepEqual(old.reads, []);
    cluster.heal();
    cluster.tick(3);
    assert.deepEqual(old.reads, []);
  });

  it('wait, at a new leader, until an entry of its term is committed (step 1)', () => {
    for (const readMode of ['safe', 'lease'] as const) {
      const cluster = Cluster.of(3, { readMode, checkQuorum: true });
      cluster.passes = ({ kind }) => kind !== 'append';
      const leader = cluster.elect(1);
      leader.core.askRead('r1');
      cluster.settle();
      cluster.tick(2);
      assert.deepEqual(leader.reads, [], readMode);
      cluster.heal();
      cluster.tick(2);
      assert.deepEqual(leader.reads, [{ read: 'r1', index: 1 }], readMode);
    }
  });

  it('wait at a server that is alone too: after a restart it may have forgotten what was committed', () => {
    const server = new TestServer(1, voters(1), {}, { entries: logOf(1, 1), term: 1, commit: 1 });
    server.core.campaign();
    server.core.persisted(server.core.takeOutput().persist?.number ?? 0);
    assert.equal(server.role, 'leader');
    server.core.askRead('r1');
    server.work();
    assert.deepEqual(server.reads, [{ read: 'r1', index: 3 }]);
  });

  it('asked at a follower go to the leader and come back', () => {
    const cluster = Cluster.of(3);
    assert.equal(cluster.server(2).core.askRead('early'), false);
    cluster.elect(1);
    assert.equal(cluster.server(2).core.askRead('r1'), true);
    cluster.settle();
    assert.deepEqual(cluster.server(2).reads, [{ read: 'r1', index: 1 }]);
    assert.deepEqual(cluster.server(1).reads, []);
  });

  it('one confirmation answers all that were asked before', () => {
    const cluster = Cluster.of(3);
    const leader = cluster.elect(1);
    for (const read of ['r1', 'r2', 'r3']) leader.core.askRead(read);
    cluster.passes = (message) => message.kind !== 'heartbeat' || message.read === 'r2';
    cluster.settle();
    assert.deepEqual(
      leader.reads.map(({ read }) => read),
      ['r1', 'r2'],
    );
    cluster.heal();
    cluster.tick(1);
    assert.deepEqual(
      leader.reads.map(({ read }) => read),
      ['r1', 'r2', 'r3'],
    );
  });

  it('by lease need no round of messages; alone no lease', () => {
    const cluster = Cluster.of(3, { readMode: 'lease', checkQuorum: true });
    const leader = cluster.elect(1);
    leader.core.askRead('r1');
    assert.ok(leader.work().every(({ kind }) => kind !== 'heartbeat'));
    assert.deepEqual(leader.reads, [{ read: 'r1', index: 1 }]);
    const alone = Cluster.of(1).elect(1);
    alone.core.askRead('r1');
    alone.work();
    assert.deepEqual(alone.reads, [{ read: 'r1', index: 1 }]);
  });

  it('confirmations of a learner, or of one voter twice, are no majority', () => {
    const leader = new TestServer(1, { ...voters(1, 2, 3, 4, 5), learners: [6] });
    leader.core.campaign();
    leader.work();
    for (const id of [2, 3]) leader.receive(id, 1, { kind: 'vote', preVote: false, granted: true });
    for (const id of [2, 3]) leader.receive(id, 1, { kind: 'append-accepted', index: 1 });
    leader.core.askRead('r1');
    leader.work();
    for (const id of [2, 2, 6]) leader.receive(id, 1, { kind: 'heartbeat-response', read: 'r1' });
    assert.deepEqual(leader.reads, []);
    leader.receive(3, 1, { kind: 'heartbeat-response', read: 'r1' });
    assert.deepEqual(leader.reads, [{ read: 'r1', index: 1 }]);
    leader.receive(4, 1, { kind: 'heartbeat-response', read: 'unknown' });
  });

  it('waiting when the leader steps down are never answered', () => {
    const cluster = Cluster.of(3);
    const leader = cluster.elect(1);
    leader.core.askRead('r1');
    leader.work();
    leader.receive(2, 5, { kind: 'heartbeat', commit: 0 });
    leader.receive(3, 1, { kind: 'heartbeat-response', read: 'r1' });
    assert.deepEqual(leader.reads, []);
  });
});

describe('raft leadership transfer (§3.10)', () => {
  it('an up-to-date target leads at once, against lease and pre-vote', () => {
    const cluster = Cluster.of(3, { preVote: true, checkQuorum: true });
    const leader = cluster.elect(1);
    leader.core.transferLeadership(2);
    cluster.settle();
    assert.deepEqual(cluster.leaders(), [2]);
    assert.equal(cluster.server(2).core.status().term, 2);
  });

  it('a target that lags is brought up to date first', () => {
    const cluster = Cluster.of(3);
    const leader = cluster.elect(1);
    cluster.isolate(3);
    cluster.propose(1, 'a', 'b');
    cluster.heal();
    leader.core.transferLeadership(3);
    cluster.settle();
    cluster.tick(2);
    assert.deepEqual(cluster.leaders(), [3]);
    assert.deepEqual(cluster.server(3).texts, ['a', 'b']);
  });

  it('a follower passes the wish on', () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.server(2).core.transferLeadership(3);
    cluster.settle();
    assert.deepEqual(cluster.leaders(), [3]);
  });

  it('meanwhile no proposals are taken in; after one election time it is given up', () => {
    const cluster = Cluster.of(3);
    const leader = cluster.elect(1);
    cluster.isolate(3);
    leader.core.transferLeadership(3);
    assert.deepEqual(leader.core.propose(bytes('a')), { kind: 'dropped', reason: 'transfer-under-way' });
    cluster.tick(ELECTION_TICKS - 1);
    assert.equal(leader.core.status().transferTarget, 3);
    cluster.tick(1);
    assert.equal(leader.core.status().transferTarget, 0);
    assert.equal(leader.core.propose(bytes('a')).kind, 'appended');
  });

  it('not to itself, a learner or a stranger; another target replaces the first', () => {
    const cluster = new Cluster({ ...voters(1, 2, 3), learners: [4] });
    const leader = cluster.elect(1);
    cluster.isolate(2, 3, 4);
    const targets = [1, 4, 9, 2, 2, 3].map((target) => {
      leader.core.transferLeadership(target);
      return leader.core.status().transferTarget;
    });
    assert.deepEqual(targets, [0, 0, 0, 2, 2, 3]);
    leader.core.transferLeadership(1);
    assert.equal(leader.core.status().transferTarget, 0, 'to itself: the one under way is called off');
  });

  it('is called off when the target is removed, or a higher term appears', () => {
    const cluster = Cluster.of(3);
    const leader = cluster.elect(1);
    leader.core.proposeChange({ transition: 'auto', changes: [{ kind: 'remove', node: 3 }] });
    cluster.passes = ({ to }) => to !== 3;
    leader.core.transferLeadership(3);
    cluster.settle();
    assert.equal(leader.core.status().transferTarget, 0);
    leader.core.transferLeadership(2);
    leader.core.step({ from: 2, to: 1, term: 9, kind: 'heartbeat', commit: 0 });
    assert.equal(leader.core.status().transferTarget, 0);
  });

  it('who may not lead does not stand when asked', () => {
    const server = new TestServer(4, { ...voters(1, 2, 3), learners: [4] });
    assert.deepEqual(
      server.receive(1, 1, { kind: 'timeout-now' }).map(({ kind }) => kind),
      [],
    );
    assert.equal(server.role, 'follower');
  });
});
