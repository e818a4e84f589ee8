/** States, events and commands of the sync machine: what a client of one hub can be in, hear and want. Plain data. */
import type { Cursor } from '../cursor';
import type { HubError } from '../errors';

/** What every state knows. */
export interface Common {
  /** Where the hub may be found; never empty. The one at `at` is in use or next. */
  readonly addresses: readonly string[];
  readonly at: number;
  /** Attempts since the last session that was healthy; decides the backoff. */
  readonly failures: number;
  /** Addresses tried in this round, and whether any of them may work later. */
  readonly round: { readonly tried: number; readonly hopeful: boolean };
  /** Counts sessions: what an older one still says is not heard. */
  readonly session: number;
  /** Everything up to here has been applied; `undefined` = nothing. */
  readonly cursor: Cursor | undefined;
  readonly head: Cursor | undefined;
  readonly lastError: HubError | undefined;
}

export type State =
  | (Common & { readonly kind: 'idle' })
  /** A session is being opened. */
  | (Common & { readonly kind: 'connecting' })
  /** A session is open; what lies before the cursor is put in order: a type subscribed later, or all after `diverged`. */
  | (Common & { readonly kind: 'preparing'; readonly task: PrepareTask })
  /** The listen has been asked for. */
  | (Common & { readonly kind: 'subscribing' })
  | (Common & { readonly kind: 'replaying' })
  | (Common & { readonly kind: 'live' })
  | (Common & { readonly kind: 'waiting'; readonly waitMs: number })
  | (Common & { readonly kind: 'stopped' });

export type StateKind = State['kind'];
export type StateOf<K extends StateKind> = Extract<State, { kind: K }>;

/** `rewind` = forget the mirror, put own entries back into the outbox, start from the beginning. */
export type PrepareTask = 'backfill' | 'rewind';

export type SyncEvent =
  | { readonly kind: 'start' }
  /** The hub said hello. */
  | { readonly kind: 'opened'; readonly session: number; readonly head: Cursor; readonly cluster: readonly string[] }
  | { readonly kind: 'openFailed'; readonly session: number; readonly error: HubError }
  /** `cursor` = where to listen from now. */
  | { readonly kind: 'prepared'; readonly session: number; readonly cursor: Cursor | undefined }
  /** A request of this session, or applying what it brought, failed. */
  | { readonly kind: 'failed'; readonly session: number; readonly error: HubError }
  | { readonly kind: 'listening'; readonly session: number; readonly head: Cursor }
  /** Entries up to `cursor` are durable here; true whatever became of the session that brought them. */
  | { readonly kind: 'applied'; readonly cursor: Cursor }
  /** What has been applied is less than thought (another process lost the mirror): listen again from `cursor`. */
  | { readonly kind: 'rebased'; readonly cursor: Cursor | undefined }
  | { readonly kind: 'lost'; readonly session: number; readonly error: HubError; readonly addresses: readonly string[] }
  | { readonly kind: 'retryDue' }
  /** The session has held for `HEALTHY_AFTER_MS`. */
  | { readonly kind: 'healthy'; readonly session: number }
  /** Something waits to be sent, or somebody asks to try now. */
  | { readonly kind: 'nudge' }
  | { readonly kind: 'stop' };

export type SyncEventKind = SyncEvent['kind'];
export type EventOf<K extends SyncEventKind> = Extract<SyncEvent, { kind: K }>;

/** What the driver has to do, in this order. */
export type SyncCommand =
  | { readonly kind: 'open'; readonly address: string; readonly session: number }
  | { readonly kind: 'prepare'; readonly task: PrepareTask }
  | { readonly kind: 'listen'; readonly cursor: Cursor | undefined }
  /** Publish what waits in the outbox. */
  | { readonly kind: 'drain' }
  | { readonly kind: 'closeSession' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'cancelWait' }
  | { readonly kind: 'watchHealth' };

export interface Step {
  readonly state: State;
  readonly commands: readonly SyncCommand[];
}
