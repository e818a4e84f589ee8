/**
 * A listener of the hub as cheap as the listeners of the peers: a bare socket, the WebSocket handshake by hand, and of each
 * frame only the cursor is looked at. That the stream is right is the tests' business; here it is counted.
 */
import { randomBytes } from 'node:crypto';
import { SUBPROTOCOL } from '../../core/wire';
import { connectPeer, type PeerSocket } from './peers/socket';

const HEADERS_END = '\r\n\r\n';
const ENTRIES = '{"kind":"entries","cursor":{"sequence":';
const OP_TEXT = 1;
const OP_CLOSE = 8;
const OP_PING = 9;
const OP_PONG = 10;

export interface HubListenerOptions {
  readonly port: number;
  readonly token: string;
  /** The cursor to start from; absent = the beginning of the log. */
  readonly cursor?: { readonly sequence: number; readonly digest: string };
  /** Sequence of the last entry that has come. */
  readonly onSequence: (sequence: number) => void;
  readonly onEnd?: (error: Error) => void;
}

/** A masked client frame (RFC 6455, 5.3). A mask of zeros is as valid as any other. */
function clientFrame(opcode: number, payload: Buffer): Buffer {
  const header =
    payload.length < 126
      ? Buffer.from([0x80 | opcode, 0x80 | payload.length])
      : Buffer.from([0x80 | opcode, 0x80 | 126, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([header, Buffer.alloc(4), payload]);
}

/** Cuts the stream into frames without copying what is complete. */
class Frames {
  #chunks: Buffer[] = [];
  #held = 0;
  /** Bytes that are needed before looking again makes sense: a large frame arrives in many chunks. */
  #needed = 2;

  push(chunk: Buffer, onFrame: (opcode: number, payload: Buffer) => void): void {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    if (this.#held < this.#needed) return;
    let bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    for (;;) {
      const size = frameSize(bytes);
      if (size === undefined || bytes.length < size.total) {
        this.#needed = size?.total ?? bytes.length + 1;
        break;
      }
      onFrame((bytes[0] ?? 0) & 0x0f, bytes.subarray(size.total - size.payload, size.total));
      bytes = bytes.subarray(size.total);
    }
    this.#chunks = bytes.length === 0 ? [] : [bytes];
    this.#held = bytes.length;
  }
}

function frameSize(bytes: Buffer): { readonly total: number; readonly payload: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = (bytes[1] ?? 0) & 0x7f;
  if (short < 126) return { total: 2 + short, payload: short };
  if (bytes.length < 10) return undefined;
  if (short === 126) return { total: 4 + bytes.readUInt16BE(2), payload: bytes.readUInt16BE(2) };
  const payload = bytes.readUInt32BE(6);
  return { total: 10 + payload, payload };
}

function sequenceOf(payload: Buffer): number | undefined {
  if (payload.toString('latin1', 0, ENTRIES.length) !== ENTRIES) return undefined;
  const end = payload.indexOf(',', ENTRIES.length);
  return Number(payload.toString('latin1', ENTRIES.length, end));
}

/** Resolves when the hub has answered `listening`. */
export async function openHubListener(options: HubListenerOptions): Promise<PeerSocket> {
  const listener = new HubListener(options);
  return listener.open();
}

class HubListener {
  readonly #frames = new Frames();
  #socket: PeerSocket | undefined;
  #greeting = '';
  #upgraded = false;
  #isListening: () => void = () => undefined;
  #failed: (error: Error) => void = () => undefined;

  constructor(readonly options: HubListenerOptions) {}

  async open(): Promise<PeerSocket> {
    const listening = new Promise<void>((resolve, reject) => {
      this.#isListening = resolve;
      this.#failed = reject;
    });
    const { port, token, onEnd } = this.options;
    const ended = (error: Error): void => {
      this.#failed(error);
      onEnd?.(error);
    };
    this.#socket = await connectPeer(port, (chunk) => this.#take(chunk), ended);
    this.#socket.write(upgradeRequest(port, token));
    await listening;
    return this.#socket;
  }

  #take(chunk: Buffer): void {
    if (this.#upgraded) this.#frames.push(chunk, this.#onFrame);
    else this.#greet(chunk);
  }

  #greet(chunk: Buffer): void {
    this.#greeting += chunk.toString('latin1');
    const end = this.#greeting.indexOf(HEADERS_END);
    if (end === -1) return;
    const [status = ''] = this.#greeting.split('\r\n');
    if (!status.startsWith('HTTP/1.1 101')) {
      this.#failed(new Error(`the hub refused the session: ${status}`));
      return;
    }
    this.#upgraded = true;
    const rest = Buffer.from(this.#greeting.slice(end + HEADERS_END.length), 'latin1');
    if (rest.length > 0) this.#frames.push(rest, this.#onFrame);
    const { cursor } = this.options;
    const request = { kind: 'listen', request: 1, ...(cursor && { cursor }) };
    this.#socket?.write(clientFrame(OP_TEXT, Buffer.from(JSON.stringify(request))));
  }

  readonly #onFrame = (opcode: number, payload: Buffer): void => {
    if (opcode === OP_TEXT) this.#onText(payload);
    else if (opcode === OP_PING) this.#socket?.write(clientFrame(OP_PONG, payload));
    else if (opcode === OP_CLOSE) this.#failed(new Error(`the hub closed: ${payload.subarray(2).toString()}`));
  };

  #onText(payload: Buffer): void {
    const sequence = sequenceOf(payload);
    if (sequence !== undefined) {
      this.options.onSequence(sequence);
      return;
    }
    const text = payload.toString();
    if (text.startsWith('{"kind":"listening"')) this.#isListening();
    else if (!text.startsWith('{"kind":"hello"')) this.#failed(new Error(`the hub said ${text}`));
  }
}

function upgradeRequest(port: number, token: string): string {
  const lines = [
    'GET / HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    `Sec-WebSocket-Protocol: ${SUBPROTOCOL}`,
    `Authorization: Bearer ${token}`,
  ];
  return `${lines.join('\r\n')}${HEADERS_END}`;
}
