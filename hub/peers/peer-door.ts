/** The accepting side of the peer path: lets in who proves to know the cluster's secret and is of this cluster. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { HubError, toWireCode } from '../../core/errors';
import { toWireError } from '../../core/wire';
import type { Message } from '../raft/message';
import { decodeFrame, encodeFrame, type Frame } from './frame';
import { MAX_PEER_FRAME_BYTES, PEER_HANDSHAKE_MS, PEER_SILENCE_MS } from './limits';
import {
  dialSchema,
  isProof,
  newNonce,
  PEER_PATHS,
  PEER_SUBPROTOCOL,
  proofOf,
  type PeerChannel,
  type PeerIdentity,
  type ProofOf,
} from './proof';
import { holdToProof } from './proof-room';
import { decodeMessage } from './raft-message';
import { Refusals } from './refusals';

export interface PeerAnswer {
  readonly body: unknown;
  readonly parts?: readonly Uint8Array[];
}

export interface DoorParts {
  readonly secret: string;
  /** Who this node is now. */
  readonly self: () => PeerIdentity;
  readonly speaks?: number | undefined;
  /** Of this node's certificate; empty without TLS. */
  readonly certificate: () => string;
  /** @returns why this peer is not let in, in words, or undefined */
  readonly refusal: (peer: PeerIdentity) => string | undefined;
  readonly message: (message: Message, from: PeerIdentity) => void;
  /** @throws HubError which the asking side gets */
  readonly request: (name: string, body: unknown, parts: Frame['parts'], from: PeerIdentity) => Promise<PeerAnswer>;
  /** The control connection of a peer ended, in order or not. */
  readonly closed: (peer: PeerIdentity) => void;
  /** For the log: who was refused, and why. */
  readonly warn: (message: string) => void;
  /** A bug. */
  readonly crash: (error: unknown) => void;
}

const channelOf = (url: string | undefined): PeerChannel | undefined =>
  url === PEER_PATHS.control ? 'control' : url === PEER_PATHS.bulk ? 'bulk' : undefined;

export const isPeerPath = (url: string | undefined): boolean => channelOf(url) !== undefined;

export class PeerDoor {
  private readonly server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_PEER_FRAME_BYTES,
    clientTracking: false,
    handleProtocols: (offered) => (offered.has(PEER_SUBPROTOCOL) ? PEER_SUBPROTOCOL : false),
  });
  private readonly open = new Set<WebSocket>();
  private readonly refusals: Refusals;
  private closing = false;

  constructor(private readonly parts: DoorParts) {
    this.refusals = new Refusals(parts.warn);
  }

  /** Takes over the upgrade of a peer path. `admitted` is called when the peer has proved itself. */
  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer, admitted: () => void): void {
    const channel = channelOf(request.url);
    if (this.closing || channel === undefined) {
      stream.destroy();
      return;
    }
    const from = request.socket.remoteAddress ?? '';
    this.server.handleUpgrade(request, stream, head, (ws) => {
      const refuse = (): void => {
        this.refusals.note(from, 'it sends more than a proof');
        ws.terminate();
      };
      const proved = holdToProof(stream, refuse);
      this.greet(ws, channel, from, proved, admitted);
    });
  }

  close(): void {
    this.closing = true;
    for (const ws of this.open) ws.terminate();
  }

  private greet(ws: WebSocket, channel: PeerChannel, from: string, proved: () => void, admitted: () => void): void {
    this.open.add(ws);
    ws.on('close', () => this.open.delete(ws));
    ws.on('error', () => ws.terminate());
    const acceptNonce = newNonce();
    const late = setTimeout(() => ws.terminate(), PEER_HANDSHAKE_MS);
    ws.once('message', (data: Buffer) => {
      clearTimeout(late);
      proved();
      try {
        this.checkDial(ws, channel, acceptNonce, data, from, admitted);
      } catch (error) {
        // Whatever it was, it was not a peer.
        this.refusals.note(from, error instanceof HubError ? error.message : 'not understood');
        ws.terminate();
      }
    });
    ws.send(JSON.stringify({ nonce: acceptNonce }));
  }

  private checkDial(
    ws: WebSocket,
    channel: PeerChannel,
    acceptNonce: string,
    data: Buffer,
    from: string,
    admitted: () => void,
  ): void {
    const dial = dialSchema.parse(JSON.parse(data.toString('utf8')));
    const certificate = this.parts.certificate();
    const common = { channel, acceptNonce, dialNonce: dial.nonce, certificate };
    const theirs: ProofOf = { ...common, side: 'dial', identity: dial.identity };
    if (!isProof(dial.mac, this.parts.secret, theirs)) throw new HubError('unauthenticated', 'wrong cluster secret');
    const refused = this.parts.refusal(dial.identity);
    if (refused !== undefined) {
      this.refusals.note(from, refused);
      ws.send(JSON.stringify({ refused }));
      ws.close();
      return;
    }
    const identity = this.parts.self();
    const mac = proofOf(this.parts.secret, { ...common, side: 'accept', identity });
    ws.send(JSON.stringify({ mac, identity, speaks: this.parts.speaks }));
    admitted();
    this.serve(ws, channel, dial.identity);
  }

  private serve(ws: WebSocket, channel: PeerChannel, peer: PeerIdentity): void {
    let heard = performance.now();
    const silence = setInterval(() => {
      if (performance.now() - heard > PEER_SILENCE_MS) ws.terminate();
    }, PEER_SILENCE_MS / 3);
    ws.on('ping', () => (heard = performance.now()));
    ws.on('message', (data: Buffer) => {
      heard = performance.now();
      this.take(ws, data, peer);
    });
    ws.on('close', () => {
      clearInterval(silence);
      if (channel === 'control' && !this.closing) this.parts.closed(peer);
    });
  }

  private take(ws: WebSocket, data: Buffer, peer: PeerIdentity): void {
    try {
      const { head, parts } = decodeFrame(data);
      if (typeof head !== 'object' || head === null) throw new HubError('invalid', 'no head');
      if ('raft' in head) this.takeRaft(head.raft, parts, peer);
      else if ('request' in head && 'name' in head && typeof head.name === 'string') {
        const body = 'body' in head ? head.body : undefined;
        void this.answer(ws, Number(head.request), head.name, body, parts, peer);
      }
    } catch (error) {
      if (!(error instanceof HubError)) {
        this.parts.crash(error);
        return;
      }
      this.refusals.note(peer.address, error.message);
      ws.terminate();
    }
  }

  /** A peer speaks for itself only. */
  private takeRaft(raft: unknown, parts: Frame['parts'], peer: PeerIdentity): void {
    const message = decodeMessage(raft, parts);
    if (message.from !== peer.node) throw new HubError('invalid', `it speaks for node ${message.from}`);
    this.parts.message(message, peer);
  }

  private async answer(
    ws: WebSocket,
    request: number,
    name: string,
    body: unknown,
    parts: Frame['parts'],
    peer: PeerIdentity,
  ): Promise<void> {
    try {
      const answer = await this.parts.request(name, body, parts, peer);
      ws.send(encodeFrame({ answer: request, body: answer.body }, answer.parts), () => undefined);
    } catch (error) {
      if (!(error instanceof HubError)) {
        this.parts.crash(error);
        return;
      }
      ws.send(encodeFrame({ answer: request, error: toWireError(error, toWireCode(error.code)) }), () => undefined);
    }
  }
}
