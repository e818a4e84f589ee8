/** Log replication and commitment: thesis §3.5, §3.6. */
import assert from 'node:assert/strict';
import { LostEntriesError } from '../../../hub/raft/invariant';
import type { MessageBody } from '../../../hub/raft/message';
import { bytes, Cluster, ELECTION_TICKS, logOf, TestServer, voters } from '../../support/raft/cluster';

const append = (previous: [term: number, index: number], terms: number[], commit = 0): MessageBody => ({
  kind: 'append',
  previous: { term: previous[0], index: previous[1] },
  entries: terms.map((term, at) => ({ term, index: previous[1] + 1 + at, kind: 'data', data: bytes('x') })),
  commit,
});

const follower = (...terms: number[]): TestServer =>
  new TestServer(1, voters(1, 2, 3), {}, { entries: logOf(...terms) });

describe('raft replication', () => {
  describe('a follower and its leader (§3.5)', () => {
    const checks: [own: number[], previous: [number, number], terms: number[], after: string[] | 'rejected'][] = [
      [[], [0, 0], [3], ['3/1']],
      [[1, 2], [2, 2], [3], ['1/1', '2/2', '3/3']],
      [[1, 2], [1, 1], [3], ['1/1', '3/2']],
      [
        [1, 2],
        [0, 0],
        [3, 3],
        ['3/1', '3/2'],
      ],
      [[1, 2, 2, 2], [1, 1], [3], ['1/1', '3/2']],
      // Nothing in conflict: what follows a repeated append stays.
      [[1, 2, 2], [1, 1], [2], ['1/1', '2/2', '2/3']],
      [[1, 2, 2], [0, 0], [1], ['1/1', '2/2', '2/3']],
      [[1, 2], [0, 0], [], ['1/1', '2/2']],
      [[1, 2], [2, 3], [3], 'rejected'],
      [[1, 2], [3, 2], [3], 'rejected'],
      [[1, 2], [2, 1], [3], 'rejected'],
    ];
    for (const [own, previous, terms, after] of checks) {
      const outcome = after === 'rejected' ? after : `[${after.join()}]`;
      it(`log [${own.join()}], append of [${terms.join()}] behind ${previous.join('/')}: ${outcome}`, () => {
        const server = follower(...own);
        const [answer] = server.receive(2, 3, append(previous, terms));
        if (after === 'rejected') {
          assert.equal(answer?.kind, 'append-rejected');
          assert.deepEqual(
            server.log,
            logOf(...own).map(({ term, index }) => `${term}/${index}`),
          );
        } else {
          assert.deepEqual(server.log, after);
          assert.ok(answer?.kind === 'append-accepted');
          assert.equal(answer.index, previous[1] + terms.length);
        }
      });
    }

    it('commits no further than the append has verified', () => {
      const server = follower(1, 2, 2, 2);
      server.receive(2, 3, append([1, 1], [], 4));
      assert.equal(server.core.status().commit, 1);
      server.receive(2, 3, append([1, 1], [2], 4));
      assert.equal(server.core.status().commit, 2);
      server.receive(2, 3, append([2, 2], [3], 3));
      assert.equal(server.core.status().commit, 3);
    });

    it('commits no further than the leader has', () => {
      const server = follower();
      server.receive(2, 3, append([0, 0], [3, 3, 3], 2));
      assert.equal(server.core.status().commit, 2);
      assert.deepEqual(
        server.applied.map(({ index }) => index),
        [1, 2],
      );
    });

    it('a late append below the commit index is answered with the commit index, its entries are not looked at', () => {
      const server = follower(1, 1, 1);
      server.receive(2, 3, append([1, 3], [], 3));
      const [answer] = server.receive(2, 3, append([1, 1], [3], 1));
      assert.ok(answer?.kind === 'append-accepted');
      assert.equal(answer.index, 3);
      assert.deepEqual(server.log, ['1/1', '1/2', '1/3']);
    });

    it('only entries above the commit index are ever replaced (figure 3.2)', () => {
      const server = follower(1, 1, 1);
      server.receive(2, 3, append([1, 2], [], 2));
      // Another leader of the same term is impossible, and so is a conflict below the commit index.
      server.receive(2, 3, append([1, 2], [1], 3));
      assert.equal(server.core.status().commit, 3);
      const body = append([1, 3], [], 3);
      assert.ok(body.kind === 'append');
      const entries = logOf(1, 1, 2).slice(2);
      const conflicting = { ...body, previous: { term: 1, index: 2 }, entries };
      assert.deepEqual(
        server.receive(2, 3, conflicting)[0]?.kind,
        'append-accepted',
        'below the commit index: not looked at',
      );
      const other = follower(1, 1, 1);
      other.receive(2, 3, { kind: 'heartbeat', commit: 2 });
      const deep = { ...body, previous: { term: 1, index: 2 }, entries: [...logOf(1, 1, 2).slice(2)], commit: 2 };
      assert.equal(other.receive(2, 3, deep)[0]?.kind, 'append-accepted', 'above the commit index: replaced');
      assert.deepEqual(other.log, ['1/1', '1/2', '2/3']);
    });

    it('a rejection says where the logs may meet, skipping whole terms', () => {
      const server = follower(1, 1, 1, 4, 4, 4);
      const [answer] = server.receive(2, 6, append([3, 6], [6]));
      assert.deepEqual(answer?.kind === 'append-rejected' && [answer.index, answer.hint], [6, { term: 1, index: 3 }]);
      const short = follower(1, 1);
      const [other] = short.receive(2, 6, append([3, 6], [6]));
      assert.deepEqual(other?.kind === 'append-rejected' && [other.index, other.hint], [6, { term: 1, index: 2 }]);
    });

    it('a heartbeat moves the commit index; one beyond the log means that this disk lost what was promised (§3.8)', () => {
      const server = follower(1, 1, 1);
      server.receive(2, 1, { kind: 'heartbeat', commit: 2 });
      assert.equal(server.core.status().commit, 2);
      server.receive(2, 1, { kind: 'heartbeat', commit: 1 });
      assert.equal(server.core.status().commit, 2);
      assert.throws(() => server.receive(2, 1, { kind: 'heartbeat', commit: 9 }), LostEntriesError);
    });
  });

  describe('a leader and its followers (§3.5)', () => {
    it('sends new entries to all at once, with the position before them and its commit index', () => {
      const cluster = Cluster.of(3);
      const leader = cluster.elect(1);
      leader.core.propose(bytes('a'));
      const sent = leader.work();
      assert.deepEqual(
        sent.map(
          (message) =>
            message.kind === 'append' && [message.to, message.previous, message.commit, message.entries.length],
        ),
        [
          [2, { term: 1, index: 1 }, 1, 1],
          [3, { term: 1, index: 1 }, 1, 1],
        ],
      );
    });

    it('an entry is applied everywhere once a majority holds it, on followers when they learn of it', () => {
      const cluster = Cluster.of(3);
      cluster.elect(1);
      cluster.isolate(3);
      cluster.propose(1, 'a', 'b');
      assert.deepEqual(cluster.server(1).texts, ['a', 'b']);
      assert.deepEqual(cluster.server(2).texts, ['a', 'b']);
      cluster.heal();
      cluster.tick(2);
      assert.deepEqual(cluster.server(3).texts, ['a', 'b']);
    });

    it('nothing is committed without a majority', () => {
      const cluster = Cluster.of(5);
      cluster.elect(1);
      cluster.isolate(3, 4, 5);
      cluster.propose(1, 'a');
      assert.deepEqual(cluster.server(1).texts, []);
      cluster.heal();
      cluster.isolate(4, 5);
      cluster.tick(2);
      assert.deepEqual(cluster.server(1).texts, ['a']);
    });

    it('counts itself only when its own disk holds the entry (§10.2.1)', () => {
      const { core } = new TestServer(1, voters(1, 2));
      core.campaign();
      core.persisted(core.takeOutput().persist?.number ?? 0);
      core.step({ from: 2, to: 1, term: 1, kind: 'vote', preVote: false, granted: true });
      const output = core.takeOutput();
      assert.deepEqual(
        output.persist?.entries.map(({ index }) => index),
        [1],
      );
      core.step({ from: 2, to: 1, term: 1, kind: 'append-accepted', index: 1 });
      assert.equal(core.status().commit, 0);
      core.persisted(output.persist.number);
      assert.equal(core.status().commit, 1);
    });

    it('a single server commits by itself, once its disk holds the entry', () => {
      const cluster = Cluster.of(1);
      cluster.elect(1);
      cluster.propose(1, 'a');
      assert.deepEqual(cluster.server(1).texts, ['a']);
    });

    it('heartbeats carry only what the follower is known to hold', () => {
      const cluster = Cluster.of(3);
      const leader = cluster.elect(1);
      cluster.isolate(3);
      cluster.propose(1, 'a', 'b');
      leader.core.tick();
      const commits = leader.work().map((message) => message.kind === 'heartbeat' && [message.to, message.commit]);
      assert.deepEqual(commits, [
        [2, 3],
        [3, 1],
      ]);
    });

    // Figure 3.6 of the thesis (figure 7 of the paper): every way in which a log can differ.
    const LEADER = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
    const DIFFERING: [name: string, terms: number[]][] = [
      ['a', [1, 1, 1, 4, 4, 5, 5, 6, 6]],
      ['b', [1, 1, 1, 4]],
      ['c', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6]],
      ['d', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7]],
      ['e', [1, 1, 1, 4, 4, 4, 4]],
      ['f', [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]],
    ];
    for (const [name, terms] of DIFFERING) {
      it(`brings follower (${name}) of figure 3.6 in line, in few rounds`, () => {
        const starts = {
          1: { entries: logOf(...LEADER), term: 7 },
          2: { entries: logOf(...terms), term: 7 },
          3: { term: 7 },
        };
        const cluster = Cluster.of(3, {}, starts);
        let rejections = 0;
        cluster.passes = (message) => {
          if (message.kind === 'append-rejected' && message.from === 2) rejections += 1;
          return true;
        };
        cluster.elect(1);
        assert.equal(cluster.leaders()[0], 1);
        cluster.propose(1, 'next');
        assert.deepEqual(cluster.server(2).log, cluster.server(1).log);
        assert.deepEqual(cluster.server(3).log, cluster.server(1).log);
        assert.ok(rejections <= 2, `${rejections} rejections`);
      });
    }

    it('a late or repeated answer never makes a follower look worse than it is', () => {
      const cluster = Cluster.of(3);
      const leader = cluster.elect(1);
      cluster.propose(1, 'a', 'b', 'c');
      const before = leader.core.status().followers.get(2);
      leader.receive(2, 1, { kind: 'append-rejected', index: 2, hint: { term: 0, index: 0 } });
      leader.receive(2, 1, { kind: 'append-accepted', index: 1 });
      assert.deepEqual(leader.core.status().followers.get(2), before);
    });
  });

  describe('commitment (§3.6.2)', () => {
    it('an entry of an earlier term is not committed by counting, only along with one of the current term (figure 3.7)', () => {
      const leader = follower(1, 2);
      leader.core.campaign();
      leader.work();
      leader.receive(2, 3, { kind: 'vote', preVote: false, granted: true });
      for (const id of [2, 3]) leader.receive(id, 3, { kind: 'append-accepted', index: 2 });
      assert.equal(leader.core.status().commit, 0);
      leader.receive(2, 3, { kind: 'append-accepted', index: 3 });
      assert.equal(leader.core.status().commit, 3);
      assert.deepEqual(
        leader.applied.map(({ index }) => index),
        [1, 2, 3],
      );
    });

    it('what a majority of acknowledgements is for each size', () => {
      const rows: [size: number, acknowledged: number[], committed: boolean][] = [
        [2, [], false],
        [2, [2], true],
        [3, [], false],
        [3, [2], true],
        [4, [2], false],
        [4, [2, 3], true],
        [5, [2], false],
        [5, [2, 3], true],
      ];
      for (const [size, acknowledged, committed] of rows) {
        const leader = new TestServer(1, voters(...[1, 2, 3, 4, 5].slice(0, size)));
        leader.core.campaign();
        leader.work();
        for (let id = 2; id <= size; id += 1) leader.receive(id, 1, { kind: 'vote', preVote: false, granted: true });
        for (const id of acknowledged) leader.receive(id, 1, { kind: 'append-accepted', index: 1 });
        assert.equal(leader.core.status().commit, committed ? 1 : 0, `${size} servers, ${acknowledged.length} answers`);
      }
    });

    it('a new leader starts from what it knows itself: nothing about the others', () => {
      const cluster = Cluster.of(3);
      const first = cluster.elect(1);
      cluster.propose(1, 'a', 'b');
      cluster.elect(2);
      cluster.isolate(2, 3);
      first.core.campaign();
      first.work();
      first.receive(2, 3, { kind: 'vote', preVote: false, granted: true });
      const followers = first.core.status().followers;
      assert.equal(first.role, 'leader');
      assert.deepEqual([followers.get(2)?.match, followers.get(3)?.match], [0, 0]);
      assert.equal(followers.get(2)?.mode, 'probe');
    });
  });

  describe('proposals', () => {
    it('a follower passes them on to its leader, or drops them without one', () => {
      const cluster = Cluster.of(3);
      assert.deepEqual(cluster.server(2).core.propose(bytes('a')), { kind: 'dropped', reason: 'no-leader' });
      cluster.elect(1);
      assert.deepEqual(cluster.server(2).core.propose(bytes('a')), { kind: 'forwarded', to: 1 });
      cluster.settle();
      assert.deepEqual(cluster.server(3).texts, ['a']);
      const silent = Cluster.of(3, { forwardProposals: false });
      silent.elect(1);
      assert.deepEqual(silent.server(2).core.propose(bytes('a')), { kind: 'dropped', reason: 'forwarding-off' });
    });

    it('a leader says where an entry will be', () => {
      const cluster = Cluster.of(3);
      cluster.elect(1);
      assert.deepEqual(cluster.server(1).core.propose(bytes('a'), bytes('b')), { kind: 'appended', term: 1, index: 2 });
      assert.deepEqual(cluster.server(1).core.propose(bytes('c')), { kind: 'appended', term: 1, index: 4 });
    });

    it('a candidate drops them, also those passed on to it', () => {
      const server = new TestServer(1, voters(1, 2, 3));
      server.core.campaign();
      assert.equal(server.core.propose(bytes('a')).kind, 'dropped');
      const proposals = [{ kind: 'data', data: bytes('a') }] as const;
      assert.equal(
        server.core.step({ from: 2, to: 1, term: 0, kind: 'forward-proposals', proposals }),
        'proposal-dropped',
      );
    });

    it('without a majority a leader takes in only a bounded tail, and more once it is committed', () => {
      const cluster = Cluster.of(3, { limits: { maxUncommittedBytes: 10 } });
      const { core } = cluster.elect(1);
      cluster.isolate(2, 3);
      assert.equal(core.propose(bytes('123456')).kind, 'appended');
      assert.equal(core.propose(bytes('1234')).kind, 'appended');
      assert.deepEqual(core.propose(bytes('1')), { kind: 'dropped', reason: 'too-much-uncommitted' });
      assert.equal(core.status().uncommittedBytes, 10);
      cluster.heal();
      cluster.tick(2);
      assert.equal(core.status().uncommittedBytes, 0);
      assert.equal(core.propose(bytes('12345678901234')).kind, 'appended', 'one of any size passes when nothing waits');
    });

    it('a tail left by an earlier leader counts too', () => {
      const starts = { 1: { entries: logOf(1, 1) } };
      const cluster = new Cluster(voters(1), { limits: { maxUncommittedBytes: 6 } }, starts);
      const { core } = cluster.server(1);
      core.campaign();
      core.persisted(core.takeOutput().persist?.number ?? 0);
      assert.equal(core.status().uncommittedBytes, 6);
      assert.equal(core.propose(bytes('x')).kind, 'dropped');
    });
  });

  it('a cluster that lost half its messages still converges', () => {
    const cluster = Cluster.of(5);
    cluster.elect(1);
    let count = 0;
    cluster.passes = () => (count += 1) % 2 === 0;
    for (const each of ['a', 'b', 'c', 'd']) cluster.propose(1, each);
    cluster.heal();
    cluster.tick(3 * ELECTION_TICKS);
    const [leader = 0] = cluster.leaders();
    cluster.propose(leader, 'e');
    cluster.tick(3);
    const logs = [1, 2, 3, 4, 5].map((id) => cluster.server(id).texts.join());
    assert.equal(new Set(logs).size, 1);
    assert.match(logs[0] ?? '', /e$/);
  });
});
