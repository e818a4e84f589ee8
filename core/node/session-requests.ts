/** Requests under way in one session: numbers them, pairs answers with them, and lets none wait longer than its deadline. */
import { HubError } from '../errors';
import { secondsText } from '../seconds-text';
import { fromWireError, type Answer, type Request } from '../wire';

type WithoutNumber<R> = R extends Request ? Omit<R, 'request'> : never;
export type RequestBody = WithoutNumber<Request>;

interface Waiting {
  readonly kind: RequestBody['kind'];
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: HubError) => void;
  readonly timer: NodeJS.Timeout;
}

export class PendingRequests {
  readonly #url: string;
  readonly #timeoutMs: number;
  readonly #send: (text: string) => void;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;

  constructor(url: string, timeoutMs: number, send: (text: string) => void) {
    this.#url = url;
    this.#timeoutMs = timeoutMs;
    this.#send = send;
  }

  /** @throws HubError of the hub, `timeout`, or why the session ended */
  async send<K extends Answer['kind']>(
    body: RequestBody,
    kind: K,
    open: boolean,
  ): Promise<Extract<Answer, { kind: K }>> {
    if (!open) throw new HubError('unreachable', `The session with the hub at ${this.#url} has ended.`);
    const request = this.#next++;
    const answer = await new Promise<Answer>((resolve, reject) => {
      const timer = setTimeout(() => this.#expire(request), this.#timeoutMs);
      this.#waiting.set(request, { kind: body.kind, resolve, reject, timer });
      this.#send(JSON.stringify({ ...body, request }));
    });
    if (answer.kind === 'error') throw fromWireError(answer.error);
    if (answer.kind === kind) return answer as Extract<Answer, { kind: K }>;
    throw new HubError('unsupported_version', `The hub answered ${body.kind} with ${answer.kind}.`, {
      outcome: 'unknown',
    });
  }

  /** @returns whether a request of ours waited for this answer */
  settle(answer: Answer): boolean {
    const waiting = answer.request === null ? undefined : this.#take(answer.request);
    waiting?.resolve(answer);
    return waiting !== undefined;
  }

  /** The session is over: what was sent may or may not have taken effect. */
  end(error: HubError): void {
    for (const request of [...this.#waiting.keys()]) {
      this.#take(request)?.reject(new HubError(error.code, error.message, { cause: error, outcome: 'unknown' }));
    }
  }

  #expire(request: number): void {
    const waiting = this.#take(request);
    const message = `The hub at ${this.#url} did not answer ${waiting?.kind ?? 'a request'} within ${secondsText(this.#timeoutMs)}.`;
    waiting?.reject(new HubError('timeout', message, { outcome: 'unknown' }));
  }

  #take(request: number): Waiting | undefined {
    const waiting = this.#waiting.get(request);
    if (waiting === undefined) return undefined;
    clearTimeout(waiting.timer);
    this.#waiting.delete(request);
    return waiting;
  }
}
