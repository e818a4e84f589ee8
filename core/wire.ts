/**
 * Messages of the subprotocol `ctx-hub.v1` (PROTOCOL.md, section "Wire"): types, and the one parse function per
 * direction. JSON text frames; unknown members of a message are ignored, unknown members of a published entry are refused.
 */
import * as z from 'zod';
import { toldAccessSchema, type ClientAccess } from './access';
import { cursorSchema, type Cursor } from './cursor';
import { ENTRY_TYPES, type EntryType, type PublishedEntry, type StoredEntry } from './entry';
import { metaSchema } from './entry-schema';
import { HubError, isWireCode, type ErrorCode, type Outcome, type WireCode } from './errors';
import { MAX_BATCH_ENTRIES } from './limits';
import { visibleLine } from './visible-text';

export const SUBPROTOCOL = 'ctx-hub.v1';
export const PROTOCOL_VERSION = 1;

const entryType = z.enum(ENTRY_TYPES);
const types = z.array(entryType).min(1).max(ENTRY_TYPES.length);
const requestId = z.int().min(0);

/** Shape of an entry as a client sends it; `checkPublishedEntry` has the rules. */
export const publishedEntrySchema = z.strictObject({
  id: z.string(),
  type: entryType,
  content: z.string(),
  timestamp: z.string(),
  origin: z.string().optional(),
  meta: metaSchema.optional(),
  supersedes: z.string().optional(),
});

/** Requests of a client. Every one has a request number, unique among those under way in its session. */
const requestSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('publish'),
    request: requestId,
    entries: z.array(publishedEntrySchema).min(1).max(MAX_BATCH_ENTRIES),
  }),
  /** Streams everything after the cursor (absent = from the start), then what arrives. One listen per session. */
  z.object({ kind: z.literal('listen'), request: requestId, cursor: cursorSchema.optional(), types: types.optional() }),
  /** One page of what lies after `cursor`, at most up to `to`. */
  z.object({
    kind: z.literal('sync'),
    request: requestId,
    cursor: cursorSchema.optional(),
    to: cursorSchema.optional(),
    types: types.optional(),
  }),
  z.object({ kind: z.literal('status'), request: requestId }),
  /** Admin: makes a client token for a project; the same project and client again replaces that token. */
  z.object({ kind: z.literal('register'), request: requestId, project: z.string(), client: z.string() }),
  z.object({ kind: z.literal('client_list'), request: requestId }),
  z.object({ kind: z.literal('client_revoke'), request: requestId, client_id: z.string() }),
]);

type ParsedRequest = z.infer<typeof requestSchema>;

/** A publish as its reader sees it: optional members are absent, never `undefined` (JSON has no such thing). */
export interface PublishRequest {
  readonly kind: 'publish';
  readonly request: number;
  readonly entries: readonly PublishedEntry[];
}

export type Request = Exclude<ParsedRequest, { kind: 'publish' }> | PublishRequest;
export type RequestKind = Request['kind'];

/** Local control, which stays on the machine, has codes that do not go over the wire. */
export interface WireError<Code extends ErrorCode = WireCode> {
  readonly code: Code;
  readonly message: string;
  readonly retry: boolean;
  readonly outcome: Outcome;
  readonly retry_after_ms?: number | undefined;
}

export interface HubLimits {
  readonly frame_bytes: number;
  readonly content_bytes: number;
  readonly batch_entries: number;
  readonly heartbeat_ms: number;
}

/** The hub's first frame. */
export interface Hello {
  readonly kind: 'hello';
  readonly versions: readonly number[];
  readonly hub: string;
  readonly role: 'leader' | 'follower';
  /** Hash of the running process's nonce: tells one start of a hub from the next. */
  readonly instance: string;
  /** End of the log. */
  readonly head: Cursor;
  readonly limits: HubLimits;
  /** Addresses of the whole cluster; empty for a single hub. */
  readonly cluster: readonly string[];
  /** Whom the token stands for. */
  readonly identity:
    { readonly kind: 'client'; readonly project: string; readonly client: string } | { readonly kind: 'admin' };
  /** What the client may read; absent = everything. */
  readonly access?: ClientAccess | undefined;
  /** RFC 3339, the hub's clock. */
  readonly time: string;
}

