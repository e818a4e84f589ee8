/** Connections that have not shown a valid token: bounded, so that half-open ones cannot keep others out (S19). */
import type { Socket } from 'node:net';
import { MAX_UNAUTHENTICATED, UNAUTHENTICATED_GRACE_MS } from '../limits';

interface Unknown {
  readonly socket: Socket;
  readonly since: number;
}

/** The other end: TLS puts another socket object on top of the same connection, with the same addresses. */
function endOf(socket: Socket): string {
  return `${socket.remoteAddress ?? ''} ${socket.remotePort ?? ''}`;
}

export class Connections {
  /** By arrival: a Map keeps the order. */
  private readonly unknown = new Map<string, Unknown>();

  constructor(private readonly hardLimit: number) {}

  get count(): number {
    return this.unknown.size;
  }

  add(socket: Socket, nowMs: number): void {
    const end = endOf(socket);
    this.unknown.set(end, { socket, since: nowMs });
    socket.once('close', () => {
      if (this.unknown.get(end)?.socket === socket) this.unknown.delete(end);
    });
    this.trim(nowMs);
  }

  /** It has shown a valid token. */
  admitted(socket: Socket): void {
    this.unknown.delete(endOf(socket));
  }

  destroyAll(): void {
    for (const { socket } of this.unknown.values()) socket.destroy();
  }

  /** Drops the oldest; in a rush of honest ones each gets its moment first. */
  private trim(nowMs: number): void {
    for (const [end, { socket, since }] of this.unknown) {
      const excess = this.unknown.size - MAX_UNAUTHENTICATED;
      const mayStay = nowMs - since < UNAUTHENTICATED_GRACE_MS && this.unknown.size <= this.hardLimit;
      if (excess <= 0 || mayStay) return;
      this.unknown.delete(end);
      socket.destroy();
    }
  }
}
