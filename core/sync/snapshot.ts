/** What a sync client shows of itself: plain data for status lines, views and tests. */
import type { Cursor } from '../cursor';
import type { HubError } from '../errors';

export type SyncPhase = 'idle' | 'connecting' | 'replaying' | 'live' | 'waiting' | 'stopped';

export interface SyncSnapshot {
  /** `waiting` = between two attempts; `stopped` = will not try again by itself (`lastError` says why, if anything did). */
  readonly phase: SyncPhase;
  /** Of the hub in use or tried last, in normal form. */
  readonly address: string | undefined;
  /** Last position scanned; `undefined` = nothing yet. */
  readonly cursor: Cursor | undefined;
  /** End of the hub's log as last heard; behind it by `head.sequence - cursor.sequence`. */
  readonly head: Cursor | undefined;
  /** Entries that wait to be shared. */
  readonly outbox: number;
  /** The operator has not approved this client: it sends its outbox, and is told nothing. */
  readonly waitsForApproval?: boolean | undefined;
  /** Cleared when a session is live again. */
  readonly lastError?: HubError | undefined;
  /** Set while `waiting`. */
  readonly retryInMs?: number | undefined;
}
