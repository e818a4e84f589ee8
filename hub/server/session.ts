/**
 * One session: a socket-shaped object and an identity in, answers out. Reads no faster than it can answer, checks its
 * token on every message (S15), and never lets a fault of one request touch another.
 */
import { accessKey } from '../../core/access';
import { HubError, toWireCode, type ErrorCode } from '../../core/errors';
import type { Clock } from '../../core/ports';
import { parseStrictJson } from '../../core/strict-json';
import { parseRequest, toWireError, type Answer, type Hello, type Request, type StatusInfo } from '../../core/wire';
import type { HubParts } from '../hub-parts';
import {
  MAX_REQUEST_BYTES_UNDER_WAY,
  MAX_REQUESTS_UNDER_WAY,
  MAX_UNSENT_ANSWER_BYTES,
  type ServerLimits,
} from '../limits';
import type { Authenticator, ClientIdentity, SessionIdentity } from './authenticator';
import type { ClientAdmin } from './client-admin';
import type { Feed, Listener } from './feed';
import { pageFrame, textFrame } from './frame';
import { readPage } from './page';
import { publish } from './publish';
import { filterOf, type LineFilter } from './line-filter';
import type { PublishRate } from './publish-rate';
import { requireRole } from './roles';
import type { SessionSocket } from './session-socket';

export interface SessionContext {
  readonly parts: HubParts;
  readonly feed: Feed;
  readonly auth: Authenticator;
  readonly admin: ClientAdmin;
  readonly rate: PublishRate;
  readonly limits: ServerLimits;
  readonly clock: Clock;
  readonly hello: (identity: SessionIdentity) => Hello;
  readonly status: (identity: SessionIdentity) => StatusInfo;
  readonly isStopping: () => boolean;
  /** Why no token of a client can be trusted now; absent on a hub that knows what was revoked. */
  readonly distrust: () => HubError | undefined;
  /** Where else clients may go: addresses of this hub's other nodes, the best one first. */
  readonly elsewhere: () => readonly string[];
  readonly count: (event: 'request' | 'error', code?: ErrorCode) => void;
  /** A bug: the hub must stop acknowledging (S38). */
  readonly crash: (error: unknown) => void;
}

type ReadRequest = Extract<Request, { kind: 'listen' | 'sync' }>;

/** `request` of something that is no valid request, when it has one. */
function requestNumber(value: unknown): number | null {
  if (typeof value !== 'object' || value === null || !('request' in value)) return null;
  const { request } = value;
  return typeof request === 'number' && Number.isSafeInteger(request) && request >= 0 ? request : null;
}

export class Session {
  private readonly underWay = new Map<number, number>();
  private bytesUnderWay = 0;
  private paused = false;
  private listener: Listener | undefined;
  /** Pages are read one after the other, so that a session holds one in memory. */
  private pages: Promise<void> = Promise.resolve();
  private idle: (() => void)[] = [];
  /** What it was opened with: when that changes it is opened anew, and the other side learns of it. */
  private readonly openedWith: string;

  constructor(
    private readonly context: SessionContext,
    readonly socket: SessionSocket,
    readonly identity: SessionIdentity,
  ) {
    this.openedWith = accessKey(context.auth.access(identity));
  }

  start(): void {
    const distrust = this.distrust();
    if (distrust !== undefined) return this.endWith(distrust);
    this.socket.send(textFrame(JSON.stringify(this.context.hello(this.identity))));
    this.noteSeen();
  }

  get isListening(): boolean {
    return this.listener !== undefined;
  }

  receive(text: string): void {
    if (!this.socket.isOpen()) return;
    if (!this.context.auth.isCurrent(this.identity)) return this.endRevoked();
    const distrust = this.distrust();
    if (distrust !== undefined) return this.endUntrusted(distrust);
    this.context.count('request');
    let value: unknown;
    try {
      value = parseStrictJson(text);
    } catch (error) {
      return this.endWith(error);
    }
    const request = requestNumber(value);
    try {
      this.begin(parseRequest(value), text.length);
    } catch (error) {
      if (request === null) this.endWith(error);
      else this.fail(request, error);
    }
  }

  /** Closes the session when its token or what it may read has changed, or may have without this node knowing. */
  recheck(): void {
    if (!this.socket.isOpen()) return;
    if (!this.context.auth.isCurrent(this.identity)) return this.endRevoked();
    const distrust = this.distrust();
    if (distrust !== undefined) return this.endUntrusted(distrust);
    if (accessKey(this.context.auth.access(this.identity)) !== this.openedWith) this.endChanged();
  }

  /** The operator's token is this node's own: it never depends on others. */
  private distrust(): HubError | undefined {
    return this.identity.kind === 'client' ? this.context.distrust() : undefined;
  }

  /** Resolves when nothing is under way. */
  whenIdle(): Promise<void> {
    if (this.underWay.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.idle.push(resolve));
  }

  goAway(message: string): void {
    const addresses = this.context.elsewhere();
    this.socket.send(textFrame(JSON.stringify({ kind: 'going_away', message, addresses })));
    this.socket.close(1001, message);
  }

  endWith(error: unknown): void {
    const known = this.fail(null, error);
    if (known !== undefined) this.socket.close(known.facts.close, known.message);
  }

  /** After the connection is gone. */
  ended(): void {
    if (this.listener !== undefined) this.context.feed.end(this.listener);
    this.noteSeen();
  }

  private noteSeen(): void {
    if (this.identity.kind === 'client') this.context.admin.seen(this.identity.id);
  }

  private endRevoked(): void {
    this.endUntrusted(new HubError('unauthenticated', 'This token was revoked or replaced. Register again.'));
  }

  /** No refusal: the client comes back by itself, with what it may read now. */
  private endChanged(): void {
    this.endUntrusted(
      new HubError('going_away', 'What this client may read was changed by the operator. Connect again.'),
    );
  }

