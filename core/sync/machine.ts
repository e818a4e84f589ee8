/**
 * The sync machine: how a client finds its hub, keeps its place in the log and never gives up for a reason that may pass.
 * A table of every state and every event; a cell that is missing does not compile. Pure: a driver carries out the commands.
 *
 * Invariants:
 * 1. At most one session is open or being opened; what an older one says changes nothing.
 * 2. The cursor moves only by `applied`, `prepared` and `rebased`: never because something was merely received.
 * 3. Every way out of a session leads to `waiting` or `connecting`, except a stop, or a refusal by all addresses that
 *    another attempt cannot change.
 */
import type { Cursor } from '../cursor';
import type { ErrorCode, HubError } from '../errors';
import type { Random } from '../ports';
import { backoffMs } from './backoff';
import type {
  Common,
  EventOf,
  PrepareTask,
  State,
  StateKind,
  StateOf,
  Step,
  SyncCommand,
  SyncEvent,
  SyncEventKind,
} from './state';

type Cell<S extends StateKind, E extends SyncEventKind> = (
  state: StateOf<S>,
  event: EventOf<E>,
  random: Random,
) => Step;
type Table = { readonly [S in StateKind]: { readonly [E in SyncEventKind]: Cell<S, E> } };

/** Refusals that the next attempt at the same address cannot change. */
const HOPELESS: ReadonlySet<ErrorCode> = new Set([
  'unauthenticated',
  'forbidden',
  'unsupported_version',
  'config',
  'usage',
]);

/** A peer list from a hub is advice, and bounded. */
export const MAX_ADDRESSES = 32;

export function initialState(addresses: readonly string[], cursor: Cursor | undefined): State {
  if (addresses.length === 0) throw new Error('a sync machine needs an address');
  return {
    kind: 'idle',
    addresses,
    at: 0,
    failures: 0,
    round: { tried: 0, hopeful: false },
    session: 0,
    cursor,
    head: undefined,
    lastError: undefined,
  };
}

/** The members that every state has, without those of one state alone. */
function common(state: State): Common {
  const { addresses, at, failures, round, session, cursor, head, lastError } = state;
  return { addresses, at, failures, round, session, cursor, head, lastError };
}

function stay(state: State, ...commands: SyncCommand[]): Step {
  return { state, commands };
}

const ignore = (state: State): Step => stay(state);

function later(head: Cursor | undefined, other: Cursor): Cursor {
  return head === undefined || other.sequence > head.sequence ? other : head;
}

/** Known addresses first, in their order; those a hub names are added, never replace ours. */
function withAddresses(known: readonly string[], named: readonly string[]): readonly string[] {
  const fresh = named.filter((address, index) => !known.includes(address) && named.indexOf(address) === index);
  return fresh.length === 0 ? known : [...known, ...fresh].slice(0, MAX_ADDRESSES);
}

/** The address in use stays in use when the list grows. */
function preferred(state: Common, named: readonly string[]): number {
  const index = named.length === 0 ? -1 : state.addresses.indexOf(named[0] ?? '');
  return index === -1 ? (state.at + 1) % state.addresses.length : index;
}

function open(state: State, before: readonly SyncCommand[] = []): Step {
  const session = state.session + 1;
  const address = state.addresses[state.at] ?? '';
  return {
    state: { ...common(state), kind: 'connecting', session },
    commands: [...before, { kind: 'open', address, session }],
  };
}

/** A new round after a wait. */
function wait(state: Common, error: HubError, random: Random, before: readonly SyncCommand[] = []): Step {
  const waitMs = Math.max(backoffMs(state.failures, random), error.retryAfterMs ?? 0);
  return {
    state: {
      ...state,
      kind: 'waiting',
      waitMs,
      failures: state.failures + 1,
      round: { tried: 0, hopeful: false },
      lastError: error,
    },
    commands: [...before, { kind: 'wait', ms: waitMs }],
  };
}

