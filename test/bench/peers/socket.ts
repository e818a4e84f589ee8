/** A TCP connection to a peer: bytes out, chunks in, an error that ends the contender instead of being lost. */
import net from 'node:net';

export interface PeerSocket {
  readonly write: (data: string | Buffer) => void;
  readonly close: () => void;
}

/** What is written in one turn goes out as one system call, so that clients cost as little as they can, all alike. */
function gatherWrites(socket: net.Socket): void {
  if (socket.writableCorked > 0) return;
  socket.cork();
  process.nextTick(() => socket.uncork());
}

export function connectPeer(
  port: number,
  onData: (chunk: Buffer) => void,
  onEnd: (error: Error) => void,
): Promise<PeerSocket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    let closing = false;
    socket.once('error', (error) => {
      reject(error);
      if (!closing) onEnd(error);
    });
    socket.once('close', () => {
      if (!closing) onEnd(new Error('the server closed the connection'));
    });
    socket.on('data', onData);
    socket.once('connect', () =>
      resolve({
        write: (data) => {
          gatherWrites(socket);
          socket.write(data);
        },
        close: () => {
          closing = true;
          socket.destroy();
        },
      }),
    );
  });
}

/** Replies that come in the order of the requests. */
export class ReplyQueue<T> {
  readonly #waiting: { readonly resolve: (value: T) => void; readonly reject: (error: Error) => void }[] = [];
  #next = 0;
  #failure: Error | undefined;

  wait(): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  reply(value: T): void {
    const first = this.#waiting[this.#next];
    this.#next += 1;
    first?.resolve(value);
    if (this.#next < 1024) return;
    this.#waiting.splice(0, this.#next);
    this.#next = 0;
  }

  fail(error: Error): void {
    this.#failure = error;
    for (const { reject } of this.#waiting.splice(this.#next)) reject(error);
  }
}
