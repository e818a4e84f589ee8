/** A session that asks and publishes: requests by number, answers parsed as JSON. */
import type { Hello, PublishResult, ServerMessage } from '../../core/wire';
import { openHubSocket, type HubSocket } from './hub-socket';
import { payload } from './payload';

const ID_PREFIX = '0193f0a0-0000-7000-8000-';

/** An entry of the bench as JSON text, in the order and form a client would send; its id is a UUID version 7 by its form. */
export const entryText = (number: number): string =>
  `{"id":"${ID_PREFIX}${number.toString(16).padStart(12, '0')}","type":"decision","content":"${payload(number)}",` +
  '"timestamp":"2026-01-01T00:00:00Z"}';

/** One count for all sessions: an id that comes twice would be answered without any writing. */
let published = 0;

interface Waiting {
  readonly resolve: (message: ServerMessage) => void;
  readonly reject: (error: Error) => void;
}

export class HubSession {
  readonly #answers = new Map<number, Waiting>();
  #socket: HubSocket | undefined;
  #hello: Hello | undefined;
  #request = 0;

  static async open(port: number, token: string): Promise<HubSession> {
    const session = new HubSession();
    await session.#open(port, token);
    return session;
  }

  async #open(port: number, token: string): Promise<void> {
    // The hub speaks first: its hello is the answer to request 0, which is never sent.
    const hello = new Promise<ServerMessage>((resolve, reject) => this.#answers.set(0, { resolve, reject }));
    this.#socket = await openHubSocket({
      port,
      token,
      onText: (text) => this.#take(JSON.parse(text.toString('latin1')) as ServerMessage),
      onEnd: (error) => this.#fail(error),
    });
    const first = await hello;
    if (first.kind !== 'hello') throw new Error(`the hub began with ${first.kind}`);
    this.#hello = first;
  }

  get hello(): Hello {
    if (this.#hello === undefined) throw new Error('the session is not open');
    return this.#hello;
  }

  #take(message: ServerMessage): void {
    const number = message.kind === 'hello' ? 0 : 'request' in message ? message.request : null;
    if (number === null) return;
    const waiting = this.#answers.get(number);
    this.#answers.delete(number);
    if (message.kind === 'error') waiting?.reject(new Error(`${message.error.code}: ${message.error.message}`));
    else waiting?.resolve(message);
  }

  #fail(error: Error): void {
    for (const { reject } of this.#answers.values()) reject(error);
    this.#answers.clear();
  }

  /** @param members of the request beside its number, as JSON text */
  #send(members: string): Promise<ServerMessage> {
    const number = (this.#request += 1);
    return new Promise((resolve, reject) => {
      this.#answers.set(number, { resolve, reject });
      this.#socket?.send(`{"request":${number},${members}}`);
    });
  }

  ask(request: object): Promise<ServerMessage> {
    return this.#send(JSON.stringify(request).slice(1, -1));
  }

  /** Many entries in one request. @returns the sequences */
  async publishMany(count: number): Promise<readonly number[]> {
    const entries = Array.from({ length: count }, () => entryText((published += 1)));
    return sequencesOf(await this.#send(`"kind":"publish","entries":[${entries.join(',')}]`));
  }

  /** One entry in one request. */
  readonly publish = (): Promise<readonly number[]> => this.publishMany(1);

  close(): void {
    this.#socket?.close();
  }
}

function sequencesOf(answer: ServerMessage): readonly number[] {
  const results: readonly PublishResult[] = answer.kind === 'published' ? answer.results : [];
  const sequences = results.flatMap((each) => ('sequence' in each && !each.duplicate ? [each.sequence] : []));
  if (sequences.length === 0 || sequences.length !== results.length)
    throw new Error(`not stored: ${JSON.stringify(answer)}`);
  return sequences;
}
