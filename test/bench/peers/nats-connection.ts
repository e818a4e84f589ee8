/** As much of the NATS text protocol as the bench speaks: CONNECT, PUB, SUB, MSG; one connection. */
import { connectPeer, type PeerSocket } from './socket';

export type MessageHandler = (payload: Buffer) => void;

/** Cuts a chunked stream into lines and payloads, and hands messages on by subscription id. */
class Parser {
  #rest: Buffer = Buffer.alloc(0);

  constructor(
    readonly onMessage: (subscription: number, subject: string, payload: Buffer) => void,
    readonly onLine: (line: string) => void,
  ) {}

  push(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (;;) {
      const end = bytes.indexOf('\r\n', at, 'latin1');
      if (end === -1) break;
      const line = bytes.toString('latin1', at, end);
      if (!line.startsWith('MSG ')) {
        this.onLine(line);
        at = end + 2;
        continue;
      }
      // MSG <subject> <subscription> [reply-to] <bytes>
      const words = line.split(' ');
      const size = Number(words.at(-1));
      if (bytes.length < end + 2 + size + 2) break;
      this.onMessage(Number(words[2]), words[1] ?? '', bytes.subarray(end + 2, end + 2 + size));
      at = end + 2 + size + 2;
    }
    this.#rest = bytes.subarray(at);
  }
}

export class NatsConnection {
  readonly #handlers = new Map<number, MessageHandler>();
  readonly #answers = new Map<
    string,
    { readonly resolve: (payload: Buffer) => void; readonly reject: (error: Error) => void }
  >();
  readonly #inbox = `_INBOX.${Math.random().toString(36).slice(2)}`;
  #nextSubscription = 1;
  #nextAnswer = 1;
  #failure: Error | undefined;
  #socket: PeerSocket | undefined;

  static async open(port: number): Promise<NatsConnection> {
    const connection = new NatsConnection();
    await connection.#connect(port);
    return connection;
  }

  async #connect(port: number): Promise<void> {
    let isReady = (): void => undefined;
    const ready = new Promise<void>((resolve) => (isReady = resolve));
    const parser = new Parser(
      (subscription, subject, payload) => this.#take(subscription, subject, payload),
      (line) => {
        if (line === 'PONG') isReady();
        else if (line === 'PING') this.#socket?.write('PONG\r\n');
        else if (line.startsWith('-ERR')) this.#fail(new Error(`nats-server said ${line}`));
      },
    );
    this.#socket = await connectPeer(
      port,
      (chunk) => parser.push(chunk),
      (error) => this.#fail(error),
    );
    this.#socket.write('CONNECT {"verbose":false,"pedantic":false,"lang":"bench","version":"1","headers":false}\r\n');
    this.#socket.write(`SUB ${this.#inbox}.* 0\r\nPING\r\n`);
    await ready;
  }

  #take(subscription: number, subject: string, payload: Buffer): void {
    if (subscription !== 0) return this.#handlers.get(subscription)?.(payload);
    this.#answers.get(subject)?.resolve(payload);
    this.#answers.delete(subject);
  }

  #fail(error: Error): void {
    this.#failure = error;
    for (const { reject } of this.#answers.values()) reject(error);
    this.#answers.clear();
  }

  subscribe(subject: string, handler: MessageHandler): void {
    const id = this.#nextSubscription++;
    this.#handlers.set(id, handler);
    this.#socket?.write(`SUB ${subject} ${id}\r\n`);
  }

  publish(subject: string, payload: string): void {
    this.#socket?.write(`PUB ${subject} ${Buffer.byteLength(payload)}\r\n${payload}\r\n`);
  }

  request(subject: string, payload: string): Promise<Buffer> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const reply = `${this.#inbox}.${this.#nextAnswer++}`;
    return new Promise((resolve, reject) => {
      this.#answers.set(reply, { resolve, reject });
      this.#socket?.write(`PUB ${subject} ${reply} ${Buffer.byteLength(payload)}\r\n${payload}\r\n`);
    });
  }

  /** Resolves when the server has handled everything sent before. */
  async settle(): Promise<void> {
    const answered = new Promise<void>((resolve) => this.subscribe(`${this.#inbox}-echo`, () => resolve()));
    this.publish(`${this.#inbox}-echo`, '');
    await answered;
  }

  close(): void {
    this.#socket?.close();
  }
}