export type PublishResult =
  | { readonly id: string; readonly sequence: number; readonly duplicate: boolean }
  | { readonly id: string; readonly error: WireError };

export interface ClientInfo {
  readonly client_id: string;
  readonly project: string;
  readonly client: string;
  readonly created_at: string;
  readonly last_seen_at?: string | undefined;
  readonly access?: ClientAccess | undefined;
  readonly revoked_at?: string | undefined;
}

export interface StatusInfo {
  readonly hub: string;
  readonly instance: string;
  readonly version: string;
  readonly engine: 'file' | 'raft';
  readonly role: 'leader' | 'follower';
  readonly head: Cursor;
  readonly address: string;
  readonly data_dir?: string | undefined;
  readonly pid: number;
  readonly started_at: string;
  readonly sessions: number;
  readonly listeners: number;
  readonly clients: number;
  /** Problems a person should act on; empty = healthy. */
  readonly problems: readonly string[];
}

/** What the hub sends after `hello`. */
export type Answer =
  | { readonly kind: 'published'; readonly request: number; readonly results: readonly PublishResult[] }
  | { readonly kind: 'listening'; readonly request: number; readonly head: Cursor }
  | {
      readonly kind: 'page';
      readonly request: number;
      readonly entries: readonly StoredEntry[];
      readonly cursor: Cursor;
      readonly more: boolean;
    }
  | { readonly kind: 'status'; readonly request: number; readonly status: StatusInfo }
  | {
      readonly kind: 'registered';
      readonly request: number;
      readonly token: string;
      readonly client_id: string;
      readonly hub: string;
    }
  | { readonly kind: 'clients'; readonly request: number; readonly clients: readonly ClientInfo[] }
  | { readonly kind: 'revoked'; readonly request: number; readonly client_id: string }
  | { readonly kind: 'error'; readonly request: number | null; readonly error: WireError };

/**
 * A batch of a running listen. `cursor` is the last position scanned, which may lie beyond the last entry sent when types
 * are filtered. The frame is the same for every listener with the same filter, so it carries no request number.
 */
export interface EntriesPush {
  readonly kind: 'entries';
  readonly cursor: Cursor;
  readonly entries: readonly StoredEntry[];
}

/** The hub closes the session after this; `addresses` are where to go instead (empty: come back later). */
export interface GoingAway {
  readonly kind: 'going_away';
  readonly message: string;
  readonly addresses: readonly string[];
}

export type ServerMessage = Hello | Answer | EntriesPush | GoingAway;

function describe(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return 'not a known message';
  const where = issue.path.join('.');
  return where === '' ? issue.message : `${where}: ${issue.message}`;
}

/**
 * Lets a client's message in. Checks shapes only; `checkPublishedEntry` has the rules for entries.
 * @throws HubError `invalid`, naming the member that is wrong
 */
export function parseRequest(value: unknown): Request {
  const parsed = requestSchema.safeParse(value);
  if (parsed.success) return parsed.data as Request;
  throw new HubError('invalid', `The message was not understood: ${describe(parsed.error)}.`);
}

const storedEntry = z.looseObject({
  id: z.string(),
  type: z.string(),
  content: z.string().nullable(),
  origin: z.string(),
  client: z.string(),
  timestamp: z.string(),
  received_at: z.string(),
  sequence: z.int().min(1),
  meta: z.record(z.string(), z.string()).optional(),
  supersedes: z.string().optional(),
  digest: z.string(),
});

const wireError = z.object({
  code: z.string().transform((code): WireCode => (isWireCode(code) ? code : 'internal')),
  message: z.string(),
  retry: z.boolean().default(false),
  outcome: z.enum(['refused', 'unknown']).default('unknown'),
  retry_after_ms: z.number().min(0).optional(),
});

const hello = z.object({
  kind: z.literal('hello'),
  versions: z.array(z.int()),
  hub: z.string(),
  role: z.enum(['leader', 'follower']),
  instance: z.string(),
  head: cursorSchema,
  limits: z.object({
    frame_bytes: z.int().min(1),
    content_bytes: z.int().min(1),
    batch_entries: z.int().min(1),
    heartbeat_ms: z.int().min(1),
  }),
  cluster: z.array(z.string()),
  identity: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('client'), project: z.string(), client: z.string() }),
    z.object({ kind: z.literal('admin') }),
  ]),
  access: toldAccessSchema.optional(),
  time: z.string(),
});

