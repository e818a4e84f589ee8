/**
 * A session's connection as sessions and the feed see it. Frames are written to the TCP (or TLS) socket directly: `ws`
 * writes whole frames in one go as well, so they never mix. Knows nothing of what is said.
 */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

export interface SessionSocket {
  /** Dropped silently when the session is closing. */
  send(frame: Uint8Array): void;
  /** The same, but what is sent in one turn goes out as one write: for answers, of which a batch has many. */
  sendSoon(frame: Uint8Array): void;
  /** Sends like `send`, unless more than `mostUnsent` bytes wait already. @returns whether the frame was taken */
  offer(frame: Uint8Array, mostUnsent: number): boolean;
  unsentBytes(): number;
  /** Resolves when at most that many bytes are unsent, or the connection is gone. */
  drainedTo(bytes: number): Promise<void>;
  isOpen(): boolean;
  /** Stops and resumes reading requests. */
  pause(): void;
  resume(): void;
  close(code: number, reason: string): void;
  terminate(): void;
}

interface Waiter {
  readonly bytes: number;
  readonly done: () => void;
}

/** Below this a single frame keeps nobody waiting. */
const SMALL_FRAME_BYTES = 32 * 1024;
const MAX_REASON_BYTES = 123;
/** `readyState` of a `ws` socket that may be written to. */
const OPEN = 1;

/** One per session, so that a thousand listeners cost as little memory and as few jumps as they can. */
class StreamSocket implements SessionSocket {
  private waiters: Waiter[] = [];
  private gathering = false;

  constructor(
    private readonly ws: WebSocket,
    private readonly stream: Duplex,
  ) {
    stream.on('drain', this.wake);
    ws.once('close', this.wake);
  }

  send(frame: Uint8Array): void {
    if (this.isOpen()) this.write(frame);
  }

  sendSoon(frame: Uint8Array): void {
    if (!this.gathering) {
      this.gathering = true;
      this.stream.cork();
      process.nextTick(this.release);
    }
    this.send(frame);
  }

  offer(frame: Uint8Array, mostUnsent: number): boolean {
    if (this.stream.writableLength > mostUnsent) return false;
    // The state alone: what is written to a stream that has just broken is dropped by the stream.
    if (this.ws.readyState === OPEN) this.write(frame);
    return true;
  }

  unsentBytes(): number {
    return this.stream.writableLength;
  }

  drainedTo(bytes: number): Promise<void> {
    return new Promise((resolve) => {
      this.waiters.push({ bytes, done: resolve });
      this.wake();
    });
  }

  isOpen(): boolean {
    return this.ws.readyState === OPEN && this.stream.writable;
  }

  pause(): void {
    this.ws.pause();
  }

  resume(): void {
    this.ws.resume();
  }

  close(code: number, reason: string): void {
    this.ws.close(code, cut(reason));
  }

  terminate(): void {
    this.ws.terminate();
  }

  private write(frame: Uint8Array): void {
    // The callback costs a little, so it is left out where nobody will wait for it.
    if (this.stream.writableLength + frame.length < SMALL_FRAME_BYTES) this.stream.write(frame);
    else this.stream.write(frame, this.wake);
  }

  private readonly release = (): void => {
    this.gathering = false;
    this.stream.uncork();
  };

  private readonly wake = (): void => {
    if (this.waiters.length === 0) return;
    const unsent = this.isOpen() ? this.stream.writableLength : 0;
    const ready = this.waiters.filter((each) => unsent <= each.bytes);
    this.waiters = this.waiters.filter((each) => unsent > each.bytes);
    for (const each of ready) each.done();
  };
}

export function sessionSocket(ws: WebSocket, stream: Duplex): SessionSocket {
  return new StreamSocket(ws, stream);
}

/** A close reason has at most 123 bytes (RFC 6455, 5.5). */
function cut(reason: string): string {
  if (Buffer.byteLength(reason) <= MAX_REASON_BYTES) return reason;
  return `${Buffer.from(reason)
    .subarray(0, 117)
    .toString('utf8')
    .replace(/\ufffd+$/, '')}…`;
}
