/** A session that publishes: the `ws` client, requests by number. Encoding is part of what is measured, as for the peers. */
import net from 'node:net';
import WebSocket from 'ws';
import { SUBPROTOCOL, type Hello, type PublishResult, type ServerMessage } from '../../core/wire';
import { gatherWrites } from './peers/socket';
import { payload } from './payload';

const ID_PREFIX = '0193f0a0-0000-7000-8000-';

/** A UUID version 7 by its form, counted up. */
const idOf = (number: number): string => ID_PREFIX + number.toString(16).padStart(12, '0');

/** An entry of the bench in the order and form a client would send. */
export const publishedEntry = (number: number): object => ({
  id: idOf(number),
  type: 'decision',
  content: payload(number),
  timestamp: '2026-01-01T00:00:00Z',
});

/** One count for all sessions: an id that comes twice would be answered without any writing. */
let published = 0;

type Answered = (message: ServerMessage) => void;

export class HubSession {
  readonly #answers = new Map<number, { readonly resolve: Answered; readonly reject: (error: Error) => void }>();
  #request = 0;

  private constructor(
    readonly ws: WebSocket,
    readonly socket: net.Socket,
    readonly hello: Hello,
  ) {
    ws.on('message', (data: Buffer) => this.#take(JSON.parse(data.toString()) as ServerMessage));
    ws.once('close', () => this.#fail(new Error('the hub closed the session')));
  }

  static async open(port: number, token: string): Promise<HubSession> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    const ws = new WebSocket(`ws://127.0.0.1:${port}`, SUBPROTOCOL, {
      headers: { authorization: `Bearer ${token}` },
      perMessageDeflate: false,
      createConnection: () => socket,
    });
    const hello = await new Promise<Hello>((resolve, reject) => {
      ws.once('error', reject);
      ws.once('message', (data: Buffer) => resolve(JSON.parse(data.toString()) as Hello));
    });
    return new HubSession(ws, socket, hello);
  }

  #take(message: ServerMessage): void {
    if (!('request' in message) || message.request === null) return;
    const waiting = this.#answers.get(message.request);
    this.#answers.delete(message.request);
    if (message.kind === 'error') waiting?.reject(new Error(`${message.error.code}: ${message.error.message}`));
    else waiting?.resolve(message);
  }

  #fail(error: Error): void {
    for (const { reject } of this.#answers.values()) reject(error);
    this.#answers.clear();
  }

  ask(request: object): Promise<ServerMessage> {
    const number = (this.#request += 1);
    return new Promise((resolve, reject) => {
      this.#answers.set(number, { resolve, reject });
      gatherWrites(this.socket);
      this.ws.send(JSON.stringify({ ...request, request: number }));
    });
  }

  /** One entry in one request. @returns its sequence */
  readonly publish = async (): Promise<number> => {
    const answer = await this.ask({ kind: 'publish', entries: [publishedEntry((published += 1))] });
    return sequenceOf(answer);
  };

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.ws.once('close', resolve);
      this.ws.close();
    });
  }
}

function sequenceOf(answer: ServerMessage): number {
  const result: PublishResult | undefined = answer.kind === 'published' ? answer.results[0] : undefined;
  if (result === undefined || !('sequence' in result) || result.duplicate)
    throw new Error(`not stored: ${JSON.stringify(answer)}`);
  return result.sequence;
}
