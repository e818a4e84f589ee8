/**
 * One authenticated session with a hub: requests with deadlines, one listen, a heartbeat watch. It never reconnects
 * and keeps nothing on disk; who needs that uses the sync client.
 */
import { WebSocket, type RawData } from 'ws';
import type { Cursor } from '../cursor';
import type { EntryType, PublishedEntry } from '../entry';
import { HubError } from '../errors';
import { parseHubAddress, type HubAddress } from '../hub-address';
import { REQUEST_TIMEOUT_MS } from '../limits';
import {
  PROTOCOL_VERSION,
  fromWireError,
  parseServerMessage,
  type Answer,
  type ClientInfo,
  type EntriesPush,
  type Hello,
  type PublishResult,
  type StatusInfo,
} from '../wire';
import { connectError, connectTimeout, connectToHub } from './hub-connect';
import { Inbox } from './session-inbox';
import { PendingRequests, type RequestBody } from './session-requests';
import { endOfSession, type SessionEnd } from './session-end';
import { watchSilence } from './silence-watch';
import type { ConnectStep } from '../errors';

export type { SessionEnd } from './session-end';

export interface SessionOptions {
  /** As written by a person; see `parseHubAddress`. */
  readonly address: string;
  readonly token: string;
  /** Deadline for opening and for each request; 5 s by default (FM-17). */
  readonly timeoutMs?: number | undefined;
  /** Deadline for opening alone. */
  readonly openMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** PEM of certificates to trust instead of the system's. */
  readonly ca?: string | undefined;
  /** SHA-256 of the hub's certificate, trusted instead of a chain. */
  readonly fingerprint?: string | undefined;
}

export interface PageRequest {
  /** Absent = from the start. */
  readonly cursor?: Cursor | undefined;
  readonly to?: Cursor | undefined;
  readonly types?: readonly EntryType[] | undefined;
}

export type Page = Omit<Extract<Answer, { kind: 'page' }>, 'kind' | 'request'>;

/** May return a promise: the session reads no further until it resolves, and ends when it rejects. */
export type EntriesHandler = (push: EntriesPush) => void | Promise<void>;

export interface HubSession {
  readonly hello: Hello;
  /** In normal form. */
  readonly address: string;
  /** How far the hub's clock was ahead of ours at `hello`, in ms; half a round trip inexact. */
  readonly clockOffsetMs: number;
  /** @throws HubError of the whole request; errors of single entries are in the results */
  readonly publish: (entries: readonly PublishedEntry[]) => Promise<readonly PublishResult[]>;
  readonly syncPage: (request: PageRequest) => Promise<Page>;
  /** At most once per session. @returns the hub's head when the listen began */
  readonly listen: (
    cursor: Cursor | undefined,
    types: readonly EntryType[] | undefined,
    onEntries: EntriesHandler,
  ) => Promise<Cursor>;
  readonly status: () => Promise<StatusInfo>;
  /** Admin token only. */
  readonly register: (project: string, client: string) => Promise<{ token: string; clientId: string; hub: string }>;
  readonly clientList: () => Promise<readonly ClientInfo[]>;
  readonly clientRevoke: (clientId: string) => Promise<void>;
  /** Ends the session; resolves when the socket is closed. */
  readonly close: () => Promise<void>;
  /** Ends the session at once, without a farewell that a silent hub would not return. */
  readonly terminate: () => void;
  /** Resolves, never rejects, with why the session ended. */
  readonly closed: Promise<SessionEnd>;
}

const CLOSE_GRACE_MS = 1_000;

/**
 * @throws HubError `unreachable` (with `step`), `unauthenticated`, `unsupported_version`, `usage` for a bad address;
 *   the signal's reason when aborted
 */
