/**
 * The dialling side: one connection to one peer, kept up for as long as it is wanted. What is sent while it is down is
 * dropped, which Raft expects; a request that was under way when it broke fails with outcome `unknown`.
 */
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import * as z from 'zod';
import { WebSocket } from 'ws';
import { HubError } from '../../core/errors';
import { parseHubAddress } from '../../core/hub-address';
import { noTls } from '../../core/node/socket-trouble';
import { fromWireError, type WireError } from '../../core/wire';
import { decodeFrame, encodeFrame, type Frame } from './frame';
import {
  MAX_PEER_FRAME_BYTES,
  MAX_PEER_UNSENT_BYTES,
  PEER_HANDSHAKE_MS,
  PEER_PING_MS,
  PEER_RECONNECT_MAX_MS,
  PEER_RECONNECT_MIN_MS,
  PEER_SILENCE_MS,
} from './limits';
import {
  acceptSchema,
  challengeSchema,
  isProof,
  newNonce,
  PEER_PATHS,
  PEER_SUBPROTOCOL,
  proofOf,
  type PeerChannel,
  type PeerIdentity,
} from './proof';
import { holdToProof } from './proof-room';

export interface LinkOptions {
  readonly address: string;
  readonly channel: PeerChannel;
  readonly secret: string;
  readonly self: () => PeerIdentity;
  readonly speaks?: number | undefined;
  /** @returns why the one that answered is not the wanted peer, or undefined */
  readonly check: (peer: PeerIdentity) => string | undefined;
  readonly opened?: () => void;
  readonly closed?: () => void;
}

const answerSchema = z.object({ answer: z.int(), body: z.unknown().optional(), error: z.unknown().optional() });

interface Waiting {
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: HubError) => void;
}

/** What has no peer path is a hub that stands alone, or another service. */
function whyNot(error: Error, url: string): string {
  const [, status] = /^Unexpected server response: (404|[1-3]\d\d)$/.exec(error.message) ?? [];
  if (status !== undefined) return `what answers there is no node of a cluster (HTTP ${status})`;
  return noTls(error, url) ?? error.message;
}

export class PeerLink {
  private ws: WebSocket | undefined;
  private ready: WebSocket | undefined;
  private closing = false;
  private delayMs = PEER_RECONNECT_MIN_MS;
  private retry: NodeJS.Timeout | undefined;
  private requests = 0;
  private readonly waiting = new Map<number, Waiting>();
  /** Why the last attempt or connection ended. */
  private why = 'not connected yet';
  /** The same of the one under way, as soon as it is known. */
  private reason: string | undefined;
  private told: number | undefined;

  constructor(private readonly options: LinkOptions) {
    this.dial();
  }

  get isOpen(): boolean {
    return this.ready !== undefined;
  }

  /** Why it is not open, in words; undefined while it is. */
  get trouble(): string | undefined {
    return this.isOpen ? undefined : this.why;
  }

  /** Newest version of commands that the peer understands, as it said last. */
  get speaks(): number | undefined {
    return this.told;
  }

  get unsentBytes(): number {
    return this.ready?.bufferedAmount ?? 0;
  }

  /** @returns false when it was dropped */
  send(frame: Buffer): boolean {
    const { ready } = this;
    if (ready === undefined || ready.bufferedAmount > MAX_PEER_UNSENT_BYTES) return false;
    ready.send(frame);
    return true;
  }

