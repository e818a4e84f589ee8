/**
 * The one error class and the one table that gives each code its exit code, WebSocket close code, HTTP status and retry
 * advice (PROTOCOL.md, section "Errors"). Knows nothing of sockets or processes.
 */

/** Whether the command may still take effect: `refused` = it certainly never appears; `unknown` = ask again with the same id. */
export type Outcome = 'refused' | 'unknown';

/** Codes a hub may send. The set is closed: a client treats any other code as `internal`. */
export const WIRE_CODES = [
  'unauthenticated',
  'forbidden',
  'invalid',
  'too_large',
  'rate_limited',
  'id_conflict',
  'origin_mismatch',
  'no_leader',
  'disk_full',
  'store_failed',
  'diverged',
  'unsupported_version',
  'going_away',
  'timeout',
  'internal',
] as const;

/** Codes that arise on this machine and never leave it: between its processes they travel, by local control. */
export const LOCAL_CODES = [
  'usage',
  'bad_data',
  'unreachable',
  'cannot_create',
  'io_failed',
  'not_shared',
  'config',
  'locked',
] as const;

export type WireCode = (typeof WIRE_CODES)[number];
export type LocalCode = (typeof LOCAL_CODES)[number];
export type ErrorCode = WireCode | LocalCode;

export interface CodeFacts {
  /** Exit code of a `ctx` command that ends with this error (sysexits.h numbers). */
  readonly exit: number;
  /** WebSocket close code (RFC 6455 7.4.2: 4000–4999 are private) when the error ends a session. */
  readonly close: number;
  /** HTTP status when the error answers an HTTP request. */
  readonly http: number;
  /** Whether the same request may succeed later without a change. */
  readonly retry: boolean;
}

const facts = (exit: number, close: number, http: number, retry: boolean): CodeFacts => ({ exit, close, http, retry });

export const CODE_FACTS: Readonly<Record<ErrorCode, CodeFacts>> = {
  unauthenticated: facts(77, 4401, 401, false),
  forbidden: facts(77, 4403, 403, false),
  invalid: facts(65, 4400, 400, false),
  too_large: facts(65, 1009, 413, false),
  rate_limited: facts(69, 4429, 429, true),
  id_conflict: facts(65, 4409, 409, false),
  origin_mismatch: facts(77, 4403, 403, false),
  no_leader: facts(69, 4503, 503, true),
  disk_full: facts(74, 4507, 507, true),
  store_failed: facts(74, 4500, 500, false),
  diverged: facts(65, 4410, 409, false),
  unsupported_version: facts(76, 4426, 426, false),
  going_away: facts(69, 1001, 503, true),
  timeout: facts(69, 4408, 504, true),
  internal: facts(70, 1011, 500, false),
  usage: facts(64, 4400, 400, false),
  bad_data: facts(65, 4400, 400, false),
  unreachable: facts(69, 1001, 503, true),
  cannot_create: facts(73, 1011, 500, false),
  io_failed: facts(74, 1011, 500, false),
  not_shared: facts(75, 1011, 503, true),
  config: facts(78, 1011, 500, false),
  locked: facts(73, 1011, 409, false),
};

/** The steps of reaching a hub, in order; a failure names the one it happened at (FM-60). */
export const CONNECT_STEPS = ['address', 'dns', 'tcp', 'tls', 'http', 'auth', 'protocol'] as const;
export type ConnectStep = (typeof CONNECT_STEPS)[number];

export interface HubErrorOptions {
  readonly cause?: unknown;
  /** Defaults to `refused`: the code that throws knows that nothing happened, or says otherwise. */
  readonly outcome?: Outcome;
  /** For `rate_limited` and `no_leader`: when to try again, in ms. */
  readonly retryAfterMs?: number;
  /** For errors of opening a session. */
  readonly step?: ConnectStep;
}

/** An operating fault with a code. The message says what happened, to what, and what to do next. */
export class HubError extends Error {
  override readonly name = 'HubError';
  readonly code: ErrorCode;
  readonly outcome: Outcome;
  readonly retryAfterMs: number | undefined;
  readonly step: ConnectStep | undefined;

  constructor(code: ErrorCode, message: string, options: HubErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.outcome = options.outcome ?? 'refused';
    this.retryAfterMs = options.retryAfterMs;
    this.step = options.step;
  }

  get facts(): CodeFacts {
    return CODE_FACTS[this.code];
  }
}

export function isWireCode(code: string): code is WireCode {
  return (WIRE_CODES as readonly string[]).includes(code);
}

/** What a local code is called on the wire; the others become `internal`. */
const WIRE_TWINS: Partial<Readonly<Record<LocalCode, WireCode>>> = {
  usage: 'invalid',
  bad_data: 'invalid',
  unreachable: 'timeout',
};

export function toWireCode(code: ErrorCode): WireCode {
  return isWireCode(code) ? code : (WIRE_TWINS[code] ?? 'internal');
}
