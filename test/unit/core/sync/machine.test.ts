import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Cursor } from '../../../../core/cursor';
import { HubError, type ErrorCode } from '../../../../core/errors';
import { initialState, MAX_ADDRESSES, step } from '../../../../core/sync/machine';
import type { State, SyncCommand, SyncEvent } from '../../../../core/sync/state';
import { scaled } from '../../../support/scale';

const at = (sequence: number): Cursor => ({ sequence, digest: `${sequence}.${'A'.repeat(22)}` });
const error = (code: ErrorCode): HubError => new HubError(code, `test ${code}`);

/** Feeds events; `session` numbers are filled in with the current one. */
class Run {
  commands: readonly SyncCommand[] = [];
  constructor(
    public state: State,
    private readonly random = (): number => 0.5,
  ) {}

  feed(...events: (SyncEvent | { kind: string; session?: undefined })[]): this {
    for (const event of events) {
      const numbered = { session: this.state.session, ...event } as SyncEvent;
      ({ state: this.state, commands: this.commands } = step(this.state, numbered, this.random));
    }
    return this;
  }

  get kinds(): string[] {
    return this.commands.map((command) => command.kind);
  }
}

const opened = (head = 0, cluster: string[] = []): SyncEvent =>
  ({ kind: 'opened', head: at(head), cluster }) as unknown as SyncEvent;
const of = (kind: string, more: object = {}): SyncEvent => ({ kind, ...more }) as unknown as SyncEvent;

function liveRun(addresses = ['a'], cursor = at(7)): Run {
  const run = new Run(initialState(addresses, cursor));
  return run.feed(of('start'), opened(7), of('prepared', { cursor }), of('listening', { head: at(7) }));
}

