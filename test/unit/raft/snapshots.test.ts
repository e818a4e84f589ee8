/** Log compaction and snapshots: thesis chapter 5. */
import assert from 'node:assert/strict';
import { RaftInvariantError } from '../../../hub/raft/invariant';
import type { Snapshot } from '../../../hub/raft/entry';
import { bytes, Cluster, logOf, TestServer, voters } from '../../support/raft/cluster';

const snapshotAt = (term: number, index: number, ids = [1, 2, 3]): Snapshot => ({
  term,
  index,
  configuration: voters(...ids),
  data: bytes('state'),
});

const follower = (...terms: number[]): TestServer =>
  new TestServer(1, voters(1, 2, 3), {}, { entries: logOf(...terms) });

/** Server 3 missed what the leader has compacted away. */
function behind(): Cluster {
  const cluster = Cluster.of(3);
  cluster.elect(1);
  cluster.isolate(3);
  cluster.propose(1, 'a', 'b', 'c');
  cluster.server(1).compact();
  cluster.heal();
  return cluster;
}

describe('raft snapshots (chapter 5)', () => {
  it('a follower that is too far behind gets a snapshot, then entries again (§5.3)', () => {
    const cluster = behind();
    cluster.tick(2);
    const late = cluster.server(3);
    assert.deepEqual(late.snapshot?.index, 4);
    assert.equal(late.core.status().applied, 4);
    assert.equal(cluster.server(1).core.status().followers.get(3)?.mode, 'replicate');
    cluster.propose(1, 'd');
    assert.deepEqual(late.texts, ['d']);
  });

  it('one snapshot at a time: nothing else is sent to that follower until it is answered', () => {
    const cluster = behind();
    cluster.passes = ({ kind }) => kind !== 'snapshot';
    cluster.tick(2);
    const leader = cluster.server(1);
    const view = leader.core.status().followers.get(3);
    assert.deepEqual([view?.mode, view?.pendingSnapshot, view?.paused], ['snapshot', 4, true]);
    leader.core.propose(bytes('d'));
    assert.ok(leader.work().every(({ to }) => to !== 3));
    leader.core.reportSnapshot(3, false);
    const failed = leader.core.status().followers.get(3);
    assert.deepEqual([failed?.mode, failed?.next, failed?.paused], ['probe', 2, true]);
    cluster.heal();
    cluster.tick(2);
    assert.equal(cluster.server(3).snapshot?.index, 5 - 1);
    assert.deepEqual(cluster.server(3).texts, ['d']);
  });

  it('a snapshot that was carried by somebody else is probed from its end', () => {
    const cluster = behind();
    cluster.passes = ({ kind }) => kind !== 'snapshot';
    cluster.tick(2);
    cluster.server(1).core.reportSnapshot(3, true);
    assert.equal(cluster.server(1).core.status().followers.get(3)?.next, 5);
    cluster.server(1).core.reportSnapshot(3, true);
    cluster.server(1).core.reportSnapshot(9, true);
    cluster.server(2).core.reportSnapshot(3, true);
  });

  it('none is sent to somebody who does not answer, or before there is one', () => {
    const cluster = behind();
    cluster.isolate(3);
    const sent: string[] = [];
    cluster.passes = ({ kind, to }) => {
      if (to === 3) sent.push(kind);
      return true;
    };
    cluster.server(1).snapshot = undefined;
    cluster.heal();
    cluster.tick(3);
    assert.equal(cluster.server(1).core.status().followers.get(3)?.mode, 'probe');
    assert.ok(!sent.includes('snapshot'));
  });

  it('replaces the log, is durable before it is acknowledged, and leaves nothing to apply twice', () => {
    const { core } = follower(1, 1);
    core.step({ from: 2, to: 1, term: 3, kind: 'snapshot', snapshot: snapshotAt(2, 5) });
    const output = core.takeOutput();
    assert.equal(output.persist?.snapshot?.index, 5);
    assert.equal(output.persist.mustSync, true);
    assert.deepEqual(output.now.messages, []);
    assert.deepEqual(
      output.afterPersist.messages.map(({ kind }) => kind),
      ['append-accepted'],
    );
    assert.deepEqual([...output.now.apply, ...output.afterPersist.apply], []);
    assert.equal(core.campaign(), false, 'nobody leads with half a log');
    core.persisted(output.persist.number);
    assert.equal(core.status().applied, 5);
    assert.deepEqual([core.status().firstIndex, core.status().last], [6, { term: 2, index: 5 }]);
    assert.equal(core.campaign(), true);
  });

  it('entries that follow a snapshot wait for it', () => {
    const { core } = follower(1);
    core.step({ from: 2, to: 1, term: 2, kind: 'snapshot', snapshot: snapshotAt(2, 5) });
    const first = core.takeOutput();
    const entries = logOf(2, 2, 2, 2, 2, 2).slice(5);
    core.step({ from: 2, to: 1, term: 2, kind: 'append', previous: { term: 2, index: 5 }, entries, commit: 6 });
    assert.equal(core.hasOutput(), false);
    core.persisted(first.persist?.number ?? 0);
    const second = core.takeOutput();
    assert.deepEqual(
      second.afterPersist.apply.map(({ index }) => index),
      [6],
    );
  });

  it('its configuration takes effect after changes that were handed out before', () => {
    const change = { transition: 'auto', changes: [{ kind: 'remove', node: 3 }] } as const;
    const { core } = follower(1);
    const entries = [{ term: 1, index: 2, kind: 'configuration', change } as const];
    core.step({ from: 2, to: 1, term: 1, kind: 'append', previous: { term: 1, index: 1 }, entries, commit: 2 });
    const first = core.takeOutput();
    assert.equal(first.afterPersist.apply.length, 1);
    core.step({ from: 2, to: 1, term: 1, kind: 'snapshot', snapshot: snapshotAt(1, 5, [1, 2, 4]) });
    core.persisted(first.persist?.number ?? 0);
    assert.deepEqual(core.applyChange(change), voters(1, 2));
    const second = core.takeOutput();
    core.persisted(second.persist?.number ?? 0);
    assert.deepEqual(core.status().configuration, voters(1, 2, 4));
  });

  it('a newer snapshot that arrives while one is written is written next', () => {
    const { core } = follower(1);
    core.step({ from: 2, to: 1, term: 2, kind: 'snapshot', snapshot: snapshotAt(2, 5) });
    const first = core.takeOutput();
    core.step({ from: 2, to: 1, term: 2, kind: 'snapshot', snapshot: snapshotAt(2, 9) });
    core.persisted(first.persist?.number ?? 0);
    assert.equal(core.status().applied, 0);
    const second = core.takeOutput();
    assert.equal(second.persist?.snapshot?.index, 9);
    core.persisted(second.persist.number);
    assert.equal(core.status().applied, 9);
  });

  it('one that is older than what is committed is ignored, and answered with the commit index', () => {
    const server = follower(1, 1, 1);
    server.receive(2, 1, { kind: 'heartbeat', commit: 3 });
    const [answer] = server.receive(2, 1, { kind: 'snapshot', snapshot: snapshotAt(1, 2) });
    assert.deepEqual(answer?.kind === 'append-accepted' && answer.index, 3);
    assert.deepEqual(server.log, ['1/1', '1/2', '1/3']);
    assert.equal(server.core.status().commit, 3);
  });

  it('one that arrives after its end was compacted away takes nothing back', () => {
    const server = follower(1, 1, 1, 1);
    server.receive(2, 1, { kind: 'heartbeat', commit: 4 });
    server.compact(3);
    const [answer] = server.receive(2, 1, { kind: 'snapshot', snapshot: snapshotAt(1, 2) });
    assert.deepEqual(answer?.kind === 'append-accepted' && answer.index, 4);
    assert.deepEqual([server.core.status().commit, server.core.status().last.index], [4, 4]);
  });

  it('one whose end the log holds only commits; what follows is kept (§5.3)', () => {
    const server = follower(1, 1, 1);
    server.receive(2, 1, { kind: 'snapshot', snapshot: snapshotAt(1, 2) });
    assert.deepEqual(server.log, ['1/1', '1/2', '1/3']);
    assert.equal(server.core.status().commit, 2);
    assert.equal(server.snapshot, undefined);
  });

  it('one that does not know this server is not taken', () => {
    const server = follower(1);
    const [answer] = server.receive(2, 1, { kind: 'snapshot', snapshot: snapshotAt(1, 9, [2, 3]) });
    assert.deepEqual(answer?.kind === 'append-accepted' && answer.index, 0);
    assert.deepEqual(server.log, ['1/1']);
  });

  it('brings its configuration along, also for a server that had none', () => {
    const server = new TestServer(3, voters());
    server.receive(1, 2, {
      kind: 'snapshot',
      snapshot: { ...snapshotAt(2, 5), configuration: { ...voters(1), learners: [3] } },
    });
    assert.deepEqual(server.core.status().configuration, { ...voters(1), learners: [3] });
  });

  it('only what is durable and applied can be compacted (§5.1)', () => {
    const cluster = Cluster.of(3);
    const { core } = cluster.elect(1);
    cluster.propose(1, 'a', 'b');
    assert.throws(() => core.compact(4), RaftInvariantError);
    cluster.server(1).compact(2);
    cluster.server(1).compact(1);
    assert.equal(core.status().firstIndex, 3);
    cluster.propose(1, 'c');
    assert.deepEqual(cluster.server(2).texts, ['a', 'b', 'c']);
  });

  it('a server restarts from snapshot and log', () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.propose(1, 'a', 'b');
    cluster.server(1).compact(2);
    cluster.server(1).restart();
    const { firstIndex, last, applied } = cluster.server(1).core.status();
    assert.deepEqual({ firstIndex, last, applied }, { firstIndex: 3, last: { term: 1, index: 3 }, applied: 3 });
    cluster.elect(2);
    cluster.propose(2, 'c');
    assert.deepEqual(cluster.server(1).texts, ['a', 'b', 'c']);
  });

  it('a snapshot source that does not fit the log is a bug that must be seen', () => {
    const cluster = behind();
    cluster.server(1).snapshot = snapshotAt(1, 1);
    assert.throws(() => cluster.tick(2), RaftInvariantError);
  });
});