export async function openSession(options: SessionOptions): Promise<HubSession> {
  const secureByDefault = options.ca !== undefined || options.fingerprint !== undefined;
  const address = parseHubAddress(options.address, secureByDefault);
  const timeoutMs = options.timeoutMs ?? REQUEST_TIMEOUT_MS;
  let step: ConnectStep = 'dns';
  const deadline = new AbortController();
  const openMs = options.openMs ?? timeoutMs;
  const timer = setTimeout(() => deadline.abort(connectTimeout(address.url, step, openMs)), openMs);
  const signal = AbortSignal.any([deadline.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  try {
    const ws = await connectToHub({ ...options, address, signal, onStep: (now) => (step = now) });
    step = 'protocol';
    const session = new Session(ws, address, timeoutMs);
    await session.greeted(signal);
    return session;
  } catch (error) {
    throw asHubError(error, address);
  } finally {
    clearTimeout(timer);
  }
}

function asHubError(error: unknown, address: HubAddress): HubError {
  if (error instanceof HubError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new HubError('unreachable', `Connecting to the hub at ${address.url} was given up: ${why}.`, { cause: error });
}

class Session implements HubSession {
  readonly address: string;
  readonly closed: Promise<SessionEnd>;
  #hello: Hello | undefined;
  #clockOffsetMs = 0;
  readonly #ws: WebSocket;
  readonly #requests: PendingRequests;
  readonly #inbox: Inbox;
  #onHello: ((hello: Hello | HubError) => void) | undefined;
  #onEntries: EntriesHandler | undefined;
  #goingAway: { message: string; addresses: readonly string[] } | undefined;
  #fault: HubError | undefined;
  #byUs = false;
  #stopWatching: (() => void) | undefined;

  constructor(ws: WebSocket, address: HubAddress, timeoutMs: number) {
    this.#ws = ws;
    this.address = address.url;
    this.#requests = new PendingRequests(address.url, timeoutMs, (text) => ws.send(text));
    this.#inbox = new Inbox(
      ws,
      (message) => this.#handle(message),
      (error) => this.#fail(error),
    );
    this.closed = new Promise((resolve) => {
      ws.once('close', (code: number, reason: Buffer) => {
        this.#stopWatching?.();
        const end = endOfSession({
          url: address.url,
          code,
          reason: reason.toString('utf8'),
          fault: this.#fault,
          goingAway: this.#goingAway,
          byUs: this.#byUs,
        });
        this.#requests.end(end.error);
        this.#onHello?.(end.error);
        resolve(end);
      });
    });
    ws.on('error', (error) => (this.#fault ??= connectError(address.url, 'protocol', error.message, error)));
    ws.on('message', (data: RawData, isBinary: boolean) => this.#receive(data, isBinary));
  }

  get hello(): Hello {
    if (this.#hello === undefined) throw new Error('a session is handed out only after its hello');
    return this.#hello;
  }

  get clockOffsetMs(): number {
    return this.#clockOffsetMs;
  }

  async greeted(signal: AbortSignal): Promise<void> {
    const onAbort = (): void => {
      this.#fail(signal.reason as HubError);
      this.#onHello?.(signal.reason as HubError);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const greeting = new Promise<Hello | HubError>((resolve) => (this.#onHello = resolve));
    if (signal.aborted) onAbort();
    this.#ws.resume();
    const hello = await greeting;
    signal.removeEventListener('abort', onAbort);
    this.#onHello = undefined;
    if (hello instanceof HubError) {
      // Nobody gets this session, so nobody else would close it.
      this.#ws.terminate();
      throw hello;
    }
    this.#hello = hello;
    this.#stopWatching = watchSilence(
      this.#ws,
      hello.limits.heartbeat_ms,
      () => this.#inbox.paused,
      (silentMs) =>
        this.#fail(new HubError('unreachable', `The hub at ${this.address} was silent for ${silentMs} ms.`)),
    );
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (isBinary) {
      this.#fail(connectError(this.address, 'protocol', 'the hub sent a binary frame'));
      return;
    }
    try {
      // A Buffer: `binaryType` is left at its default.
      this.#inbox.push(parseServerMessage(JSON.parse((data as Buffer).toString('utf8'))));
    } catch (error) {
      const foreign = connectError(this.address, 'protocol', 'the hub sent something that is not JSON', error);
      this.#fail(error instanceof HubError ? error : foreign);
    }
  }

  #handle(message: ReturnType<typeof parseServerMessage>): void | Promise<void> {
    switch (message.kind) {
      case 'hello':
        this.#greet(message);
        return;
      case 'entries':
        return this.#onEntries?.(message);
      case 'going_away':
        this.#goingAway = message;
        return;
      default:
        if (!this.#requests.settle(message)) this.#noteError(message);
    }
  }

  #greet(hello: Hello): void {
    if (this.#onHello === undefined) return;
    if (!hello.versions.includes(PROTOCOL_VERSION)) {
      const what = `the hub speaks version ${hello.versions.join(', ')}, this ctx version ${PROTOCOL_VERSION}`;
      this.#onHello(connectError(this.address, 'protocol', what));
      return;
    }
    this.#clockOffsetMs = Date.parse(hello.time) - Date.now();
    this.#onHello(hello);
  }

  /** An error that answers no request of ours explains the close that follows. */
  #noteError(message: Answer): void {
    if (message.kind === 'error') this.#fault ??= fromWireError(message.error);
  }

  #fail(error: HubError): void {
    this.#fault ??= error;
    this.#ws.terminate();
  }

  #request<K extends Answer['kind']>(body: RequestBody, kind: K): Promise<Extract<Answer, { kind: K }>> {
    return this.#requests.send(body, kind, this.#ws.readyState === WebSocket.OPEN);
  }

  async publish(entries: readonly PublishedEntry[]): Promise<readonly PublishResult[]> {
    return (await this.#request({ kind: 'publish', entries: [...entries] }, 'published')).results;
  }

  async syncPage(request: PageRequest): Promise<Page> {
    const { entries, cursor, more } = await this.#request({ kind: 'sync', ...present(request) }, 'page');
    return { entries, cursor, more };
  }

  async listen(
    cursor: Cursor | undefined,
    types: readonly EntryType[] | undefined,
    onEntries: EntriesHandler,
  ): Promise<Cursor> {
    this.#onEntries = onEntries;
    return (await this.#request({ kind: 'listen', ...present({ cursor, types }) }, 'listening')).head;
  }

  async status(): Promise<StatusInfo> {
    return (await this.#request({ kind: 'status' }, 'status')).status;
  }

  async register(project: string, client: string): Promise<{ token: string; clientId: string; hub: string }> {
    const answer = await this.#request({ kind: 'register', project, client }, 'registered');
    return { token: answer.token, clientId: answer.client_id, hub: answer.hub };
  }

  async clientList(): Promise<readonly ClientInfo[]> {
    return (await this.#request({ kind: 'client_list' }, 'clients')).clients;
  }

  async clientRevoke(clientId: string): Promise<void> {
    await this.#request({ kind: 'client_revoke', client_id: clientId }, 'revoked');
  }

  terminate(): void {
    this.#byUs = true;
    this.#ws.terminate();
  }

  async close(): Promise<void> {
    this.#byUs = true;
    this.#ws.resume();
    this.#ws.close(1000);
    const timer = setTimeout(() => this.#ws.terminate(), CLOSE_GRACE_MS);
    await this.closed;
    clearTimeout(timer);
  }
}

interface Positions {
  readonly cursor?: Cursor | undefined;
  readonly to?: Cursor | undefined;
  readonly types?: readonly EntryType[] | undefined;
}

/** The members that are there, as the wire wants them: absent, not `undefined`. */
function present({ cursor, to, types }: Positions): { cursor?: Cursor; to?: Cursor; types?: EntryType[] } {
  return {
    ...(cursor === undefined ? {} : { cursor }),
    ...(to === undefined ? {} : { to }),
    ...(types === undefined ? {} : { types: [...types] }),
  };
}
