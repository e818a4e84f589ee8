/**
 * As much of a WebSocket client as the bench needs, so that the hub's clients cost as little as those of the peers: a bare
 * socket, the handshake by hand, frames cut without copying. What comes is handed on as bytes.
 */
import { randomBytes } from 'node:crypto';
import { SUBPROTOCOL } from '../../core/wire';
import { connectPeer, type PeerSocket } from './peers/socket';

const HEADERS_END = '\r\n\r\n';
const OP_TEXT = 1;
const OP_CLOSE = 8;
const OP_PING = 9;
const OP_PONG = 10;
const MASK_BYTES = 4;

export interface HubSocketOptions {
  readonly port: number;
  readonly token: string;
  readonly onText: (payload: Buffer) => void;
  /** The session is over: refused, closed or broken. */
  readonly onEnd: (error: Error) => void;
}

export interface HubSocket {
  /** Text of ASCII characters only. */
  readonly send: (text: string) => void;
  readonly close: () => void;
}

/** A masked client frame with room for its payload (RFC 6455, 5.3). A mask of zeros is as valid as any other. */
function clientFrame(opcode: number, length: number): { readonly frame: Buffer; readonly at: number } {
  const extra = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const at = 2 + extra + MASK_BYTES;
  const frame = Buffer.allocUnsafe(at + length);
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (extra === 0 ? length : extra === 2 ? 126 : 127);
  if (extra > 0) frame.writeUIntBE(length, 2 + Math.max(0, extra - 6), Math.min(extra, 6));
  if (extra === 8) frame.writeUInt16BE(0, 2);
  frame.fill(0, at - MASK_BYTES, at);
  return { frame, at };
}

function textFrame(text: string): Buffer {
  const { frame, at } = clientFrame(OP_TEXT, text.length);
  frame.write(text, at, 'latin1');
  return frame;
}

/** Cuts the stream into frames; a large one arrives in many chunks. */
class Frames {
  #chunks: Buffer[] = [];
  #held = 0;
  /** Bytes that must be there before looking again makes sense. */
  #needed = 2;

  push(chunk: Buffer, onFrame: (opcode: number, payload: Buffer) => void): void {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    if (this.#held < this.#needed) return;
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    let at = 0;
    for (;;) {
      const frame = frameAt(bytes, at);
      if (frame === undefined || bytes.length < frame.end) {
        this.#needed = frame === undefined ? bytes.length - at + 1 : frame.end - at;
        break;
      }
      onFrame((bytes[at] ?? 0) & 0x0f, bytes.subarray(frame.start, frame.end));
      at = frame.end;
    }
    this.#chunks = at === bytes.length ? [] : [bytes.subarray(at)];
    this.#held = bytes.length - at;
  }
}

/** Where the payload of the frame at `at` starts and ends; `undefined` = its header is not complete. */
function frameAt(bytes: Buffer, at: number): { readonly start: number; readonly end: number } | undefined {
  const left = bytes.length - at;
  if (left < 2) return undefined;
  const short = (bytes[at + 1] ?? 0) & 0x7f;
  if (short < 126) return { start: at + 2, end: at + 2 + short };
  if (short === 126) return left < 4 ? undefined : { start: at + 4, end: at + 4 + bytes.readUInt16BE(at + 2) };
  return left < 10 ? undefined : { start: at + 10, end: at + 10 + bytes.readUInt32BE(at + 6) };
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

/** Resolves when the connection is there; the hub's `hello` is the first text. */
export async function openHubSocket(options: HubSocketOptions): Promise<HubSocket> {
  const { port, token, onText, onEnd } = options;
  const frames = new Frames();
  let greeting: string | undefined = '';
  const onFrame = (opcode: number, payload: Buffer): void => {
    if (opcode === OP_TEXT) onText(payload);
    else if (opcode === OP_PING) pong(socket, payload);
    else if (opcode === OP_CLOSE) onEnd(new Error(`the hub closed the session: ${payload.subarray(2).toString()}`));
  };
  const greet = (chunk: Buffer): void => {
    greeting = (greeting ?? '') + chunk.toString('latin1');
    const end = greeting.indexOf(HEADERS_END);
    if (end === -1) return;
    const [status = ''] = greeting.split('\r\n');
    const rest = Buffer.from(greeting.slice(end + HEADERS_END.length), 'latin1');
    greeting = undefined;
    if (!status.startsWith('HTTP/1.1 101')) onEnd(new Error(`the hub refused the session: ${status}`));
    else if (rest.length > 0) frames.push(rest, onFrame);
  };
  const onData = (chunk: Buffer): void => {
    if (greeting === undefined) frames.push(chunk, onFrame);
    else greet(chunk);
  };
  const socket = await connectPeer(port, onData, onEnd);
  socket.write(upgradeRequest(port, token));
  return { send: (text) => socket.write(textFrame(text)), close: () => socket.close() };
}

function pong(socket: PeerSocket, payload: Buffer): void {
  const { frame, at } = clientFrame(OP_PONG, payload.length);
  payload.copy(frame, at);
  socket.write(frame);
}
