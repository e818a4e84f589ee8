/**
 * A session's connection as sessions and the feed see it. Frames are written to the TCP (or TLS) socket directly: `ws`
 * writes whole frames in one go as well, so they never mix. Knows nothing of what is said.
 */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

export interface SessionSocket {
  /** Dropped silently when the session is closing. */
  readonly send: (frame: Uint8Array) => void;
  /** The same, but what is sent in one turn goes out as one write: for answers, of which a batch has many. */
  readonly sendSoon: (frame: Uint8Array) => void;
  readonly unsentBytes: () => number;
  /** Resolves when at most that many bytes are unsent, or the connection is gone. */
  readonly drainedTo: (bytes: number) => Promise<void>;
  readonly isOpen: () => boolean;
  /** Stops and resumes reading requests. */
  readonly pause: () => void;
  readonly resume: () => void;
  readonly close: (code: number, reason: string) => void;
  readonly terminate: () => void;
}

interface Waiter {
  readonly bytes: number;
  readonly done: () => void;
}

/** Below this a single frame keeps nobody waiting. */
const SMALL_FRAME_BYTES = 32 * 1024;
const MAX_REASON_BYTES = 123;

export function sessionSocket(ws: WebSocket, stream: Duplex): SessionSocket {
  let waiters: Waiter[] = [];
  const isOpen = (): boolean => ws.readyState === ws.OPEN && stream.writable;
  const wake = (): void => {
    if (waiters.length === 0) return;
    const unsent = isOpen() ? stream.writableLength : 0;
    const ready = waiters.filter((each) => unsent <= each.bytes);
    waiters = waiters.filter((each) => unsent > each.bytes);
    for (const each of ready) each.done();
  };
  let gathering = false;
  const release = (): void => {
    gathering = false;
    stream.uncork();
  };
  const send = (frame: Uint8Array): void => {
    if (!isOpen()) return;
    // The callback costs a little, so it is left out where nobody will wait for it.
    if (stream.writableLength + frame.length < SMALL_FRAME_BYTES) stream.write(frame);
    else stream.write(frame, wake);
  };
  stream.on('drain', wake);
  ws.once('close', wake);
  return {
    send,
    sendSoon: (frame) => {
      if (!gathering) {
        gathering = true;
        stream.cork();
        process.nextTick(release);
      }
      send(frame);
    },
    unsentBytes: () => stream.writableLength,
    drainedTo: (bytes) =>
      new Promise((resolve) => {
        waiters.push({ bytes, done: resolve });
        wake();
      }),
    isOpen,
    pause: () => ws.pause(),
    resume: () => ws.resume(),
    close: (code, reason) => ws.close(code, cut(reason)),
    terminate: () => ws.terminate(),
  };
}

/** A close reason has at most 123 bytes (RFC 6455, 5.5). */
function cut(reason: string): string {
  if (Buffer.byteLength(reason) <= MAX_REASON_BYTES) return reason;
  return `${Buffer.from(reason)
    .subarray(0, 117)
    .toString('utf8')
    .replace(/\ufffd+$/, '')}…`;
}