  private endUntrusted(why: HubError): void {
    if (this.listener !== undefined) this.context.feed.end(this.listener);
    this.endWith(why);
  }

  private begin(request: Request, bytes: number): void {
    if (this.underWay.has(request.request)) {
      throw new HubError('invalid', `Request number ${request.request} is still under way. Count up.`);
    }
    requireRole(this.identity, request.kind);
    if (this.context.isStopping()) throw new HubError('going_away', 'The hub is stopping. Try again in a moment.');
    this.underWay.set(request.request, bytes);
    this.bytesUnderWay += bytes;
    this.throttle();
    this.handle(request)
      .catch((error: unknown) => this.fail(request.request, error))
      .finally(() => this.finish(request.request));
  }

  private finish(request: number): void {
    this.bytesUnderWay -= this.underWay.get(request) ?? 0;
    this.underWay.delete(request);
    if (this.underWay.size === 0) for (const done of this.idle.splice(0)) done();
    if (this.paused) this.throttle();
  }

  private isBusy(): boolean {
    return this.underWay.size >= MAX_REQUESTS_UNDER_WAY || this.bytesUnderWay >= MAX_REQUEST_BYTES_UNDER_WAY;
  }

  /** Reads on only while there is room for answers. */
  private throttle(): void {
    const full = this.socket.unsentBytes() > MAX_UNSENT_ANSWER_BYTES;
    const wanted = this.isBusy() || full;
    if (full) void this.socket.drainedTo(MAX_UNSENT_ANSWER_BYTES / 2).then(() => this.throttle());
    if (wanted === this.paused) return;
    this.paused = wanted;
    if (wanted) this.socket.pause();
    else if (this.socket.isOpen()) this.socket.resume();
  }

  private async handle(request: Request): Promise<void> {
    switch (request.kind) {
      case 'publish':
        return this.publish(request);
      case 'listen':
        return this.listen(request);
      case 'sync':
        return (this.pages = this.pages.then(() => this.sync(request)));
      case 'status': {
        this.answer({ kind: 'status', request: request.request, status: this.context.status(this.identity) });
        return;
      }
      case 'register':
        return this.register(request);
      case 'client_list': {
        this.answer({ kind: 'clients', request: request.request, clients: this.context.admin.list() });
        return;
      }
      case 'client_revoke':
        await this.context.admin.revoke(request.client_id, this.identity.kind);
        {
          this.answer({ kind: 'revoked', request: request.request, client_id: request.client_id });
          return;
        }
    }
  }

  private asClient(): ClientIdentity {
    if (this.identity.kind !== 'client') throw new Error('the role was checked before');
    return this.identity;
  }

  private async publish(request: Extract<Request, { kind: 'publish' }>): Promise<void> {
    const identity = this.asClient();
    const { rate, clock, parts } = this.context;
    const bytes = this.underWay.get(request.request) ?? 0;
    const retryAfterMs = rate.take(identity.id, request.entries.length, bytes, clock.monotonic());
    if (retryAfterMs > 0) {
      throw new HubError('rate_limited', `This token publishes too much. Try again in ${retryAfterMs} ms.`, {
        retryAfterMs,
      });
    }
    const results = await publish(parts.engine, identity, request.entries);
    this.answer({ kind: 'published', request: request.request, results });
  }

  /** @throws HubError `forbidden` while the operator has not approved this client (FM-41) */
  private filter({ types }: ReadRequest): LineFilter {
    const { id, project } = this.asClient();
    const access = this.context.auth.access(this.identity);
    if (access?.pending === true) {
      throw new HubError(
        'forbidden',
        `This client may publish, but not read before the hub's operator has approved it, on the hub's machine: ctx hub client approve ${id}`,
      );
    }
    return filterOf(types, access, project);
  }

  private async listen(request: ReadRequest): Promise<void> {
    if (this.listener !== undefined) throw new HubError('invalid', 'This session listens already. Open another one.');
    const { feed, parts } = this.context;
    const listener = await feed.listen(this.socket, this.filter(request), request.cursor, (error) =>
      this.endWith(error),
    );
    // Both may have happened while the cursor was looked up.
    if (this.isListening) throw new HubError('invalid', 'This session listens already. Open another one.');
    if (!this.socket.isOpen()) return;
    this.listener = listener;
    this.answer({ kind: 'listening', request: request.request, head: parts.reader.head() });
    feed.run(listener);
  }

  private async sync(request: Extract<Request, { kind: 'sync' }>): Promise<void> {
    try {
      await this.socket.drainedTo(MAX_UNSENT_ANSWER_BYTES);
      if (!this.socket.isOpen()) return;
      const { feed, parts } = this.context;
      const page = await readPage(feed, parts.reader, request.cursor, request.to, this.filter(request));
      this.socket.send(pageFrame(request.request, page.lines, page.cursor, page.more));
    } catch (error) {
      this.fail(request.request, error);
    }
  }

  private async register(request: Extract<Request, { kind: 'register' }>): Promise<void> {
    const { admin, parts } = this.context;
    const { token, clientId } = await admin.register(request.project, request.client, 'admin');
    const hub = parts.reader.hubId;
    this.answer({ kind: 'registered', request: request.request, token, client_id: clientId, hub });
  }

  private answer(answer: Answer): void {
    this.socket.sendSoon(textFrame(JSON.stringify(answer)));
  }

  private fail(request: number | null, error: unknown): HubError | undefined {
    if (!(error instanceof HubError)) {
      this.context.crash(error);
      return undefined;
    }
    this.context.count('error', error.code);
    this.answer({ kind: 'error', request, error: toWireError(error, toWireCode(error.code)) });
    return error;
  }
}
