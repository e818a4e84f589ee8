/** Elections: thesis §3.3, §3.4, §3.6.1, §4.2.3, §6.2, §9.6. */
import assert from 'node:assert/strict';
import { RaftInvariantError } from '../../../hub/raft/invariant';
import type { Message } from '../../../hub/raft/message';
import { Cluster, ELECTION_TICKS, logOf, TestServer, voters, type Setup, type Start } from '../../support/raft/cluster';

const three = (id = 1, setup: Setup = {}, start: Start = {}): TestServer =>
  new TestServer(id, voters(1, 2, 3), setup, start);

const kinds = (messages: readonly Message[]): string[] => messages.map(({ kind, to }) => `${kind} to ${to}`);

const askVote = (last = { term: 0, index: 0 }, preVote = false) =>
  ({ kind: 'request-vote', preVote, last, transfer: false }) as const;

const grantsIn = (messages: readonly Message[]): (boolean | undefined)[] =>
  messages.map((message) => (message.kind === 'vote' ? message.granted : undefined));

function lead(server: TestServer): TestServer {
  server.core.campaign();
  server.work();
  server.receive(2, server.core.status().term, { kind: 'vote', preVote: false, granted: true });
  assert.equal(server.role, 'leader');
  return server;
}

describe('raft election', () => {
  describe('terms (§3.3)', () => {
    for (const role of ['follower', 'candidate', 'leader'] as const) {
      it(`a ${role} that sees a higher term follows it, without having voted in it`, () => {
        const server = three();
        if (role === 'candidate') server.core.campaign();
        if (role === 'leader') lead(server);
        server.work();
        server.receive(2, 7, { kind: 'append', previous: { term: 0, index: 0 }, entries: [], commit: 0 });
        const { term, vote, leader } = server.core.status();
        assert.deepEqual({ role: server.role, term, vote, leader }, { role: 'follower', term: 7, vote: 0, leader: 2 });
      });
    }

    it('a message of an older term changes nothing and is answered only where an old leader must learn of it', () => {
      const server = three(1, {}, { term: 5 });
      const append = { kind: 'append', previous: { term: 0, index: 0 }, entries: logOf(4), commit: 1 } as const;
      assert.deepEqual(server.receive(2, 4, append), []);
      assert.deepEqual(server.log, []);
      const strict = three(1, { checkQuorum: true, preVote: true }, { term: 5 });
      assert.deepEqual(
        strict.receive(2, 4, append).map(({ kind, term }) => ({ kind, term })),
        [{ kind: 'append-accepted', term: 5 }],
      );
    });

    it('a vote of an older term does not count', () => {
      const server = three();
      server.core.campaign();
      server.core.campaign();
      server.work();
      assert.equal(server.core.status().term, 2);
      server.receive(2, 1, { kind: 'vote', preVote: false, granted: true });
      assert.equal(server.role, 'candidate');
    });
  });

  describe('beginning (§3.4)', () => {
    it('a server begins as follower, and stands when it hears nobody for its election time', () => {
      const server = three(3);
      assert.equal(server.role, 'follower');
      server.tick(ELECTION_TICKS + 2);
      assert.equal(server.role, 'follower');
      server.tick(1);
      const sent = server.work();
      const { term, vote } = server.core.status();
      assert.deepEqual({ role: server.role, term, vote }, { role: 'candidate', term: 1, vote: 3 });
      assert.deepEqual(kinds(sent), ['request-vote to 1', 'request-vote to 2']);
    });

    it('draws its election time from [electionTicks, 2 × electionTicks), and anew for each term', () => {
      const drawn = [0, 0.5, 0.999];
      const server = three(1, { random: () => drawn.shift() ?? 0 });
      assert.equal(server.core.status().electionTicksLeft, ELECTION_TICKS);
      server.receive(2, 1, { kind: 'heartbeat', commit: 0 });
      assert.equal(server.core.status().electionTicksLeft, ELECTION_TICKS * 1.5);
      server.receive(2, 2, { kind: 'heartbeat', commit: 0 });
      assert.equal(server.core.status().electionTicksLeft, 2 * ELECTION_TICKS - 1);
    });

    it('a candidate without a result stands again in a new term', () => {
      const server = three();
      server.core.campaign();
      server.work();
      server.tick(ELECTION_TICKS + 1);
      assert.equal(server.core.status().term, 2);
      assert.equal(server.role, 'candidate');
    });

    it('a heartbeat starts the wait anew; a refused vote request does not', () => {
      const server = three(1, {}, { term: 2, entries: logOf(2) });
      server.tick(ELECTION_TICKS);
      server.receive(2, 2, { kind: 'heartbeat', commit: 0 });
      const waiting = server.core.status().electionTicksLeft;
      assert.ok(waiting > ELECTION_TICKS);
      server.tick(3);
      server.receive(3, 2, askVote({ term: 1, index: 1 }));
      assert.equal(server.core.status().electionTicksLeft, waiting - 3);
    });

    it('a leader sends heartbeats each heartbeat time, empty and to everyone', () => {
      const server = lead(three());
      server.work();
      server.tick(1);
      assert.deepEqual(kinds(server.work()), ['heartbeat to 2', 'heartbeat to 3']);
    });
  });

  describe('counting votes (§3.4)', () => {
    const cases: [size: number, granted: number[], refused: number[], role: string][] = [
      [1, [], [], 'leader'],
      [3, [2, 3], [], 'leader'],
      [3, [2], [], 'leader'],
      [3, [], [2], 'candidate'],
      [3, [], [2, 3], 'follower'],
      [5, [2, 3], [], 'leader'],
      [5, [2], [3, 4], 'candidate'],
      [5, [2], [3, 4, 5], 'follower'],
      [4, [2], [], 'candidate'],
      [4, [2, 3], [], 'leader'],
    ];
    for (const [size, granted, refused, role] of cases) {
      it(`of ${size}, with itself and [${granted.join()}] for and [${refused.join()}] against: ${role}`, () => {
        const server = new TestServer(1, voters(...[1, 2, 3, 4, 5].slice(0, size)));
        server.core.campaign();
        server.work();
        for (const id of granted) server.receive(id, 1, { kind: 'vote', preVote: false, granted: true });
        for (const id of refused) server.receive(id, 1, { kind: 'vote', preVote: false, granted: false });
        assert.equal(server.role, role);
      });
    }

    it('the same voter counts once, its first word holds', () => {
      const server = new TestServer(1, voters(1, 2, 3, 4, 5));
      server.core.campaign();
      server.work();
      for (let at = 0; at < 3; at += 1) server.receive(2, 1, { kind: 'vote', preVote: false, granted: true });
      assert.equal(server.role, 'candidate');
    });

    it('somebody who is not a voter does not count', () => {
      const server = three();
      server.core.campaign();
      server.work();
      assert.equal(
        server.core.step({ from: 9, to: 1, term: 1, kind: 'vote', preVote: false, granted: true }),
        'unknown-peer',
      );
      assert.equal(server.role, 'candidate');
    });
  });

  describe('granting votes', () => {
    it('one vote in a term, first come first served; the same candidate may ask again (§3.4)', () => {
      const server = three();
      assert.deepEqual(grantsIn(server.receive(2, 1, askVote())), [true]);
      assert.deepEqual(grantsIn(server.receive(3, 1, askVote())), [false]);
      assert.deepEqual(grantsIn(server.receive(2, 1, askVote())), [true]);
    });

    it('the vote is remembered over a restart (§3.8)', () => {
      const server = three();
      server.receive(2, 1, askVote());
      server.restart();
      assert.deepEqual(grantsIn(server.receive(3, 1, askVote())), [false]);
    });

    it('a new term brings a new vote (§3.4)', () => {
      const server = three();
      server.receive(2, 1, askVote());
      assert.deepEqual(grantsIn(server.receive(3, 2, askVote())), [true]);
      assert.deepEqual(server.hardState, { term: 2, vote: 3, commit: 0 });
    });

    it('no vote in a term whose leader is known (§3.4)', () => {
      const server = three();
      server.receive(2, 1, { kind: 'heartbeat', commit: 0 });
      assert.deepEqual(grantsIn(server.receive(3, 1, askVote())), [false]);
    });

    const rows: [own: number[], candidate: { term: number; index: number }, granted: boolean][] = [
      [[1], { term: 1, index: 1 }, true],
      [[1], { term: 1, index: 2 }, true],
      [[1, 1], { term: 1, index: 1 }, false],
      [[1], { term: 2, index: 1 }, true],
      [[1, 1], { term: 2, index: 1 }, true],
      [[2], { term: 1, index: 1 }, false],
      [[2], { term: 1, index: 2 }, false],
      [[2, 2], { term: 1, index: 1 }, false],
      [[1, 2], { term: 1, index: 9 }, false],
    ];
    for (const [own, candidate, granted] of rows) {
      const what = `${candidate.term}/${candidate.index}`;
      it(`log of terms [${own.join()}], candidate's ends at ${what}: ${granted ? 'granted' : 'refused'} (§3.6.1)`, () => {
        const server = three(1, {}, { entries: logOf(...own) });
        assert.deepEqual(grantsIn(server.receive(2, 3, askVote(candidate))), [granted]);
        const preVoter = three(1, {}, { entries: logOf(...own) });
        assert.deepEqual(grantsIn(preVoter.receive(2, 3, askVote(candidate, true))), [granted]);
      });
    }
  });

  describe('one leader (§3.4, figure 3.2)', () => {
    it('a candidate that hears the leader of its term follows it', () => {
      for (const body of [
        { kind: 'heartbeat', commit: 0 },
        { kind: 'append', previous: { term: 0, index: 0 }, entries: [], commit: 0 },
      ] as const) {
        const server = three();
        server.core.campaign();
        server.work();
        server.receive(2, 1, body);
        assert.equal(server.role, 'follower');
        assert.equal(server.core.status().leader, 2);
      }
    });

    it('a new leader appends a no-op of its term at once (§6.4, step 1)', () => {
      const server = lead(three(1, {}, { entries: logOf(1, 1) }));
      server.work();
      assert.deepEqual(server.log, ['1/1', '1/2', '2/3']);
      assert.equal(server.entries[2]?.kind, 'no-op');
    });

    it('split votes end by different election times', () => {
      const cluster = Cluster.of(4);
      cluster.passes = ({ kind, from, to }) => kind !== 'request-vote' || from % 2 === to % 2;
      cluster.server(1).core.campaign();
      cluster.server(2).core.campaign();
      cluster.settle();
      assert.deepEqual(cluster.leaders(), []);
      cluster.heal();
      cluster.tick(3 * ELECTION_TICKS);
      assert.equal(cluster.leaders().length, 1);
    });

    it('a leader cannot stand against itself, whoever calls for it', () => {
      const server = lead(three());
      assert.equal(server.core.campaign(), false);
      assert.equal(server.core.status().term, 1);
    });
  });

  describe('pre-vote (§9.6)', () => {
    const preVote = { preVote: true, checkQuorum: true };

    it('asks first, with the next term, and neither raises its term nor votes', () => {
      const server = three(1, preVote);
      server.core.campaign();
      const sent = server.work();
      const { term, vote } = server.core.status();
      assert.deepEqual({ role: server.role, term, vote }, { role: 'pre-candidate', term: 0, vote: 0 });
      assert.deepEqual(
        sent.map((message) => message.kind === 'request-vote' && message.preVote && message.term),
        [1, 1],
      );
    });

    it('stands when a majority would vote for it', () => {
      const server = three(1, preVote);
      server.core.campaign();
      server.work();
      server.receive(2, 1, { kind: 'vote', preVote: true, granted: true });
      assert.deepEqual({ role: server.role, term: server.core.status().term }, { role: 'candidate', term: 1 });
    });

    it('goes back to following when a majority would not', () => {
      const server = three(1, preVote);
      server.core.campaign();
      server.work();
      server.receive(2, 0, { kind: 'vote', preVote: true, granted: false });
      server.receive(3, 0, { kind: 'vote', preVote: true, granted: false });
      assert.deepEqual({ role: server.role, term: server.core.status().term }, { role: 'follower', term: 0 });
    });

    it('a voter answers without changing its term or its vote, as often as it is asked', () => {
      const server = three(1, preVote, { term: 3, vote: 3 });
      for (const from of [2, 3, 2]) {
        const [answer] = server.receive(from, 4, askVote({ term: 0, index: 0 }, true));
        assert.equal(answer?.kind === 'vote' && answer.granted && answer.term, 4);
      }
      assert.deepEqual({ ...server.hardState }, { term: 3, vote: 3, commit: 0 });
      assert.equal(server.core.status().term, 3);
    });

    it('a pre-vote of an older term is refused with the newer one, which the asker takes over', () => {
      const server = three(1, preVote, { term: 5 });
      const [answer] = server.receive(2, 3, askVote({ term: 0, index: 0 }, true));
      assert.deepEqual(answer && { kind: answer.kind, term: answer.term }, { kind: 'vote', term: 5 });
      const asker = three(2, preVote, { term: 2 });
      asker.core.campaign();
      asker.work();
      asker.receive(1, 5, { kind: 'vote', preVote: true, granted: false });
      assert.deepEqual({ role: asker.role, term: asker.core.status().term }, { role: 'follower', term: 5 });
    });

    it('a grant for a pre-vote is no vote', () => {
      const server = three(1);
      server.core.campaign();
      server.work();
      server.receive(2, 1, { kind: 'vote', preVote: true, granted: true });
      assert.equal(server.role, 'candidate');
    });

    it('a server that comes back from isolation does not disturb the cluster', () => {
      const cluster = Cluster.of(3, preVote);
      cluster.elect(1);
      cluster.isolate(3);
      cluster.tick(5 * ELECTION_TICKS);
      cluster.heal();
      cluster.tick(2 * ELECTION_TICKS);
      const terms = [1, 2, 3].map((id) => cluster.server(id).core.status().term);
      assert.deepEqual({ leaders: cluster.leaders(), terms }, { leaders: [1], terms: [1, 1, 1] });
    });

    it('a server that is stuck in a newer term brings the others to it', () => {
      const cluster = Cluster.of(3, preVote, { 3: { term: 9 } });
      cluster.elect(1);
      cluster.tick(4 * ELECTION_TICKS);
      const terms = [1, 2, 3].map((id) => cluster.server(id).core.status().term);
      assert.equal(new Set(terms).size, 1);
      assert.ok((terms[0] ?? 0) > 9);
      assert.equal(cluster.leaders().length, 1);
    });
  });

  describe('lease and quorum check (§4.2.3, §6.2)', () => {
    const checked = { checkQuorum: true };

    it('who hears a leader grants no vote and keeps its term', () => {
      for (const preVote of [false, true]) {
        const server = three(1, checked);
        server.receive(2, 1, { kind: 'heartbeat', commit: 0 });
        server.tick(ELECTION_TICKS - 1);
        assert.deepEqual(server.receive(3, 5, askVote({ term: 9, index: 9 }, preVote)), []);
        assert.equal(server.core.status().term, 1);
      }
    });

    it('after the shortest election time of silence it votes', () => {
      const server = three(1, checked);
      server.receive(2, 1, { kind: 'heartbeat', commit: 0 });
      server.tick(ELECTION_TICKS);
      assert.deepEqual(grantsIn(server.receive(3, 5, askVote({ term: 9, index: 9 }))), [true]);
    });

    it('a vote that the leader itself asked for is granted at once (§3.10)', () => {
      const server = three(1, checked);
      server.receive(2, 1, { kind: 'heartbeat', commit: 0 });
      const request = { kind: 'request-vote', preVote: false, last: { term: 9, index: 9 }, transfer: true } as const;
      assert.deepEqual(grantsIn(server.receive(3, 5, request)), [true]);
    });

    it('a leader that hears no majority for an election time steps down, and one that does stays', () => {
      const cluster = Cluster.of(3, checked);
      const leader = cluster.elect(1);
      cluster.isolate(3);
      cluster.tick(3 * ELECTION_TICKS);
      assert.equal(leader.role, 'leader');
      cluster.isolate(2);
      leader.tick(2 * ELECTION_TICKS);
      const { role, term, leader: known } = leader.core.status();
      assert.deepEqual({ role, term, known }, { role: 'follower', term: 1, known: 0 });
    });

    it('who is told that the leader is gone votes at once; the next word of the leader restores its lease', () => {
      const server = three(1, checked);
      server.receive(2, 1, { kind: 'heartbeat', commit: 0 });
      server.core.forgetLeader();
      assert.equal(server.core.status().leader, 0);
      server.receive(2, 1, { kind: 'heartbeat', commit: 0 });
      assert.deepEqual(server.receive(3, 5, askVote({ term: 9, index: 9 })), []);
      server.core.forgetLeader();
      assert.deepEqual(grantsIn(server.receive(3, 5, askVote({ term: 9, index: 9 }))), [true]);
    });

    it('with lease reads nobody forgets a leader early', () => {
      const server = three(1, { checkQuorum: true, readMode: 'lease' });
      server.receive(2, 1, { kind: 'heartbeat', commit: 0 });
      server.core.forgetLeader();
      assert.equal(server.core.status().leader, 2);
    });
  });

  it('options that cannot work are refused', () => {
    assert.throws(() => three(0), RaftInvariantError);
    assert.throws(() => three(1, { electionTicks: 1 }), RaftInvariantError);
    assert.throws(() => three(1, { readMode: 'lease' }), RaftInvariantError);
  });
});
