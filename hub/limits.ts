/** Every limit of a hub that is not part of the wire contract (those are in core/limits), in one place. */
import { MAX_FRAME_BYTES } from '../core/limits';

/** What an operator may set by flags; the defaults are the documented ones. */
export interface ServerLimits {
  readonly maxSessions: number;
  readonly maxSessionsPerToken: number;
  /** Entries a token may publish at once before the rate counts; 0 = no rate limit at all. */
  readonly publishBurst: number;
  /** Entries per second and token in the long run. */
  readonly publishPerSecond: number;
  readonly publishBytesPerDay: number;
}

export const DEFAULT_LIMITS: ServerLimits = {
  maxSessions: 1_000,
  maxSessionsPerToken: 8,
  publishBurst: 5_000,
  publishPerSecond: 50,
  publishBytesPerDay: 1024 * 1024 * 1024,
};

/** Connections that have not shown a valid token: above this the oldest idle ones are dropped. */
export const MAX_UNAUTHENTICATED = 100;
/** A connection gets at least this long before it may be dropped for a newer one. */
export const UNAUTHENTICATED_GRACE_MS = 1_000;
/** Headers, and so the upgrade, must be complete within this time. */
export const UPGRADE_TIMEOUT_MS = 5_000;
export const MAX_HEADER_BYTES = 8 * 1024;
/** A batch of an import: as much as one frame holds. */
export const MAX_CONTROL_BODY_BYTES = MAX_FRAME_BYTES;

/** Per session: requests under way, and their bytes, before the hub stops reading from its socket. */
export const MAX_REQUESTS_UNDER_WAY = 256;
export const MAX_REQUEST_BYTES_UNDER_WAY = 16 * 1024 * 1024;
/** Unsent answers of a session before the hub stops reading more requests from it. */
export const MAX_UNSENT_ANSWER_BYTES = 1024 * 1024;

/** A listener with more unsent bytes than this is not written to (S21); at most one frame lies on top. */
export const MAX_UNSENT_FEED_BYTES = 1024 * 1024;
export const MIN_UNSENT_FEED_BYTES = 64 * 1024;
/** Shared by all listeners that lag: the more there are, the less each may have under way. */
export const MAX_UNSENT_FEED_BYTES_TOTAL = 64 * 1024 * 1024;
/** Lines gathered into one frame, unless a single line is longer. */
export const MAX_FEED_FRAME_BYTES = 512 * 1024;
/** Newest lines kept in memory for listeners that are nearly up to date. */
export const FEED_TAIL_BYTES = 4 * 1024 * 1024;
/** A listener whose unsent bytes do not get fewer for this long is cut; it resumes by its cursor. */
export const STALLED_LISTENER_MS = 60_000;

/** Failed authentications of one address per minute before each further one waits. */
export const FREE_AUTH_FAILURES_PER_MINUTE = 10;
export const AUTH_FAILURE_DELAY_MS = 1_000;
export const MAX_DELAYED_AUTH_FAILURES = 100;

/** How long a stopping hub waits for the other side's half of the closing handshake. */
export const CLOSE_TIMEOUT_MS = 2_000;