  /**
   * @throws HubError `unreachable` with outcome `refused` when it was never sent, `unknown` when its answer was lost; or the
   *   peer's own error
   */
  request(name: string, body: unknown, parts: readonly Uint8Array[] = [], timeoutMs = 5_000): Promise<Frame> {
    const { ready } = this;
    if (ready === undefined) {
      return Promise.reject(new HubError('unreachable', `${this.options.address} is not connected: ${this.why}.`));
    }
    const request = ++this.requests;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(request);
        reject(new HubError('timeout', `${this.options.address} did not answer in time.`, { outcome: 'unknown' }));
      }, timeoutMs);
      const settled = (): void => {
        clearTimeout(timer);
        this.waiting.delete(request);
      };
      this.waiting.set(request, {
        resolve: (frame) => {
          settled();
          resolve(frame);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      });
      ready.send(encodeFrame({ request, name, body }, parts));
    });
  }

  close(): void {
    this.closing = true;
    clearTimeout(this.retry);
    this.ws?.terminate();
  }

  private dial(): void {
    const { url, secure } = parseHubAddress(this.options.address);
    // Trust comes from the cluster's secret: each side's proof covers the certificate that the dialling side sees.
    const ws = new WebSocket(url + PEER_PATHS[this.options.channel], PEER_SUBPROTOCOL, {
      perMessageDeflate: false,
      maxPayload: MAX_PEER_FRAME_BYTES,
      handshakeTimeout: PEER_HANDSHAKE_MS,
      followRedirects: false,
      ...(secure ? { rejectUnauthorized: false } : {}),
    });
    this.ws = ws;
    this.reason = undefined;
    let certificate = '';
    let proved = (): void => undefined;
    ws.once('upgrade', (response: IncomingMessage) => {
      const { socket } = response;
      if (socket instanceof TLSSocket) certificate = socket.getPeerCertificate().fingerprint256;
      ws.once('open', () => {
        proved = holdToProof(socket, () => this.giveUp(ws, 'what answers there is no peer'));
      });
    });
    ws.on('error', (error) => (this.reason ??= whyNot(error, url)));
    ws.on('close', () => this.down());
    const late = setTimeout(() => this.giveUp(ws, 'it does not answer'), PEER_HANDSHAKE_MS);
    ws.once('close', () => clearTimeout(late));
    ws.once('message', (data: Buffer) => {
      this.prove(ws, data, certificate, () => {
        clearTimeout(late);
        proved();
      });
    });
  }

  private prove(ws: WebSocket, data: Buffer, certificate: string, done: () => void): void {
    const { secret, channel, self, speaks } = this.options;
    try {
      const challenge = challengeSchema.parse(JSON.parse(data.toString('utf8')));
      const dialNonce = newNonce();
      const common = { channel, dialNonce, acceptNonce: challenge.nonce, certificate };
      const identity = self();
      ws.once('message', (answer: Buffer) => {
        done();
        this.checkAnswer(ws, answer, common);
      });
      const mac = proofOf(secret, { ...common, side: 'dial', identity });
      ws.send(JSON.stringify({ nonce: dialNonce, identity, mac, speaks }));
    } catch {
      this.giveUp(ws, 'what answers there is no peer');
    }
  }

  private checkAnswer(
    ws: WebSocket,
    data: Buffer,
    common: { channel: PeerChannel; dialNonce: string; acceptNonce: string; certificate: string },
  ): void {
    let answer: z.infer<typeof acceptSchema>;
    try {
      answer = acceptSchema.parse(JSON.parse(data.toString('utf8')));
    } catch {
      return this.giveUp(ws, 'what answers there is no peer');
    }
    const { mac, identity, refused } = answer;
    if (mac === undefined || identity === undefined) return this.giveUp(ws, refused ?? 'it refuses');
    if (!isProof(mac, this.options.secret, { ...common, side: 'accept', identity })) {
      return this.giveUp(ws, 'it does not know the cluster secret');
    }
    const wrong = this.options.check(identity);
    if (wrong !== undefined) return this.giveUp(ws, wrong);
    this.told = answer.speaks;
    this.up(ws);
  }

  private giveUp(ws: WebSocket, why: string): void {
    this.reason ??= why;
    ws.terminate();
  }

  private up(ws: WebSocket): void {
    this.ready = ws;
    this.delayMs = PEER_RECONNECT_MIN_MS;
    let heard = performance.now();
    const beat = setInterval(() => {
      if (performance.now() - heard > PEER_SILENCE_MS) this.giveUp(ws, 'it fell silent');
      else ws.ping();
    }, PEER_PING_MS);
    ws.on('pong', () => (heard = performance.now()));
    ws.once('close', () => clearInterval(beat));
    ws.on('message', (data: Buffer) => {
      heard = performance.now();
      this.takeAnswer(ws, data);
    });
    this.options.opened?.();
  }

  private takeAnswer(ws: WebSocket, data: Buffer): void {
    try {
      const { head, parts } = decodeFrame(data);
      const { answer, body, error } = answerSchema.parse(head);
      const waiting = this.waiting.get(answer);
      if (error === undefined) waiting?.resolve({ head: body, parts });
      else waiting?.reject(fromWireError(error as WireError));
    } catch {
      this.giveUp(ws, 'it sent something that is not understood');
    }
  }

  private down(): void {
    const wasReady = this.ready !== undefined;
    this.ready = undefined;
    const unnamed = wasReady ? 'the connection broke' : 'it hung up without a word: has it another cluster secret?';
    this.why = this.reason ?? unnamed;
    for (const { reject } of [...this.waiting.values()]) {
      reject(new HubError('unreachable', `The connection to ${this.options.address} broke.`, { outcome: 'unknown' }));
    }
    if (wasReady) this.options.closed?.();
    if (this.closing) return;
    this.retry = setTimeout(() => this.dial(), this.delayMs);
    this.delayMs = Math.min(PEER_RECONNECT_MAX_MS, this.delayMs * 2);
  }
}
