/** Messages of one session, handled strictly in order; a handler that needs time holds the socket, not memory. */
import type { WebSocket } from 'ws';
import { HubError } from '../errors';
import type { ServerMessage } from '../wire';

export type MessageHandler = (message: ServerMessage) => void | Promise<void>;

export class Inbox {
  readonly #socket: Pick<WebSocket, 'pause' | 'resume'>;
  readonly #handle: MessageHandler;
  readonly #onFault: (error: HubError) => void;
  readonly #waiting: ServerMessage[] = [];
  #busy = false;
  #paused = false;

  constructor(socket: Pick<WebSocket, 'pause' | 'resume'>, handle: MessageHandler, onFault: (error: HubError) => void) {
    this.#socket = socket;
    this.#handle = handle;
    this.#onFault = onFault;
  }

  /** Whether we hold the socket, so that silence is our own doing. */
  get paused(): boolean {
    return this.#paused;
  }

  push(message: ServerMessage): void {
    this.#waiting.push(message);
    if (!this.#busy) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        const handled = this.#handle(next);
        if (handled !== undefined) {
          this.#hold();
          await handled;
        }
      }
    } catch (error) {
      this.#waiting.length = 0;
      const what = error instanceof Error ? error.message : String(error);
      this.#onFault(error instanceof HubError ? error : new HubError('internal', what, { cause: error }));
    } finally {
      this.#busy = false;
      this.#release();
    }
  }

  #hold(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
  }

  #release(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }
}
