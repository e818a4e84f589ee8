/** What must be durable before what (thesis §3.8, §10.2.1), and the order in which an output is worked off. */
import assert from 'node:assert/strict';
import { RaftInvariantError } from '../../../hub/raft/invariant';
import type { Output } from '../../../hub/raft/output';
import { RawNode } from '../../../hub/raft/raw-node';
import { bytes, logOf, optionsFor, restartState, voters, type Setup, type Start } from '../../support/raft/cluster';

const node = (ids: number[], setup: Setup = {}, start: Start = {}): RawNode =>
  new RawNode(optionsFor(1, setup), restartState(start, voters(...ids)));

const askVote = { kind: 'request-vote', preVote: false, last: { term: 0, index: 0 }, transfer: false } as const;
const append = (previous: number, through: number, commit = 0, term = 1) =>
  ({
    kind: 'append',
    previous: { term: previous === 0 ? 0 : term, index: previous },
    entries: logOf(...Array.from({ length: through }, () => term)).slice(previous),
    commit,
  }) as const;

const kindsOf = ({ now, afterPersist }: Output) => ({
  now: now.messages.map(({ kind }) => kind),
  afterPersist: afterPersist.messages.map(({ kind }) => kind),
});

function done(core: RawNode, output: Output): void {
  core.persisted(output.persist?.number ?? 0);
}