export const clientInfoSchema = z.object({
  client_id: z.string(),
  project: z.string(),
  client: z.string(),
  created_at: z.string(),
  last_seen_at: z.string().optional(),
  access: toldAccessSchema.optional(),
  revoked_at: z.string().optional(),
});

const statusInfo = z.object({
  hub: z.string(),
  instance: z.string(),
  version: z.string(),
  engine: z.enum(['file', 'raft']),
  role: z.enum(['leader', 'follower']),
  head: cursorSchema,
  address: z.string(),
  data_dir: z.string().optional(),
  pid: z.int(),
  started_at: z.string(),
  sessions: z.int(),
  listeners: z.int(),
  clients: z.int(),
  problems: z.array(z.string()),
});

const serverMessage = z.discriminatedUnion('kind', [
  hello,
  z.object({
    kind: z.literal('published'),
    request: requestId,
    results: z.array(
      z.union([
        z.object({ id: z.string(), error: wireError }),
        z.object({ id: z.string(), sequence: z.int().min(1), duplicate: z.boolean() }),
      ]),
    ),
  }),
  z.object({ kind: z.literal('listening'), request: requestId, head: cursorSchema }),
  z.object({
    kind: z.literal('page'),
    request: requestId,
    entries: z.array(storedEntry),
    cursor: cursorSchema,
    more: z.boolean(),
  }),
  z.object({ kind: z.literal('status'), request: requestId, status: statusInfo }),
  z.object({
    kind: z.literal('registered'),
    request: requestId,
    token: z.string(),
    client_id: z.string(),
    hub: z.string(),
  }),
  z.object({ kind: z.literal('clients'), request: requestId, clients: z.array(clientInfoSchema) }),
  z.object({ kind: z.literal('revoked'), request: requestId, client_id: z.string() }),
  z.object({ kind: z.literal('error'), request: requestId.nullable(), error: wireError }),
  z.object({ kind: z.literal('entries'), cursor: cursorSchema, entries: z.array(storedEntry) }),
  z.object({ kind: z.literal('going_away'), message: z.string(), addresses: z.array(z.string()) }),
]);

/**
 * Lets a hub's message in. Entries of a type this version does not know stay in the list (`type` is then outside
 * {@link EntryType}): whoever shows them skips them, the cursor moves on.
 * @throws HubError `unsupported_version` when the hub speaks something else
 */
export function parseServerMessage(value: unknown): ServerMessage {
  const parsed = serverMessage.safeParse(value);
  if (parsed.success) return parsed.data as unknown as ServerMessage;
  throw new HubError(
    'unsupported_version',
    `The hub sent a message this version does not understand: ${describe(parsed.error)}.`,
  );
}

/** @throws HubError `unsupported_version` when it is no status of a hub that this version knows */
export function parseStatus(value: unknown): StatusInfo {
  const parsed = statusInfo.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new HubError('unsupported_version', `The hub's status was not understood: ${describe(parsed.error)}.`);
}

export function toWireError<Code extends ErrorCode>(error: HubError, code: Code): WireError<Code> {
  return {
    code,
    message: error.message,
    retry: error.facts.retry,
    outcome: error.outcome,
    ...(error.retryAfterMs === undefined ? {} : { retry_after_ms: error.retryAfterMs }),
  };
}

/** Longer messages of a hub are cut: they are for one look at a terminal. */
const MAX_MESSAGE_LENGTH = 1_000;
/** No hub of ours asks for more than a day, and more than 24 days would overflow a timer into no wait at all. */
const MAX_RETRY_AFTER_MS = 24 * 60 * 60 * 1_000;

/** The message is the hub's, so untrusted: one visible line. */
export function fromWireError(error: WireError<ErrorCode>): HubError {
  return new HubError(error.code, visibleLine(error.message.slice(0, MAX_MESSAGE_LENGTH)), {
    outcome: error.outcome,
    ...(error.retry_after_ms === undefined ? {} : { retryAfterMs: Math.min(error.retry_after_ms, MAX_RETRY_AFTER_MS) }),
  });
}

/** The filter of a listen or sync; `undefined` = every type. */
export type TypeFilter = readonly EntryType[] | undefined;
