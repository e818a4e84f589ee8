/**
 * A small hub in this process, with faults on demand: it cuts, stalls, refuses, forgets (an older backup) and repeats itself. Speaks the
 * real wire protocol; keeps its log in memory. A token is `project` or `project:client`; any is accepted.
 */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Cursor } from '../../core/cursor';
import type { EntryType, PublishedEntry, StoredEntry } from '../../core/entry';
import { HubError, type WireCode } from '../../core/errors';
import { emptyLogDigest, encodeLine } from '../../core/line';
import { parseRequest, SUBPROTOCOL, toWireError, type PublishResult, type Request } from '../../core/wire';
import { sha256 } from './sha256';

interface Session {
  readonly ws: WebSocket;
  readonly project: string;
  readonly client: string;
  listen: { scanned: number; readonly types: readonly EntryType[] | undefined } | undefined;
}

export class FakeHub {
  id: string;
  log: StoredEntry[] = [];
  heartbeatMs = 15_000;
  /** Entries per `entries` message and page. */
  pageEntries = 3;
  /** Bytes a session may still send before it is cut. */
  cutAfterBytes: number | undefined;
  /** Accepts connections and says nothing at all. */
  mute = false;
  /** Takes requests and answers none. */
  deaf = false;
  /** Sends each batch twice, the second time with what came before it. */
  repeats = false;
  /** Answers the next publishes with this code, as a whole; `undefined` lets one pass. */
  refusals: ({ code: WireCode; retryAfterMs?: number; message?: string } | undefined)[] = [];
  /** Protocol versions it speaks. */
  versions = [1];
  /** How far its clock is ahead of this machine's. */
  clockAheadMs = 0;
  /** Addresses of the cluster that it says it is in. */
  cluster: string[] = [];
  /** Streams nothing beyond this sequence, and says hello as if nothing were there. */
  heldAt = Infinity;
  /** HTTP status instead of an upgrade. */
  refuseUpgrade: number | undefined;
  publishes = 0;
  readonly #server = http.createServer();
  readonly #sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  readonly #sessions = new Set<Session>();