/** This address refused or could not be reached: the next one at once, after a whole round a wait or the end. */
function addressFailed(state: State, error: HubError, random: Random, before: readonly SyncCommand[] = []): Step {
  const round = { tried: state.round.tried + 1, hopeful: state.round.hopeful || !HOPELESS.has(error.code) };
  const next: Common = { ...common(state), round, lastError: error, at: (state.at + 1) % state.addresses.length };
  if (round.tried < state.addresses.length) return open({ ...next, kind: 'idle' }, before);
  if (round.hopeful) return wait(next, error, random, before);
  return { state: { ...next, kind: 'stopped' }, commands: before };
}

function lost(state: State, event: EventOf<'lost'>, random: Random): Step {
  const addresses = withAddresses(state.addresses, event.addresses);
  const moved = { ...common(state), addresses };
  if (HOPELESS.has(event.error.code)) return addressFailed({ ...moved, kind: 'idle' }, event.error, random);
  return wait({ ...moved, at: preferred(moved, event.addresses) }, event.error, random);
}

const CLOSE: readonly SyncCommand[] = [{ kind: 'closeSession' }];

/** The session is of no use any more: close it, then as if it had been lost. */
function giveUpSession(state: State, error: HubError, random: Random): Step {
  if (HOPELESS.has(error.code)) return addressFailed(state, error, random, CLOSE);
  return wait({ ...common(state), at: (state.at + 1) % state.addresses.length }, error, random, CLOSE);
}

function prepare(state: State, task: PrepareTask, more: readonly SyncCommand[] = []): Step {
  return {
    state: { ...common(state), kind: 'preparing', task },
    commands: [...more, { kind: 'prepare', task }],
  };
}

function opened(state: State, event: EventOf<'opened'>): Step {
  const addresses = withAddresses(state.addresses, event.cluster);
  const next: State = { ...common(state), kind: 'connecting', addresses, head: event.head };
  // The outbox does not wait for the replay.
  return prepare(next, 'backfill', [{ kind: 'watchHealth' }, { kind: 'drain' }]);
}

function prepared(state: StateOf<'preparing'>, event: EventOf<'prepared'>): Step {
  const isRewound = state.task === 'rewind';
  const drain: readonly SyncCommand[] = isRewound ? [{ kind: 'drain' }] : [];
  // What was applied late may have moved the head to an end of the history that is no more; `listening` brings the true one.
  const head = isRewound ? undefined : state.head;
  return {
    state: { ...common(state), kind: 'subscribing', cursor: event.cursor, head },
    commands: [{ kind: 'listen', cursor: event.cursor }, ...drain],
  };
}

/** A history that is not ours any more is re-read from its start; anything else ends the session. */
function failed(state: State, event: EventOf<'failed'>, random: Random): Step {
  if (event.error.code !== 'diverged') return giveUpSession(state, event.error, random);
  return prepare({ ...state, lastError: event.error }, 'rewind');
}

/** Diverged again right after a rewind: no place to start from, so nothing is gained by asking at once. */
function failedToPrepare(state: StateOf<'preparing'>, event: EventOf<'failed'>, random: Random): Step {
  return state.task === 'rewind' ? giveUpSession(state, event.error, random) : failed(state, event, random);
}

function listening(state: State, event: EventOf<'listening'>): Step {
  const head = later(state.head, event.head);
  return caughtUp({ ...common(state), kind: 'replaying', head, round: { tried: 0, hopeful: false } });
}

function caughtUp(state: StateOf<'replaying'>): Step {
  const behind = (state.head?.sequence ?? 0) > (state.cursor?.sequence ?? 0);
  return behind ? stay(state) : stay({ ...common(state), kind: 'live', lastError: undefined });
}

/** Positions of one history only ever grow; a late, lower one is old news. */
function moved<S extends State>(state: S, event: EventOf<'applied'>): S {
  const cursor = later(state.cursor, event.cursor);
  return { ...state, cursor, head: later(state.head, cursor) };
}

const applied = (state: State, event: EventOf<'applied'>): Step => stay(moved(state, event));

