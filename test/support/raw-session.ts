/** A bare WebSocket at a hub, for tests that say what no well-behaved client would. */
import { WebSocket, type ClientOptions } from 'ws';
import { SUBPROTOCOL } from '../../core/wire';

/** A message of the hub, as parsed JSON. */
export type Message = Readonly<Record<string, unknown>>;

export interface RawSession {
  readonly ws: WebSocket;
  readonly messages: readonly Message[];
  readonly send: (message: unknown) => void;
  readonly sendText: (text: string) => void;
  /** The first message, of those already there or to come, that fits. */
  readonly next: (fits: (message: Message) => boolean, deadlineMs?: number) => Promise<Message>;
  /** The answer to a request, whatever it is. */
  readonly ask: (request: Message & { readonly request: number }) => Promise<Message>;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

export interface RawOptions extends ClientOptions {
  readonly token?: string;
  readonly protocols?: readonly string[];
  readonly path?: string;
}

function socketOf(address: string, options: RawOptions): WebSocket {
  const { token, protocols = [SUBPROTOCOL], path = '/', headers = {}, ...rest } = options;
  return new WebSocket(`${address}${path}`, [...protocols], {
    perMessageDeflate: false,
    ...rest,
    headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
  });
}

/** The status of a refused upgrade, or 101. */
export function upgradeStatus(address: string, options: RawOptions): Promise<number> {
  const ws = socketOf(address, options);
  return new Promise((resolve, reject) => {
    ws.once('open', () => {
      ws.terminate();
      resolve(101);
    });
    ws.once('unexpected-response', (request, response) => {
      response.resume();
      request.destroy();
      resolve(response.statusCode ?? 0);
    });
    ws.once('error', reject);
  });
}

export async function rawSession(address: string, token: string, options: RawOptions = {}): Promise<RawSession> {
  const ws = socketOf(address, { ...options, token });
  const messages: Message[] = [];
  const waiting = new Set<() => void>();
  ws.on('message', (data) => {
    messages.push(JSON.parse((data as Buffer).toString('utf8')) as Message);
    for (const check of [...waiting]) check();
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    ws.once('close', (code, reason) => {
      resolve({ code, reason: reason.toString('utf8') });
      for (const check of [...waiting]) check();
    });
  });
  await new Promise<void>((resolve, reject) => {
    ws.once('open', resolve);
    ws.once('error', reject);
  });
  ws.on('error', () => undefined); // Told by `closed`.
  const next = (fits: (message: Message) => boolean, deadlineMs = 10_000): Promise<Message> =>
    new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        waiting.delete(check);
      };
      const check = (): void => {
        const found = messages.find(fits);
        if (found !== undefined) {
          done();
          resolve(found);
        } else if (ws.readyState === WebSocket.CLOSED) {
          done();
          reject(new Error(`the session was closed before that; it said ${JSON.stringify(messages).slice(0, 2_000)}`));
        }
      };
      const timer = setTimeout(() => {
        done();
        reject(new Error(`not said within ${deadlineMs} ms; it said ${JSON.stringify(messages).slice(0, 2_000)}`));
      }, deadlineMs);
      waiting.add(check);
      check();
    });
  const send = (message: unknown): void => ws.send(JSON.stringify(message));
  return {
    ws,
    messages,
    send,
    sendText: (text) => ws.send(text),
    next,
    ask: (request) => {
      send(request);
      return next((message) => message['request'] === request.request && message['kind'] !== 'hello');
    },
    closed,
  };
}
