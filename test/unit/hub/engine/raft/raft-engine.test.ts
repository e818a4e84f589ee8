/** What a follower of a cluster says of a command that it passed on: refused only when it certainly took no effect (P5). */
import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { HubError } from '../../../../../core/errors';
import { encodeResult, type ForwardedResult } from '../../../../../hub/engine/raft/command-batch';
import { FORWARD_RETRY_MS, PROPOSE_DEADLINE_MS } from '../../../../../hub/engine/raft/limits';
import { RaftEngine, type RaftEngineParts } from '../../../../../hub/engine/raft/raft-engine';
import type { Replica } from '../../../../../hub/engine/raft/replica';
import type { StateMachine } from '../../../../../hub/engine/raft/state-machine';
import type { Frame } from '../../../../../hub/peers/frame';
import { entry, publish } from '../../../../support/entries';

const LEADER = 1;
/** Then nobody answers any more: a test must end. */
const MOST_ASKED = 1_000;

type Answer = () => Promise<Frame>;
const silence: Answer = () => new Promise(() => undefined);

interface Follower {
  readonly engine: RaftEngine;
  readonly asked: () => number;
  readonly follow: (leader: number) => void;
}

/** A follower whose leader answers each request as the next of these says; the last one counts for all further ones. */
function follower(...answers: readonly [Answer, ...Answer[]]): Follower {
  let asked = 0;
  const replica = { role: 'follower', leader: LEADER, writeFault: undefined };
  const parts: RaftEngineParts = {
    replica: replica as unknown as Replica,
    machine: {} as unknown as StateMachine,
    nodeId: 2,
    head: () => ({ sequence: 0, digest: '' }),
    request: () => {
      const answer = answers[asked++] ?? answers[answers.length - 1] ?? answers[0];
      return (asked > MOST_ASKED ? silence : answer)();
    },
    isConnected: () => true,
    oldest: () => ({ address: 'ws://127.0.0.1:1', speaks: 1 }),
    unreached: () => '',
    now: () => 0,
    handOver: () => Promise.resolve(),
    closeParts: () => Promise.resolve(),
  };
  const engine = new RaftEngine(parts);
  const follow = (leader: number): void => {
    replica.leader = leader;
    engine.changed();
  };
  return { engine, asked: () => asked, follow };
}

const says = (result: ForwardedResult): Answer => {
  return () => Promise.resolve({ head: [encodeResult(result)], parts: [] });
};
const fails = (code: 'unreachable' | 'timeout', outcome: 'refused' | 'unknown'): Answer => {
  return () => Promise.reject(new HubError(code, 'the connection', { outcome }));
};
const stored: ForwardedResult = { kind: 'published', entries: [{ kind: 'stored', id: 'a', sequence: 7 }] };
const noLeader = new HubError('no_leader', 'not me');

describe('a command that a follower passes on', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
  afterEach(() => mock.timers.reset());

  /** Lets all that is due happen until the command has its end. */
  async function outcomeOf(engine: RaftEngine): Promise<string> {
    const told = engine.propose(publish(entry('a'))).then(
      () => 'stored',
      (error: unknown) => (error instanceof HubError ? `${error.code} ${error.outcome}` : String(error)),
    );
    for (let passed = 0; passed <= PROPOSE_DEADLINE_MS; passed += FORWARD_RETRY_MS) {
      await new Promise((resolve) => setImmediate(resolve));
      mock.timers.tick(FORWARD_RETRY_MS);
    }
    return told;
  }

  it('may still take effect when the deadline passes before the leader answers', async () => {
    const { engine, asked } = follower(silence);
    assert.equal(await outcomeOf(engine), 'no_leader unknown');
    assert.equal(asked(), 1);
  });

  it('is refused when the leader said each time that it took nothing', async () => {
    const { engine, asked } = follower(says(noLeader));
    assert.equal(await outcomeOf(engine), 'no_leader refused');
    const most = PROPOSE_DEADLINE_MS / FORWARD_RETRY_MS;
    assert.ok(asked() > 2 && asked() <= most, `asked ${asked()} times: at most one each ${FORWARD_RETRY_MS} ms`);
  });

  it('is refused when it was never sent', async () => {
    const { engine } = follower(fails('unreachable', 'refused'));
    assert.equal(await outcomeOf(engine), 'no_leader refused');
  });

  it('may still take effect when one try of several was lost, whatever the others were told', async () => {
    const { engine } = follower(fails('timeout', 'unknown'), says(noLeader));
    assert.equal(await outcomeOf(engine), 'no_leader unknown');
    const busy = follower(fails('timeout', 'unknown'), says(new HubError('rate_limited', 'later')));
    assert.equal(await outcomeOf(busy.engine), 'rate_limited unknown');
  });

  it('goes to the next leader at once when the one that has it falls silent', async () => {
    const { engine, asked, follow } = follower(silence, says(stored));
    const told = engine.propose(publish(entry('a')));
    await new Promise((resolve) => setImmediate(resolve));
    follow(0);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(asked(), 1, 'nobody leads yet');
    follow(3);
    assert.deepEqual(await told, stored);
    assert.equal(asked(), 2);
  });

  for (const code of ['no_leader', 'going_away'] as const) {
    it(`goes to the next leader when the one that was asked takes nothing any more, with ${code} (FM-30)`, async () => {
      const { engine } = follower(says(new HubError(code, 'not me')), says(stored));
      assert.equal(await outcomeOf(engine), 'stored');
    });
  }

  it('and what the old leader says too late of it does not count, unless it is good news', async () => {
    let late: (frame: Frame) => void = () => undefined;
    const answer: Answer = () => new Promise((resolve) => (late = resolve));
    const { engine, follow } = follower(answer, silence);
    const told = engine.propose(publish(entry('a')));
    await new Promise((resolve) => setImmediate(resolve));
    follow(3);
    late({ head: [encodeResult(new HubError('rate_limited', 'later'))], parts: [] });
    const first = await Promise.race([told.then(String, String), new Promise((resolve) => setImmediate(resolve))]);
    assert.equal(first, undefined);
    mock.timers.tick(PROPOSE_DEADLINE_MS);
    await assert.rejects(told, { code: 'no_leader', outcome: 'unknown' });
  });

  it('may have taken effect when the answer is not understood or missing', async () => {
    const strange = follower(() => Promise.resolve({ head: [{ kind: 'new' }], parts: [] }));
    assert.equal(await outcomeOf(strange.engine), 'no_leader unknown');
    const empty = follower(() => Promise.resolve({ head: [], parts: [] }));
    assert.equal(await outcomeOf(empty.engine), 'internal unknown');
  });
});