describe('sync machine', () => {
  it('opens, prepares, listens from its cursor, and is live when it has caught up', () => {
    const run = new Run(initialState(['a'], at(3)));
    assert.deepEqual(run.feed(of('start')).commands, [{ kind: 'open', address: 'a', session: 1 }]);
    assert.deepEqual(run.feed(opened(5)).kinds, ['watchHealth', 'drain', 'prepare']);
    assert.deepEqual(run.feed(of('prepared', { cursor: at(3) })).commands, [{ kind: 'listen', cursor: at(3) }]);
    assert.equal(run.feed(of('listening', { head: at(5) })).state.kind, 'replaying');
    assert.equal(run.feed(of('applied', { cursor: at(4) })).state.kind, 'replaying');
    assert.equal(run.feed(of('applied', { cursor: at(5) })).state.kind, 'live');
  });

  it('a lost session is opened again after a jittered wait that grows until a session was healthy', () => {
    const run = liveRun();
    const waits: number[] = [];
    for (let i = 0; i < 9; i++) {
      run.feed(of('lost', { error: error('unreachable'), addresses: [] }));
      assert.equal(run.state.kind, 'waiting');
      waits.push(...run.commands.flatMap((command) => (command.kind === 'wait' ? [command.ms] : [])));
      run.feed(of('retryDue'), opened(7), of('prepared', { cursor: at(7) }), of('listening', { head: at(7) }));
    }
    assert.deepEqual(waits, [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
    run.feed(of('healthy'), of('lost', { error: error('unreachable'), addresses: [] }));
    assert.deepEqual(run.commands, [{ kind: 'wait', ms: 250 }]);
  });

  it('the hub says when to come back: not before that', () => {
    const run = liveRun();
    run.feed(of('lost', { error: new HubError('rate_limited', 'slow', { retryAfterMs: 9_000 }), addresses: [] }));
    assert.deepEqual(run.commands, [{ kind: 'wait', ms: 9_000 }]);
  });

  it('a revoked token stops it; so does nothing that may pass', () => {
    const revoked = liveRun().feed(of('lost', { error: error('unauthenticated'), addresses: [] }));
    assert.equal(revoked.state.kind, 'stopped');
    assert.equal(revoked.state.lastError?.code, 'unauthenticated');
    for (const code of [
      'unreachable',
      'going_away',
      'timeout',
      'internal',
      'store_failed',
      'disk_full',
      'io_failed',
    ] as const) {
      assert.equal(liveRun().feed(of('failed', { error: error(code) })).state.kind, 'waiting', code);
    }
  });

  it('tries every address before it waits, and stops only when all refuse for good', () => {
    const run = new Run(initialState(['a', 'b', 'c'], undefined)).feed(of('start'));
    run.feed(of('openFailed', { error: error('unauthenticated') }));
    assert.deepEqual(run.commands, [{ kind: 'open', address: 'b', session: 2 }]);
    run.feed(of('openFailed', { error: error('unreachable') }), of('openFailed', { error: error('unauthenticated') }));
    assert.equal(run.state.kind, 'waiting');
    run.feed(of('retryDue'));
    for (let i = 0; i < 3; i++) run.feed(of('openFailed', { error: error('forbidden') }));
    assert.equal(run.state.kind, 'stopped');
  });

  it('goes where a leaving hub says, and adds addresses that a cluster names, within a bound', () => {
    const run = liveRun(['a', 'b', 'c']);
    run.feed(of('lost', { error: error('going_away'), addresses: ['c'] }), of('retryDue'));
    assert.deepEqual(run.commands, [{ kind: 'open', address: 'c', session: 2 }]);
    const many = Array.from({ length: 100 }, (_, i) => `n${i}`);
    run.feed(opened(7, ['a', 'd', ...many]));
    assert.deepEqual(run.state.addresses.slice(0, 5), ['a', 'b', 'c', 'd', 'n0']);
    assert.equal(run.state.addresses.length, MAX_ADDRESSES);
  });

  it('diverged: rewinds, then listens from the start and offers the outbox again', () => {
    const run = new Run(initialState(['a'], at(9))).feed(of('start'), opened(4), of('prepared', { cursor: at(9) }));
    run.feed(of('failed', { error: error('diverged') }));
    assert.deepEqual(run.commands, [{ kind: 'prepare', task: 'rewind' }]);
    run.feed(of('prepared', { cursor: undefined }));
    assert.deepEqual(run.commands, [{ kind: 'listen', cursor: undefined }, { kind: 'drain' }]);
    assert.equal(run.state.cursor, undefined);
    run.feed(of('failed', { error: error('diverged') }));
    assert.deepEqual(run.kinds, ['prepare'], 'a hub may be restored twice');
    run.feed(of('failed', { error: error('diverged') }));
    assert.equal(run.state.kind, 'waiting', 'but a rewind that fails is not repeated at once');
  });

  it('a place that moved back is listened from again at once', () => {
    const run = liveRun().feed(of('rebased', { cursor: at(2) }));
    assert.deepEqual(run.kinds, ['closeSession', 'open']);
    run.feed(opened(7), of('prepared', { cursor: at(2) }));
    assert.deepEqual(run.commands, [{ kind: 'listen', cursor: at(2) }]);
  });

  it('a nudge connects at once when it waits, and drains when it is connected', () => {
    const run = liveRun();
    assert.deepEqual(run.feed(of('nudge')).kinds, ['drain']);
    run.feed(of('lost', { error: error('unreachable'), addresses: [] }));
    assert.deepEqual(run.feed(of('nudge')).kinds, ['cancelWait', 'open']);
  });

  it('stops from everywhere, leaving nothing open', () => {
    assert.deepEqual(liveRun().feed(of('stop')).kinds, ['closeSession']);
    const waiting = liveRun().feed(of('lost', { error: error('unreachable'), addresses: [] }), of('stop'));
    assert.deepEqual(waiting.kinds, ['cancelWait']);
    assert.equal(waiting.feed(of('retryDue'), of('nudge')).state.kind, 'stopped');
  });
});

const cursors = fc.option(fc.nat(20).map(at), { nil: undefined });
const errors = fc
  .constantFrom<ErrorCode>(
    'unreachable',
    'unauthenticated',
    'diverged',
    'going_away',
    'io_failed',
    'timeout',
    'rate_limited',
  )
  .map(error);
const addresses = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 3 });
/** Offset of the session number from the current one: old news and, never in truth, news of the future. */
const session = fc.constantFrom(0, 0, 0, -1, 1);

const anyEvent: fc.Arbitrary<{ event: Record<string, unknown>; offset: number }> = fc.oneof(
  ...[
    fc.record({ kind: fc.constantFrom('start', 'retryDue', 'nudge', 'stop', 'healthy') }),
    fc.record({ kind: fc.constant('opened'), head: fc.nat(20).map(at), cluster: addresses }),
    fc.record({ kind: fc.constantFrom('openFailed', 'failed'), error: errors }),
    fc.record({ kind: fc.constant('prepared'), cursor: cursors }),
    fc.record({ kind: fc.constant('listening'), head: fc.nat(20).map(at) }),
    fc.record({ kind: fc.constant('applied'), cursor: fc.nat(20).map(at) }),
    fc.record({ kind: fc.constant('rebased'), cursor: cursors }),
    fc.record({ kind: fc.constant('lost'), error: errors, addresses }),
  ].map((event: fc.Arbitrary<object>) =>
    fc.record({ event: event as fc.Arbitrary<Record<string, unknown>>, offset: session }),
  ),
);

