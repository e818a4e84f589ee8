/** How fast a leader sends: probing, pipelining, windows (thesis §3.5, §10.2.1). */
import assert from 'node:assert/strict';
import { InflightWindow } from '../../../hub/raft/inflight-window';
import { Progress } from '../../../hub/raft/progress';
import { bytes, Cluster, type TestServer } from '../../support/raft/cluster';

const LIMITS = { maxInflightMessages: 2, maxInflightBytes: 100 };

const appendsTo = (server: TestServer, to: number): number[] =>
  server.work().flatMap((message) => (message.kind === 'append' && message.to === to ? [message.entries.length] : []));

describe('raft flow control', () => {
  it('a window is full by messages or by bytes, and freed by the answer to the newest', () => {
    const window = new InflightWindow(3, 100);
    window.add(1, 60);
    assert.equal(window.full, false);
    window.add(2, 60);
    assert.equal(window.full, true);
    window.freeThrough(1);
    assert.deepEqual([window.count, window.full], [1, false]);
    for (const index of [3, 4]) window.add(index, 1);
    assert.equal(window.full, true);
    window.freeThrough(9);
    assert.equal(window.count, 0);
  });

  it('next stays above match, whatever answers come', () => {
    const progress = new Progress(10, LIMITS);
    assert.equal(progress.reject(5, 3), false, 'not the append that is under way');
    assert.equal(progress.reject(9, 3), true);
    assert.equal(progress.next, 4);
    assert.equal(progress.acknowledge(3), true);
    progress.becomeReplicate();
    progress.sentEntries(4, 10);
    assert.equal(progress.next, 8);
    assert.equal(progress.acknowledge(2), false);
    assert.equal(progress.reject(3, 0), false, 'that matched already');
    assert.equal(progress.reject(7, 0), true);
    assert.deepEqual([progress.match, progress.next], [3, 4]);
  });

  it('tells a commit index only to those it is news for', () => {
    const progress = new Progress(5, LIMITS);
    assert.equal(progress.canUseCommit(3), true);
    progress.sentCommit(3);
    assert.equal(progress.canUseCommit(3), false);
    assert.equal(progress.canUseCommit(4), true);
    progress.sentCommit(4);
    assert.equal(progress.canUseCommit(9), false, 'it has nothing more to commit');
  });

  it('a probe is one append at a time, until it is answered or a heartbeat is', () => {
    const cluster = Cluster.of(3);
    const leader = cluster.elect(1);
    leader.core.reportUnreachable(2);
    assert.equal(leader.core.status().followers.get(2)?.mode, 'probe');
    for (const each of ['a', 'b', 'c']) leader.core.propose(bytes(each));
    assert.deepEqual(appendsTo(leader, 2), [1]);
    leader.receive(2, 1, { kind: 'heartbeat-response' });
    leader.core.propose(bytes('d'));
    assert.deepEqual(appendsTo(leader, 2), []);
    leader.receive(2, 1, { kind: 'append-accepted', index: 4 });
    assert.equal(leader.core.status().followers.get(2)?.mode, 'replicate');
  });

  it('pipelined appends stop when the window is full, and go on with the answers', () => {
    const cluster = Cluster.of(3, { limits: { maxInflightMessages: 2 } });
    const leader = cluster.elect(1);
    for (const each of ['a', 'b', 'c', 'd']) leader.core.propose(bytes(each));
    assert.deepEqual(appendsTo(leader, 2), [1, 1]);
    assert.equal(leader.core.status().followers.get(2)?.paused, true);
    const sent = leader.receive(2, 1, { kind: 'append-accepted', index: 2 });
    assert.deepEqual(
      sent.map((message) => message.kind === 'append' && message.to === 2 && message.entries.length),
      [2],
    );
  });

  it('a full window whose messages were all lost is found out by an empty append after a heartbeat', () => {
    const cluster = Cluster.of(3, { limits: { maxInflightMessages: 2 } });
    const leader = cluster.elect(1);
    cluster.isolate(3);
    cluster.propose(1, 'a', 'b', 'c', 'd');
    assert.equal(leader.core.status().followers.get(3)?.windowFull, true);
    cluster.heal();
    cluster.tick(2);
    assert.deepEqual(cluster.server(3).texts, ['a', 'b', 'c', 'd']);
  });

  it('large backlogs go in portions, a large entry alone', () => {
    const cluster = Cluster.of(3, { limits: { maxAppendBytes: 100, maxInflightMessages: 3 } });
    const sizes: number[] = [];
    cluster.elect(1);
    cluster.isolate(3);
    cluster.propose(1, 'x'.repeat(500), 'y', 'z', 'w'.repeat(90));
    cluster.heal();
    cluster.passes = (message) => {
      if (message.to === 3 && message.kind === 'append' && message.entries.length > 0)
        sizes.push(message.entries.length);
      return true;
    };
    cluster.tick(2);
    assert.deepEqual(sizes, [1, 2, 1]);
    assert.equal(cluster.server(3).texts.length, 4);
  });
});
