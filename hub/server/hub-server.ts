/**
 * The hub's one port: HTTP for questions, WebSocket for sessions. Joins sockets to sessions; what sessions mean is decided
 * elsewhere.
 */
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { WebSocketServer, type WebSocket } from 'ws';
import { HubError } from '../../core/errors';
import { MAX_FRAME_BYTES } from '../../core/limits';
import { SUBPROTOCOL } from '../../core/wire';
import { CLOSE_TIMEOUT_MS, MAX_HEADER_BYTES, UPGRADE_TIMEOUT_MS, type ServerLimits } from '../limits';
import type { Certificate } from '../certificate';
import { isPeerPath, type PeerDoor } from '../peers/peer-door';
import type { SessionIdentity } from './authenticator';
import { Connections } from './connections';
import type { Gate } from './gate';
import { refuseUpgrade, type RefusalStatus } from './http-answers';
import { httpRoutes, type Routes } from './http-routes';
import { Session, type SessionContext } from './session';
import { sessionSocket } from './session-socket';
import type { SessionTable } from './session-table';

export interface HubServerParts {
  readonly gate: Gate;
  readonly routes: Routes;
  readonly limits: ServerLimits;
  readonly sessions: SessionTable;
  readonly context: SessionContext;
  readonly log: Logger;
  /** Where the other nodes of a cluster come in. */
  readonly peers: PeerDoor | undefined;
  /** Serves TLS with it; absent = in clear. */
  readonly certificate: Certificate | undefined;
}

/** Older ones are broken (RFC 8996). */
const MIN_TLS_VERSION = 'TLSv1.2';
/** Incomplete headers are looked for this often. */
const CHECK_INTERVAL_MS = 500;
const HTTP_OPTIONS: http.ServerOptions = {
  headersTimeout: UPGRADE_TIMEOUT_MS,
  requestTimeout: 2 * UPGRADE_TIMEOUT_MS,
  connectionsCheckingInterval: CHECK_INTERVAL_MS,
  keepAliveTimeout: UPGRADE_TIMEOUT_MS,
  maxHeaderSize: MAX_HEADER_BYTES,
  noDelay: true,
};

function tlsOptions({ cert, key }: Certificate): https.ServerOptions {
  return { cert, key, minVersion: MIN_TLS_VERSION, handshakeTimeout: UPGRADE_TIMEOUT_MS, ALPNProtocols: ['http/1.1'] };
}

const SESSION_PATHS: ReadonlySet<string> = new Set(['/', '']);

const streams = new WeakMap<WebSocket, Duplex>();

/** For the heartbeat: bytes of a session that have left this process. */
export function bytesSent(ws: WebSocket): number {
  const stream = streams.get(ws) as Partial<Socket> | undefined;
  return (stream?.bytesWritten ?? 0) - (stream?.writableLength ?? 0);
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): HubError {
  const where = `${host}:${port}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return new HubError('cannot_create', `Port ${where} is in use. Stop what uses it, or choose another --port.`);
    case 'EACCES':
      return new HubError('cannot_create', `This user may not listen on ${where}. Choose a --port above 1023.`);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new HubError('cannot_create', `This machine has no address ${host}. Choose another --host.`);
    default:
      return new HubError('cannot_create', `Cannot listen on ${where}: ${error.message}.`, { cause: error });
  }
}

export class HubServer {
  private readonly http: http.Server | https.Server;
  private readonly ws: WebSocketServer;
  private readonly connections: Connections;
  private stopping = false;

  constructor(private readonly parts: HubServerParts) {
    this.connections = new Connections(parts.limits.maxSessions);
    const listener = httpRoutes(parts.routes);
    this.http =
      parts.certificate === undefined
        ? http.createServer(HTTP_OPTIONS, listener)
        : https.createServer({ ...HTTP_OPTIONS, ...tlsOptions(parts.certificate) }, listener);
    this.ws = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: MAX_FRAME_BYTES,
      clientTracking: false,
      // The type lacks it; it bounds how long a closing handshake may take.
      ...({ closeTimeout: CLOSE_TIMEOUT_MS } as object),
      handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    });
    this.http.on('connection', (socket: Socket) => this.connections.add(socket, performance.now()));
    this.http.on('upgrade', (request, stream, head) => this.upgrade(request, stream, head));
    this.http.on('checkContinue', (request: IncomingMessage) => request.socket.destroy());
  }

  get unauthenticated(): number {
    return this.connections.count;
  }

  /** @returns the port; @throws HubError `cannot_create` */
  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void => reject(listenError(error, host, port));
      this.http.once('error', failed);
      this.http.listen({ host, port, backlog: 511 }, () => {
        this.http.off('error', failed);
        resolve();
      });
    });
    return (this.http.address() as AddressInfo).port;
  }

  /** For connections from now on. */
  replaceCertificate(certificate: Certificate): void {
    if (this.http instanceof https.Server) this.http.setSecureContext(tlsOptions(certificate));
  }

  /** Takes no new connections, lets open sessions finish what is under way, and ends them. */
  async close(message: string): Promise<void> {
    this.stopping = true;
    const closed = new Promise((resolve) => this.http.close(resolve));
    this.connections.destroyAll();
    await this.parts.sessions.drain(message);
    this.parts.sessions.close();
    this.parts.peers?.close();
    this.http.closeAllConnections();
    await closed;
  }

  private upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    stream.on('error', () => stream.destroy());
    const { gate } = this.parts;
    const refuse = (status: RefusalStatus): void => refuseUpgrade(stream, status);
    if (!gate.passesGuard(request)) return refuse(403);
    const { peers } = this.parts;
    if (peers !== undefined && isPeerPath(request.url)) {
      return peers.upgrade(request, stream, head, () => this.connections.admitted(request.socket));
    }
    if (!SESSION_PATHS.has(request.url ?? '')) {
      // A token in the URL is not looked at, and answered like a missing one (S07).
      return request.url?.startsWith('/?') === true ? refuse(401) : refuse(404);
    }
    const identity = gate.identify(request);
    if (identity === undefined || identity.kind === 'control') {
      return gate.failed(request, refuse, () => stream.destroy());
    }
    const status = this.refusal(request, identity);
    if (status !== undefined) return refuse(status);
    this.connections.admitted(request.socket);
    this.ws.handleUpgrade(request, stream, head, (ws) => this.open(ws, stream, identity));
  }

  private refusal(request: IncomingMessage, identity: SessionIdentity): RefusalStatus | undefined {
    const { limits, sessions } = this.parts;
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((each) => each.trim());
    if (!offered.includes(SUBPROTOCOL)) return 426;
    if (this.stopping || sessions.size >= limits.maxSessions) return 503;
    return sessions.countOf(identity) >= limits.maxSessionsPerToken ? 429 : undefined;
  }

  private open(ws: WebSocket, stream: Duplex, identity: SessionIdentity): void {
    const { sessions, context, log } = this.parts;
    streams.set(ws, stream);
    const session = new Session(context, sessionSocket(ws, stream), identity);
    sessions.add(session, ws);
    log.info({ session: identity.kind, client_id: identity.id, sessions: sessions.size }, 'session opened');
    ws.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) session.endWith(new HubError('invalid', 'Binary frames are not spoken here. Send JSON as text.'));
      else session.receive(data.toString('utf8'));
    });
    // `ws` answers protocol errors with the right close code by itself.
    ws.on('error', (error) => log.info({ client_id: identity.id, why: error.message }, 'session failed'));
    ws.on('close', (code) => {
      sessions.remove(session);
      session.ended();
      log.info({ client_id: identity.id, code, sessions: sessions.size }, 'session closed');
    });
    session.start();
  }
}