/** Without a session the new place counts at the next one; with one, that place is asked for again at once. */
const rebasedIdle = (state: State, event: EventOf<'rebased'>): Step => stay({ ...state, cursor: event.cursor });
const rebasedBusy = (state: State, event: EventOf<'rebased'>): Step => open({ ...state, cursor: event.cursor }, CLOSE);

const healthy = (state: State): Step => stay({ ...state, failures: 0 });
const drain = (state: State): Step => stay(state, { kind: 'drain' });
const stopIdle = (state: State): Step => stay({ ...common(state), kind: 'stopped' });
const stopWaiting = (state: State): Step => stay({ ...common(state), kind: 'stopped' }, { kind: 'cancelWait' });
const stopBusy = (state: State): Step => ({ state: { ...common(state), kind: 'stopped' }, commands: CLOSE });
const restart = (state: State): Step => open({ ...state, failures: 0, round: { tried: 0, hopeful: false } });
const tryNow = (state: State): Step => open(state, [{ kind: 'cancelWait' }]);
const openFailed = (state: State, event: EventOf<'openFailed'>, random: Random): Step =>
  addressFailed(state, event.error, random);

/** Before the first start, between two attempts and after a stop: no session is under way. */
const RESTING: Omit<Table['idle'] & Table['waiting'] & Table['stopped'], 'stop'> = {
  start: restart,
  opened: ignore,
  openFailed: ignore,
  prepared: ignore,
  failed: ignore,
  listening: ignore,
  applied,
  rebased: rebasedIdle,
  lost: ignore,
  retryDue: ignore,
  healthy: ignore,
  nudge: ignore,
};

const TABLE: Table = {
  idle: {
    ...RESTING,
    stop: stopIdle,
  },
  connecting: {
    start: ignore,
    opened,
    openFailed,
    prepared: ignore,
    failed: ignore,
    listening: ignore,
    applied,
    rebased: rebasedIdle,
    lost,
    retryDue: ignore,
    healthy: ignore,
    nudge: ignore,
    stop: stopBusy,
  },
  preparing: {
    start: ignore,
    opened: ignore,
    openFailed: ignore,
    prepared,
    failed: failedToPrepare,
    listening: ignore,
    applied,
    rebased: rebasedBusy,
    lost,
    retryDue: ignore,
    healthy,
    nudge: drain,
    stop: stopBusy,
  },
  subscribing: {
    start: ignore,
    opened: ignore,
    openFailed: ignore,
    prepared: ignore,
    failed,
    listening,
    applied,
    rebased: rebasedBusy,
    lost,
    retryDue: ignore,
    healthy,
    nudge: drain,
    stop: stopBusy,
  },
  replaying: {
    start: ignore,
    opened: ignore,
    openFailed: ignore,
    prepared: ignore,
    failed,
    listening: ignore,
    applied: (state, event) => caughtUp(moved(state, event)),
    rebased: rebasedBusy,
    lost,
    retryDue: ignore,
    healthy,
    nudge: drain,
    stop: stopBusy,
  },
  live: {
    start: ignore,
    opened: ignore,
    openFailed: ignore,
    prepared: ignore,
    failed,
    listening: ignore,
    applied,
    rebased: rebasedBusy,
    lost,
    retryDue: ignore,
    healthy,
    nudge: drain,
    stop: stopBusy,
  },
  waiting: {
    ...RESTING,
    start: tryNow,
    retryDue: (state) => open(state),
    nudge: tryNow,
    stop: stopWaiting,
  },
  stopped: {
    ...RESTING,
    stop: ignore,
  },
};

/** One step. Events of an older session are not heard. */
export function step(state: State, event: SyncEvent, random: Random): Step {
  if ('session' in event && event.session !== state.session) return stay(state);
  // The table's type pairs the cell with exactly this state and event; an index cannot say so.
  const cell = TABLE[state.kind][event.kind] as (state: State, event: SyncEvent, random: Random) => Step;
  return cell(state, event, random);
}