const WITH_SESSION = new Set(['opened', 'openFailed', 'prepared', 'failed', 'listening', 'lost', 'healthy']);

function numbered({ event, offset }: { event: Record<string, unknown>; offset: number }, state: State): SyncEvent {
  const more = WITH_SESSION.has(String(event['kind'])) ? { session: state.session + offset } : {};
  return { ...event, ...more } as unknown as SyncEvent;
}

describe('sync machine, any events in any order', () => {
  const CONNECTED = new Set(['preparing', 'subscribing', 'replaying', 'live']);

  it('invariant 1: one session at most, and older ones are not heard', () => {
    fc.assert(
      fc.property(
        fc.array(anyEvent, { maxLength: 60 }),
        fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }),
        (events, list) => {
          let state = initialState(list, undefined);
          let open = 0;
          for (const each of events) {
            const event = numbered(each, state);
            const before = state;
            const next = step(state, event, () => 0.5);
            state = next.state;
            if ('session' in event && event.session !== before.session) assert.equal(state, before);
            // The session is gone when it could not be opened or was lost.
            if ((event.kind === 'lost' || event.kind === 'openFailed') && event.session === before.session) open = 0;
            for (const command of next.commands) {
              if (command.kind === 'closeSession') open = 0;
              if (command.kind === 'open') {
                assert.equal(open, 0, `a second session by ${event.kind} in ${before.kind}`);
                open++;
                assert.equal(command.session, before.session + 1);
                assert.ok(state.addresses.includes(command.address));
              }
            }
            if (CONNECTED.has(state.kind) || state.kind === 'connecting') continue;
            if (state.kind === 'stopped' || state.kind === 'idle')
              assert.equal(open, 0, `${event.kind} left a session open`);
          }
        },
      ),
      { numRuns: scaled(1_500, 50_000) },
    );
  });

  it('invariant 2: only what was applied, prepared or rebased moves the cursor', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 60 }), (events) => {
        let state = initialState(['a', 'b'], at(1));
        for (const each of events) {
          const event = numbered(each, state);
          const before = state;
          ({ state } = step(state, event, () => 0.5));
          if (!['applied', 'prepared', 'rebased'].includes(event.kind)) assert.deepEqual(state.cursor, before.cursor);
          if (event.kind === 'applied') {
            assert.ok((state.cursor?.sequence ?? 0) >= (before.cursor?.sequence ?? 0), 'old news moved it back');
          }
        }
      }),
      { numRuns: scaled(1_500, 50_000) },
    );
  });

  it('invariant 3: whatever happened, a hub that works from now on is reached, unless it was stopped', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 60 }), (events) => {
        let state = initialState(['a', 'b'], undefined);
        for (const each of [{ event: { kind: 'start' }, offset: 0 }, ...events]) {
          ({ state } = step(state, numbered(each, state), () => 0.5));
        }
        // From here on every command is answered as a working hub would.
        if (state.kind === 'stopped') ({ state } = step(state, { kind: 'start' }, () => 0.5));
        if (state.kind === 'waiting') ({ state } = step(state, { kind: 'retryDue' }, () => 0.5));
        const answers: Record<string, (now: State) => SyncEvent> = {
          connecting: (now) => ({ kind: 'opened', session: now.session, head: at(20), cluster: [] }),
          preparing: (now) => ({ kind: 'prepared', session: now.session, cursor: now.cursor }),
          subscribing: (now) => ({ kind: 'listening', session: now.session, head: at(20) }),
          replaying: () => ({ kind: 'applied', cursor: at(20) }),
        };
        for (let i = 0; i < 5; i++) {
          const answer = answers[state.kind];
          if (answer !== undefined) ({ state } = step(state, answer(state), () => 0.5));
        }
        assert.equal(state.kind, 'live');
        assert.equal(state.lastError, undefined);
      }),
      { numRuns: scaled(1_500, 50_000) },
    );
  });
});
