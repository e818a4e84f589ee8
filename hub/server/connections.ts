/** Connections that have not shown a valid token: bounded, so that half-open ones cannot keep others out (S19). */
import type { Socket } from 'node:net';
import { MAX_UNAUTHENTICATED, UNAUTHENTICATED_GRACE_MS } from '../limits';

export class Connections {
  /** By arrival: a Map keeps the order. */
  private readonly unknown = new Map<Socket, number>();

  constructor(private readonly hardLimit: number) {}

  get count(): number {
    return this.unknown.size;
  }

  add(socket: Socket, nowMs: number): void {
    this.unknown.set(socket, nowMs);
    socket.once('close', () => this.unknown.delete(socket));
    this.trim(nowMs);
  }

  /** It has shown a valid token. */
  admitted(socket: Socket): void {
    this.unknown.delete(socket);
  }

  destroyAll(): void {
    for (const socket of this.unknown.keys()) socket.destroy();
  }

  /** Drops the oldest; in a rush of honest ones each gets its moment first. */
  private trim(nowMs: number): void {
    for (const [socket, since] of this.unknown) {
      const excess = this.unknown.size - MAX_UNAUTHENTICATED;
      const mayStay = nowMs - since < UNAUTHENTICATED_GRACE_MS && this.unknown.size <= this.hardLimit;
      if (excess <= 0 || mayStay) return;
      this.unknown.delete(socket);
      socket.destroy();
    }
  }
}