  constructor(id = '11111111-1111-4111-8111-111111111111') {
    this.id = id;
    this.#server.on('upgrade', (request, socket, head) => {
      socket.on('error', () => undefined);
      if (this.refuseUpgrade !== undefined) {
        socket.end(`HTTP/1.1 ${this.refuseUpgrade} No\r\nConnection: close\r\n\r\n`);
        return;
      }
      const token = (request.headers.authorization ?? '').replace('Bearer ', '');
      const [project = '', client = 'ada@laptop'] = token.split(':');
      this.#sockets.handleUpgrade(request, socket, head, (ws) =>
        this.#accept({ ws, project, client, listen: undefined }),
      );
    });
  }

  /** @param port the port of an earlier life; 0 = a free one */
  async listen(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    return this.address;
  }

  get address(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  get listeners(): number {
    return [...this.#sessions].filter(({ listen }) => listen !== undefined).length;
  }

  get head(): Cursor {
    return this.#at(this.log.length);
  }

  /** Streams on, up to this sequence. */
  holdAt(sequence: number): void {
    this.heldAt = sequence;
    this.#feed();
  }

  cutAll(): void {
    for (const { ws } of this.#sessions) ws.terminate();
  }

  /** Present sessions hear and say nothing any more, as half-open connections do. */
  freeze(): void {
    for (const session of this.#sessions) {
      session.listen = undefined;
      session.ws.pause();
    }
  }

  /** Ends every session as a hub does that revoked its token. */
  closeAll(code: number): void {
    for (const { ws } of this.#sessions) ws.close(code);
  }

  /** As if started from an older backup. */
  restore(length: number): void {
    this.cutAll();
    this.log = this.log.slice(0, length);
  }

  async close(): Promise<void> {
    this.cutAll();
    this.#sockets.close();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** As a client of `origin` would. */
  append(origin: string, ...entries: readonly PublishedEntry[]): void {
    this.#store(origin, 'bob@desk', entries);
    this.#feed();
  }

  #at(sequence: number): Cursor {
    return { sequence, digest: this.log[sequence - 1]?.digest ?? emptyLogDigest(this.id, sha256) };
  }

  #accept(session: Session): void {
    this.#sessions.add(session);
    const { ws, project, client } = session;
    ws.on('error', () => undefined);
    ws.on('close', () => this.#sessions.delete(session));
    ws.on('message', (data) => this.#handle(session, (data as Buffer).toString('utf8')));
    if (this.mute) return;
    const limits = { frame_bytes: 8 << 20, content_bytes: 1 << 20, batch_entries: 64, heartbeat_ms: this.heartbeatMs };
    this.#send(session, {
      kind: 'hello',
      versions: this.versions,
      hub: this.id,
      role: 'leader',
      instance: '0123456789abcdef',
      head: this.#at(Math.min(this.log.length, this.heldAt)),
      limits,
      cluster: this.cluster,
      identity: { kind: 'client', project, client },
      time: new Date(Date.now() + this.clockAheadMs).toISOString(),
    });
  }

  #send({ ws }: Session, message: object): void {
    const text = JSON.stringify(message);
    if (this.cutAfterBytes !== undefined) {
      this.cutAfterBytes -= text.length;
      if (this.cutAfterBytes < 0) {
        this.cutAfterBytes = undefined;
        ws.terminate();
        return;
      }
    }
    ws.send(text);
  }

  #handle(session: Session, text: string): void {
    const request = parseRequest(JSON.parse(text));
    if (this.deaf) return;
    try {
      this.#answer(session, request);
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      const wire = toWireError(error, error.code as WireCode);
      this.#send(session, { kind: 'error', request: request.request, error: wire });
    }
  }

  #answer(session: Session, request: Request): void {
    const number = { request: request.request };
    switch (request.kind) {
      case 'publish':
        this.publishes++;
        this.#refuse();
        this.#send(session, {
          kind: 'published',
          ...number,
          results: this.#store(session.project, session.client, request.entries),
        });
        this.#feed();
        return;
      case 'listen': {
        const scanned = this.#check(request.cursor);
        session.listen = { scanned, types: request.types };
        this.#send(session, { kind: 'listening', ...number, head: this.head });
        this.#feed();
        return;
      }
      case 'sync': {
        const { entries, cursor, more } = this.#page(
          this.#check(request.cursor),
          request.types,
          this.#check(request.to ?? this.head),
        );
        this.#send(session, { kind: 'page', ...number, entries, cursor, more });
        return;
      }
      default:
        throw new HubError('forbidden', 'The fake hub does not do that.');
    }
  }

  #refuse(): void {
    const refusal = this.refusals.shift();
    if (refusal === undefined) return;
    const { code, retryAfterMs, message = `test refusal ${code}` } = refusal;
    throw new HubError(code, message, retryAfterMs === undefined ? {} : { retryAfterMs });
  }

  #check(cursor: Cursor | undefined): number {
    if (cursor === undefined) return 0;
    if (this.#at(cursor.sequence).digest !== cursor.digest || cursor.sequence > this.log.length) {
      throw new HubError('diverged', 'The cursor is not of this history.');
    }
    return cursor.sequence;
  }

  #store(origin: string, client: string, entries: readonly PublishedEntry[]): PublishResult[] {
    const batch = this.log.length + 1;
    return entries.map(({ id, type, content, timestamp, meta, supersedes }): PublishResult => {
      const known = this.log.find((entry) => entry.id === id);
      if (known !== undefined) {
        const same =
          known.origin === origin &&
          known.type === type &&
          known.content === content &&
          known.supersedes === supersedes;
        if (same) return { id, sequence: known.sequence, duplicate: true };
        return { id, error: toWireError(new HubError('id_conflict', 'other content'), 'id_conflict') };
      }
      const sequence = this.log.length + 1;
      const received_at = new Date().toISOString();
      const stamped = {
        id,
        type,
        content,
        origin,
        client,
        timestamp,
        received_at,
        sequence,
        ...(meta && { meta }),
        ...(supersedes !== undefined && { supersedes }),
      };
      const { text } = encodeLine(sha256, stamped, this.head.digest, batch);
      this.log.push(JSON.parse(text) as StoredEntry);
      return { id, sequence, duplicate: false };
    });
  }

  #page(
    after: number,
    types: readonly EntryType[] | undefined,
    to: number,
  ): { entries: StoredEntry[]; cursor: Cursor; more: boolean } {
    const end = Math.min(to, after + this.pageEntries);
    const entries = this.log.slice(after, end).filter(({ type }) => types?.includes(type) ?? true);
    return { entries, cursor: this.#at(end), more: end < to };
  }

  #feed(): void {
    for (const session of this.#sessions) {
      const { listen } = session;
      const end = Math.min(this.log.length, this.heldAt);
      while (listen !== undefined && listen.scanned < end && session.ws.readyState === session.ws.OPEN) {
        const from = this.repeats ? Math.max(0, listen.scanned - 2) : listen.scanned;
        const { entries, cursor } = this.#page(from, listen.types, end);
        this.#send(session, { kind: 'entries', cursor, entries });
        if (cursor.sequence <= listen.scanned) break;
        listen.scanned = cursor.sequence;
      }
    }
  }
}

export { SUBPROTOCOL };