describe('raft persistence (§3.8)', () => {
  it('a vote leaves only after term and vote are on the disk', () => {
    const core = node([1, 2, 3]);
    core.step({ from: 2, to: 1, term: 4, ...askVote });
    const output = core.takeOutput();
    assert.deepEqual(output.persist?.hardState, { term: 4, vote: 2, commit: 0 });
    assert.equal(output.persist.mustSync, true);
    assert.deepEqual(kindsOf(output), { now: [], afterPersist: ['vote'] });
  });

  it('a vote in a term that is durable already must be synced too', () => {
    const core = node([1, 2, 3], {}, { term: 4 });
    core.step({ from: 2, to: 1, term: 4, ...askVote });
    const { persist } = core.takeOutput();
    assert.deepEqual(persist?.hardState, { term: 4, vote: 2, commit: 0 });
    assert.equal(persist.mustSync, true);
  });

  it('a request for votes leaves only after the candidate has made its term and log durable', () => {
    const core = node([1, 2, 3]);
    core.campaign();
    assert.deepEqual(kindsOf(core.takeOutput()), { now: [], afterPersist: ['request-vote', 'request-vote'] });
  });

  it("a candidate's own vote counts once it is durable", () => {
    const core = node([1]);
    core.campaign();
    const output = core.takeOutput();
    assert.equal(core.status().role, 'candidate');
    done(core, output);
    assert.equal(core.status().role, 'leader');
  });

  it('entries are acknowledged only after they are on the disk; new terms as well', () => {
    const core = node([1, 2, 3]);
    core.step({ from: 2, to: 1, term: 1, ...append(0, 2) });
    const output = core.takeOutput();
    assert.deepEqual(kindsOf(output), { now: [], afterPersist: ['append-accepted'] });
    assert.deepEqual(output.persist?.hardState?.term, 1);
    assert.equal(output.persist.entries.length, 2);
  });

  it('a leader sends entries while its own disk still writes them (§10.2.1)', () => {
    const core = node([1, 2, 3]);
    core.campaign();
    done(core, core.takeOutput());
    core.step({ from: 2, to: 1, term: 1, kind: 'vote', preVote: false, granted: true });
    assert.deepEqual(kindsOf(core.takeOutput()), { now: ['append', 'append'], afterPersist: [] });
  });

  it('a moved commit index alone need not be synced', () => {
    const core = node([1, 2, 3], {}, { entries: logOf(1, 1), term: 1 });
    core.step({ from: 2, to: 1, term: 1, kind: 'heartbeat', commit: 1 });
    const { persist } = core.takeOutput();
    assert.deepEqual(persist?.hardState, { term: 1, vote: 0, commit: 1 });
    assert.equal(persist.mustSync, false);
  });

  describe('while a write is under way', () => {
    it('there is no second one; messages that promise nothing go, the others wait for the next write', () => {
      const core = node([1, 2, 3]);
      core.step({ from: 2, to: 1, term: 1, ...append(0, 1) });
      const first = core.takeOutput();
      core.step({ from: 2, to: 1, term: 1, ...append(1, 2) });
      core.step({ from: 2, to: 1, term: 1, kind: 'heartbeat', commit: 0 });
      const between = core.takeOutput();
      assert.equal(between.persist, undefined);
      assert.deepEqual(kindsOf(between), { now: ['heartbeat-response'], afterPersist: [] });
      assert.equal(core.hasOutput(), false);
      done(core, first);
      const second = core.takeOutput();
      assert.deepEqual(
        second.persist?.entries.map(({ index }) => index),
        [2],
      );
      assert.deepEqual(kindsOf(second).afterPersist, ['append-accepted']);
    });

    it('what needs no write any more goes at once after it', () => {
      const core = node([1, 2, 3]);
      core.step({ from: 2, to: 1, term: 1, ...append(0, 1) });
      const first = core.takeOutput();
      core.step({ from: 2, to: 1, term: 1, ...append(0, 1) });
      assert.equal(core.hasOutput(), false);
      done(core, first);
      assert.deepEqual(kindsOf(core.takeOutput()), { now: ['append-accepted'], afterPersist: [] });
    });

    it('committed entries are handed out as far as they are durable', () => {
      const core = node([1, 2, 3], {}, { entries: logOf(1, 1), term: 1 });
      core.step({ from: 2, to: 1, term: 1, ...append(2, 3, 1) });
      const first = core.takeOutput();
      assert.deepEqual([first.now.apply.length, first.afterPersist.apply.length], [1, 0]);
      core.step({ from: 2, to: 1, term: 1, kind: 'heartbeat', commit: 3 });
      const between = core.takeOutput();
      assert.deepEqual(
        between.now.apply.map(({ index }) => index),
        [2],
      );
      done(core, first);
      assert.deepEqual(
        core.takeOutput().now.apply.map(({ index }) => index),
        [3],
      );
    });

    it('entries that replace those being written are written again, and acknowledged only then', () => {
      const core = node([1, 2, 3]);
      core.step({ from: 2, to: 1, term: 1, ...append(0, 3) });
      const first = core.takeOutput();
      core.step({ from: 3, to: 1, term: 2, ...append(0, 2, 0, 2) });
      done(core, first);
      assert.equal(core.status().stable, 0);
      const second = core.takeOutput();
      assert.deepEqual(
        second.persist?.entries.map(({ term, index }) => `${term}/${index}`),
        ['2/1', '2/2'],
      );
      assert.equal(second.persist.hardState?.term, 2);
      done(core, second);
      assert.equal(core.status().stable, 2);
    });

    it('an entry that was replaced and came back meanwhile counts as durable: it is the same', () => {
      const core = node([1, 2, 3]);
      core.step({ from: 2, to: 1, term: 1, ...append(0, 2) });
      const first = core.takeOutput();
      core.step({ from: 3, to: 1, term: 2, ...append(0, 1, 0, 2) });
      core.step({ from: 2, to: 1, term: 3, ...append(0, 2) });
      done(core, first);
      assert.equal(core.status().stable, 2);
    });

    it('the answer to an older leader keeps its old term', () => {
      const core = node([1, 2, 3]);
      core.step({ from: 2, to: 1, term: 1, ...append(0, 1) });
      core.step({ from: 3, to: 1, term: 5, kind: 'heartbeat', commit: 0 });
      const { afterPersist } = core.takeOutput();
      assert.deepEqual(
        afterPersist.messages.map(({ to, term }) => [to, term]),
        [[2, 1]],
      );
    });

    it("a leader's own acknowledgement is void in a later term", () => {
      const core = node([1]);
      core.campaign();
      done(core, core.takeOutput());
      const writing = core.takeOutput();
      core.step({ from: 9, to: 1, term: 5, kind: 'heartbeat', commit: 0 });
      done(core, writing);
      assert.equal(core.status().commit, 0);
    });

    it('only the write under way can be reported', () => {
      const core = node([1, 2, 3]);
      assert.throws(() => core.persisted(1), RaftInvariantError);
      core.campaign();
      const output = core.takeOutput();
      assert.throws(() => core.persisted(7), RaftInvariantError);
      done(core, output);
      assert.throws(() => done(core, output), RaftInvariantError);
    });
  });

  describe('applying', () => {
    it('an entry committed by the very write that holds it is applied after it', () => {
      const core = node([1, 2, 3]);
      core.step({ from: 2, to: 1, term: 1, ...append(0, 2, 1) });
      const output = core.takeOutput();
      assert.deepEqual(output.now.apply, []);
      assert.deepEqual(
        output.afterPersist.apply.map(({ index }) => index),
        [1],
      );
    });

    it('each entry is handed out once, in bounded portions', () => {
      const core = node([1, 2, 3], { limits: { maxApplyBytes: 80 } }, { entries: logOf(1, 1, 1, 1, 1), term: 1 });
      core.step({ from: 2, to: 1, term: 1, kind: 'heartbeat', commit: 5 });
      const portions: number[][] = [];
      while (core.hasOutput()) {
        const output = core.takeOutput();
        if (output.persist !== undefined) done(core, output);
        if (output.now.apply.length > 0) portions.push(output.now.apply.map(({ index }) => index));
      }
      assert.deepEqual(portions, [[1, 2], [3, 4], [5]]);
      core.applied(5);
      assert.throws(() => core.applied(6), RaftInvariantError);
    });

    it('after a restart what was committed and not applied is handed out again', () => {
      const core = node([1, 2, 3], {}, { entries: logOf(1, 1, 1), commit: 3, applied: 1 });
      assert.deepEqual(
        core.takeOutput().now.apply.map(({ index }) => index),
        [2, 3],
      );
    });

    it('what is applied counts as committed, even if the commit index got lost', () => {
      const core = node([1, 2, 3], {}, { entries: logOf(1, 1, 1), commit: 1, applied: 2 });
      assert.equal(core.status().commit, 2);
    });
  });

  it('a node without news has no output', () => {
    const core = node([1, 2, 3], {}, { entries: logOf(1), term: 1 });
    assert.equal(core.hasOutput(), false);
    const { persist, softState, now } = core.takeOutput();
    assert.deepEqual(
      { persist, softState, now },
      { persist: undefined, softState: undefined, now: { messages: [], apply: [], reads: [] } },
    );
    assert.equal(core.propose(bytes('x')).kind, 'dropped');
  });

  it('a broken log on restart is refused', () => {
    assert.throws(() => node([1], {}, { entries: logOf(1, 1).slice(1) }), RaftInvariantError);
    assert.throws(() => node([1], {}, { entries: logOf(1), commit: 2 }), RaftInvariantError);
  });
});
