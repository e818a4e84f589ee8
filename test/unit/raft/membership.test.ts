/** Cluster membership changes: thesis chapter 4. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  changed,
  ConfigurationError,
  EMPTY_CONFIGURATION,
  enterJoint,
  leaveJoint,
  LEAVE_JOINT,
  type Configuration,
  type ConfigurationChange,
  type MembershipChange,
} from '../../../hub/raft/configuration';
import { majorityIndex, majorityVote, quorumIndex, quorumVote } from '../../../hub/raft/quorum';
import { bytes, Cluster, ELECTION_TICKS, TestServer, voters, type Start } from '../../support/raft/cluster';

const change = (transition: ConfigurationChange['transition'], ...changes: [MembershipChange['kind'], number][]) => ({
  transition,
  changes: changes.map(([kind, node]) => ({ kind, node })),
});

/** A cluster that can grow begins at a snapshot: newcomers learn the configuration from it. */
const FROM_SNAPSHOT: Start = { base: { term: 1, index: 1 } };

describe('raft membership (chapter 4)', () => {
  describe('quorums', () => {
    it('a majority is more than half', () => {
      const acknowledged = (indexes: number[]) => (id: number) => indexes[id - 1] ?? 0;
      assert.equal(majorityIndex([1], acknowledged([7])), 7);
      assert.equal(majorityIndex([1, 2], acknowledged([7, 5])), 5);
      assert.equal(majorityIndex([1, 2, 3], acknowledged([7, 5, 1])), 5);
      assert.equal(majorityIndex([1, 2, 3, 4], acknowledged([9, 7, 5, 1])), 5);
      assert.equal(majorityIndex([], acknowledged([])), Infinity);
    });

    it('in a joint configuration both halves must agree (§4.3)', () => {
      const halves = { voters: [1, 2], outgoing: [3, 4, 5] };
      const indexes = new Map([
        [1, 9],
        [2, 9],
        [3, 4],
        [4, 4],
        [5, 0],
      ]);
      assert.equal(
        quorumIndex(halves, (id) => indexes.get(id) ?? 0),
        4,
      );
      const votes = new Map([
        [1, true],
        [2, true],
      ]);
      assert.equal(quorumVote(halves, votes), 'pending');
      assert.equal(quorumVote(halves, votes.set(3, false).set(4, false)), 'lost');
      assert.equal(quorumVote(halves, new Map([1, 2, 3, 4].map((id) => [id, true]))), 'won');
    });

    it('an index a majority has is exactly one for which a vote of its holders would be won', () => {
      const sample = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 7 });
      fc.assert(
        fc.property(sample, (indexes) => {
          const ids = indexes.map((_, at) => at + 1);
          const index = majorityIndex(ids, (id) => indexes[id - 1] ?? 0);
          const holders = (at: number) => new Map(indexes.map((each, place) => [place + 1, each >= at]));
          assert.equal(majorityVote(ids, holders(index)), 'won');
          assert.notEqual(majorityVote(ids, holders(index + 1)), 'won');
        }),
      );
    });
  });

  describe('configurations', () => {
    const kind = fc.constantFrom<MembershipChange['kind']>('add-voter', 'add-learner', 'remove');
    const one = fc.record({ kind, node: fc.integer({ min: 1, max: 6 }) });
    const step = fc.record({
      transition: fc.constantFrom<ConfigurationChange['transition']>('auto', 'implicit', 'explicit'),
      changes: fc.array(one, { maxLength: 4 }),
    });

    const overlap = (a: Configuration, b: Configuration): boolean => {
      const everyone = [...new Set([...a.voters, ...a.outgoing, ...b.voters, ...b.outgoing])];
      for (let set = 0; set < 1 << everyone.length; set += 1) {
        const inside = new Map(everyone.map((id, at) => [id, (set & (1 << at)) !== 0]));
        const outside = new Map([...inside].map(([id, value]) => [id, !value]));
        if (quorumVote(a, inside) === 'won' && quorumVote(b, outside) === 'won') return false;
      }
      return true;
    };

    it('majorities of one configuration and the next always overlap (§4.1, §4.3)', () => {
      fc.assert(
        fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), (steps) => {
          let configuration: Configuration = voters(1, 2, 3);
          for (const each of steps) {
            let next: Configuration;
            try {
              next = changed(configuration, each);
            } catch (error) {
              assert.ok(error instanceof ConfigurationError);
              continue;
            }
            assert.ok(overlap(configuration, next));
            const lists = [...next.voters, ...next.learners, ...next.learnersNext];
            assert.equal(new Set(lists).size, lists.length, 'nobody is two things at once');
            assert.ok(next.voters.length > 0);
            configuration = next;
          }
        }),
      );
    });

    it('a voter that becomes a learner keeps its vote in the old half until that is left', () => {
      const joint = enterJoint(voters(1, 2), [{ kind: 'add-learner', node: 2 }], false);
      assert.deepEqual(joint, { ...voters(1), outgoing: [1, 2], learnersNext: [2] });
      assert.deepEqual(leaveJoint(joint), { ...voters(1), learners: [2] });
    });

    it('two voters at once need a joint configuration', () => {
      assert.throws(() => changed(EMPTY_CONFIGURATION, change('explicit', ['add-voter', 1])), ConfigurationError);
      const joint = changed(voters(1), change('auto', ['add-voter', 2], ['add-voter', 3]));
      assert.deepEqual(joint, { ...voters(1, 2, 3), outgoing: [1], autoLeave: true });
    });
  });

  describe('one change at a time (§4.1)', () => {
    it('a second change while one is pending becomes a no-op', () => {
      const cluster = Cluster.of(3);
      const leader = cluster.elect(1);
      leader.core.proposeChange(change('auto', ['remove', 3]));
      leader.core.proposeChange(change('auto', ['remove', 2]));
      leader.work();
      assert.deepEqual(
        leader.entries.map((entry) => entry.kind),
        ['no-op', 'configuration', 'no-op'],
      );
      cluster.settle();
      cluster.tick(2);
      assert.deepEqual(leader.core.status().configuration, voters(1, 2));
    });

    it('a new leader changes nothing until its own no-op is applied (the bug of §4.1 that was found later)', () => {
      const leader = new TestServer(1, voters(1, 2, 3));
      leader.core.campaign();
      leader.work();
      leader.receive(2, 1, { kind: 'vote', preVote: false, granted: true });
      leader.core.proposeChange(change('auto', ['remove', 3]));
      leader.work();
      const before = leader.entries.length;
      leader.receive(2, 1, { kind: 'append-accepted', index: before });
      leader.core.proposeChange(change('auto', ['remove', 3]));
      leader.work();
      assert.equal(leader.entries.at(-1)?.kind, 'configuration');
    });

    it('a tail of an earlier leader, which may hold a change, must be applied first', () => {
      const pending = { term: 1, index: 1, kind: 'configuration', change: change('auto', ['remove', 3]) } as const;
      const leader = new TestServer(1, voters(1, 2, 3), {}, { entries: [pending], term: 1 });
      leader.core.campaign();
      leader.work();
      leader.receive(2, 2, { kind: 'vote', preVote: false, granted: true });
      leader.core.proposeChange(change('auto', ['remove', 2]));
      leader.work();
      assert.equal(leader.entries.at(-1)?.kind, 'no-op');
    });

    it('nobody stands while a committed change is not applied', () => {
      const entry = { term: 1, index: 1, kind: 'configuration', change: change('auto', ['add-voter', 2]) } as const;
      const server = new TestServer(1, voters(1), {}, { entries: [entry], term: 1, commit: 1 });
      assert.equal(server.core.campaign(), false);
      assert.equal(server.role, 'follower');
      server.work();
      assert.equal(server.core.campaign(), true);
    });

    it('leaving a joint configuration that there is not becomes a no-op', () => {
      const cluster = Cluster.of(1);
      const leader = cluster.elect(1);
      leader.core.proposeChange(LEAVE_JOINT);
      cluster.settle();
      assert.deepEqual(
        leader.entries.map((entry) => entry.kind),
        ['no-op', 'no-op'],
      );
    });
  });

  describe('growing and shrinking', () => {
    it('a learner receives everything and counts for nothing (§4.2.1)', () => {
      const cluster = Cluster.of(2, {}, { 1: FROM_SNAPSHOT, 2: FROM_SNAPSHOT });
      const leader = cluster.elect(1);
      cluster.add(3);
      leader.core.proposeChange(change('auto', ['add-learner', 3]));
      cluster.settle();
      cluster.propose(1, 'a');
      assert.deepEqual(cluster.server(3).texts, ['a']);
      cluster.isolate(2);
      cluster.propose(1, 'b');
      assert.deepEqual(leader.texts, ['a']);
      assert.equal(cluster.server(3).core.campaign(), false);
      cluster.server(3).tick(5 * ELECTION_TICKS);
      assert.equal(cluster.server(3).role, 'follower');
    });

    it('a learner that answers is no quorum for its leader (§6.2)', () => {
      const cluster = new Cluster({ ...voters(1, 2), learners: [3] }, { checkQuorum: true });
      const leader = cluster.elect(1);
      cluster.isolate(2);
      cluster.tick(2 * ELECTION_TICKS);
      assert.equal(leader.role, 'follower');
    });

    it('a learner becomes a voter, a voter a learner', () => {
      const cluster = new Cluster({ ...voters(1, 2), learners: [3] });
      const leader = cluster.elect(1);
      leader.core.proposeChange(change('auto', ['add-voter', 3]));
      cluster.settle();
      leader.core.proposeChange(change('auto', ['add-learner', 2]));
      cluster.settle();
      assert.deepEqual(leader.core.status().configuration, { ...voters(1, 3), learners: [2] });
      assert.deepEqual(cluster.server(2).core.status().configuration, { ...voters(1, 3), learners: [2] });
    });

    it('three at once by joint consensus, left by itself (§4.3)', () => {
      const cluster = Cluster.of(1, {}, { 1: FROM_SNAPSHOT });
      const leader = cluster.elect(1);
      for (const id of [2, 3]) cluster.add(id);
      leader.core.proposeChange(change('auto', ['add-voter', 2], ['add-voter', 3]));
      cluster.settle();
      cluster.tick(2);
      assert.deepEqual(leader.core.status().configuration, voters(1, 2, 3));
      cluster.propose(1, 'a');
      assert.deepEqual(cluster.server(3).texts, ['a']);
    });

    it('in a joint configuration nothing is committed by the new majority alone (§4.3)', () => {
      const cluster = Cluster.of(3, {}, { 1: FROM_SNAPSHOT, 2: FROM_SNAPSHOT, 3: FROM_SNAPSHOT });
      const leader = cluster.elect(1);
      for (const id of [4, 5]) cluster.add(id);
      const replace = change('explicit', ['add-voter', 4], ['add-voter', 5], ['remove', 2], ['remove', 3]);
      leader.core.proposeChange(replace);
      cluster.settle();
      cluster.isolate(2, 3);
      cluster.propose(1, 'a');
      assert.deepEqual(leader.texts, []);
      cluster.heal();
      cluster.isolate(4, 5);
      cluster.propose(1, 'b');
      assert.deepEqual(leader.texts, ['a'], 'the old majority alone commits nothing either');
      cluster.heal();
      cluster.tick(2);
      assert.deepEqual(leader.texts, ['a', 'b']);
      leader.core.proposeChange(LEAVE_JOINT);
      cluster.settle();
      assert.deepEqual(leader.core.status().configuration, voters(1, 4, 5));
    });

    it('nobody wins an election with one half of a joint configuration (§4.3)', () => {
      const cluster = new Cluster({ ...voters(1, 4, 5), outgoing: [1, 2, 3] });
      for (const id of [2, 3]) cluster.add(id, { ...voters(1, 4, 5), outgoing: [1, 2, 3] });
      cluster.isolate(2, 3);
      cluster.elect(1);
      assert.deepEqual(cluster.leaders(), []);
      cluster.heal();
      cluster.isolate(4, 5);
      cluster.elect(1);
      assert.deepEqual(cluster.leaders(), []);
      cluster.heal();
      cluster.elect(1);
      assert.deepEqual(cluster.leaders(), [1]);
    });

    it('a removed leader goes on until its removal is committed, without counting itself (§4.2.2)', () => {
      const cluster = Cluster.of(3);
      const leader = cluster.elect(1);
      leader.core.proposeChange(change('auto', ['remove', 1]));
      cluster.settle();
      assert.deepEqual(leader.core.propose(bytes('a')), { kind: 'dropped', reason: 'leader-removed' });
      assert.deepEqual(cluster.server(2).core.status().configuration, voters(2, 3));
      const strict = Cluster.of(3, { stepDownOnRemoval: true });
      const other = strict.elect(1);
      other.core.proposeChange(change('auto', ['remove', 1]));
      strict.settle();
      assert.equal(other.role, 'follower');
      assert.equal(other.core.campaign(), false);
    });

    it('a smaller quorum commits at once what waited for the larger one', () => {
      const leader = new TestServer(1, voters(1, 2, 3, 4));
      leader.core.campaign();
      leader.work();
      for (const id of [2, 3]) leader.receive(id, 1, { kind: 'vote', preVote: false, granted: true });
      for (const id of [2, 3]) leader.receive(id, 1, { kind: 'append-accepted', index: 1 });
      leader.core.proposeChange(change('auto', ['remove', 4]));
      leader.core.propose(bytes('a'));
      leader.work();
      leader.receive(2, 1, { kind: 'append-accepted', index: 3 });
      assert.equal(leader.core.status().commit, 1);
      leader.receive(3, 1, { kind: 'append-accepted', index: 2 });
      assert.deepEqual(leader.core.status().configuration, voters(1, 2, 3));
      assert.deepEqual(leader.texts, ['a']);
    });

    it('a removed server does not disturb those that hear their leader (§4.2.3)', () => {
      const cluster = Cluster.of(3, { checkQuorum: true, preVote: true });
      const leader = cluster.elect(1);
      cluster.passes = ({ to }) => to !== 3;
      leader.core.proposeChange(change('auto', ['remove', 3]));
      cluster.settle();
      cluster.heal();
      cluster.tick(5 * ELECTION_TICKS);
      assert.deepEqual(cluster.leaders(), [1]);
      assert.equal(leader.core.status().term, 1);
    });

    it('the context of a change reaches every server', () => {
      const cluster = Cluster.of(3);
      cluster.elect(1);
      const context = bytes('three is at port 3');
      cluster.server(1).core.proposeChange({ transition: 'auto', changes: [{ kind: 'update', node: 3 }], context });
      cluster.settle();
      cluster.tick(1);
      const last = cluster.server(3).applied.at(-1);
      assert.deepEqual(last?.kind === 'configuration' && last.change.context, context);
      assert.deepEqual(cluster.server(3).core.status().configuration, voters(1, 2, 3));
    });
  });
});
