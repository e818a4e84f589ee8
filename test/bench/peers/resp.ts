/** As much of Redis's RESP2 as the bench speaks: requests as arrays of bulk strings, replies parsed from chunks. */
import { connectPeer, ReplyQueue, type PeerSocket } from './socket';

export type Reply = string | number | null | readonly Reply[];

export const encodeCommand = (...parts: readonly string[]): string =>
  `*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`;

const INCOMPLETE = Symbol('incomplete');

/** Parses replies out of whatever chunks arrive. */
export class ReplyParser {
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;

  /** @throws Error for an error reply; the bench sends nothing that may be refused */
  push(chunk: Buffer): Reply[] {
    this.#bytes = this.#at === this.#bytes.length ? chunk : Buffer.concat([this.#bytes.subarray(this.#at), chunk]);
    this.#at = 0;
    const replies: Reply[] = [];
    for (;;) {
      const start = this.#at;
      const reply = this.#parse();
      if (reply === INCOMPLETE) {
        this.#at = start;
        return replies;
      }
      replies.push(reply);
    }
  }

  #line(): string | typeof INCOMPLETE {
    const end = this.#bytes.indexOf('\r\n', this.#at, 'latin1');
    if (end === -1) return INCOMPLETE;
    const line = this.#bytes.toString('latin1', this.#at, end);
    this.#at = end + 2;
    return line;
  }

  #parse(): Reply | typeof INCOMPLETE {
    const line = this.#line();
    if (line === INCOMPLETE) return INCOMPLETE;
    const rest = line.slice(1);
    switch (line[0]) {
      case '+':
        return rest;
      case ':':
        return Number(rest);
      case '$':
        return this.#bulk(Number(rest));
      case '*':
        return this.#array(Number(rest));
      default:
        throw new Error(`Redis answered ${line}`);
    }
  }

  #bulk(length: number): Reply | typeof INCOMPLETE {
    if (length === -1) return null;
    if (this.#bytes.length < this.#at + length + 2) return INCOMPLETE;
    const text = this.#bytes.toString('latin1', this.#at, this.#at + length);
    this.#at += length + 2;
    return text;
  }

  #array(length: number): Reply | typeof INCOMPLETE {
    if (length === -1) return null;
    const items: Reply[] = [];
    for (let i = 0; i < length; i += 1) {
      const item = this.#parse();
      if (item === INCOMPLETE) return INCOMPLETE;
      items.push(item);
    }
    return items;
  }
}

/** One connection; requests are pipelined. */
export class RespConnection {
  readonly #replies = new ReplyQueue<Reply>();
  #socket: PeerSocket | undefined;

  static async open(port: number): Promise<RespConnection> {
    const connection = new RespConnection();
    const parser = new ReplyParser();
    const fail = (error: Error): void => connection.#replies.fail(error);
    const onData = (chunk: Buffer): void => {
      try {
        for (const reply of parser.push(chunk)) connection.#replies.reply(reply);
      } catch (error) {
        fail(error as Error);
      }
    };
    connection.#socket = await connectPeer(port, onData, fail);
    return connection;
  }

  call(...parts: readonly string[]): Promise<Reply> {
    this.#socket?.write(encodeCommand(...parts));
    return this.#replies.wait();
  }

  close(): void {
    this.#socket?.close();
  }
}
