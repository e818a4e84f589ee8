/**
 * Sends a project's outbox as long as there is a session: again when something was added meanwhile, later when the hub takes no more for
 * now. Knows how many entries wait; nothing of connections.
 */
import { HubError } from '../errors';
import type { Random } from '../ports';
import { backoffMs } from '../sync/backoff';
import type { BatchOutcome } from '../sync/drain';
import { asHubError } from './as-hub-error';
import { drainOutbox } from './drain';
import type { HubSession } from './hub-session';
import type { Outbox } from './outbox';
import type { ProjectPaths } from './project-directory';

export interface OutboxSenderOptions {
  readonly paths: ProjectPaths;
  readonly outbox: Outbox;
  readonly random: Random;
  /** The session of this moment. */
  readonly session: () => HubSession | undefined;
  /** What a person should know: what was refused, why the rest waits. */
  readonly log: (message: string) => void;
  readonly onShared: (outcome: BatchOutcome) => void;
  /** Another number of entries waits. */
  readonly onCount: () => void;
  /** Another process has added something. */
  readonly onAdded: () => void;
}

export class OutboxSender {
  readonly #options: OutboxSenderOptions;
  readonly #abort = new AbortController();
  #waiting = 0;
  #sending: Promise<void> | undefined;
  #again = false;
  #retry: NodeJS.Timeout | undefined;
  /** The hub has asked this session not to send before then, in ms of `performance.now()`. */
  #pause: { readonly session: HubSession; readonly until: number } | undefined;
  /** Attempts in a row that brought nothing to the hub. */
  #failures = 0;
  /** Why the outbox waits, as it was told last: each reason is told once. */
  #told: string | undefined;

  constructor(options: OutboxSenderOptions) {
    this.#options = options;
  }

  /** Entries that wait, as last counted. */
  get waiting(): number {
    return this.#waiting;
  }

  /** @throws HubError when the outbox cannot be read */
  async count(): Promise<void> {
    const before = this.#waiting;
    this.#waiting = await this.#options.outbox.count();
    if (this.#waiting !== before) this.#options.onCount();
  }

  /** Another process may have added to the outbox, or taken from it. */
  async noteChange(): Promise<void> {
    try {
      await this.count();
      if (this.#waiting > 0) this.#options.onAdded();
    } catch (error) {
      this.#options.log(asHubError(error).message);
    }
  }

  /** Begins, or once more when it is at it; unless there is no session, or the hub has asked for a pause. */
  send(): void {
    if (this.#sending !== undefined) {
      this.#again = true;
      return;
    }
    const session = this.#options.session();
    if (session === undefined || this.#abort.signal.aborted || this.#isPaused(session)) return;
    clearTimeout(this.#retry);
    this.#again = false;
    this.#sending = this.#sendWith(session).finally(() => {
      this.#sending = undefined;
      if (this.#again) this.send();
    });
  }

  /** What a session that is gone was answered is in the ledger. */
  async settled(): Promise<void> {
    await this.#sending;
  }

  /** The batch under way is finished; what waits stays. */
  async close(): Promise<void> {
    this.#abort.abort(new HubError('going_away', 'The client is closing.'));
    clearTimeout(this.#retry);
    await this.#sending;
  }

  /** Sending is itself a change of the outbox that is noticed: that must not end a pause early. */
  #isPaused(session: HubSession): boolean {
    return this.#pause?.session === session && performance.now() < this.#pause.until;
  }

  async #sendWith(session: HubSession): Promise<void> {
    const { outbox, paths } = this.#options;
    // A lock that another process holds is not waited for on behalf of a session that is gone.
    const gone = new AbortController();
    void session.closed.then(({ error }) => gone.abort(error));
    const signal = AbortSignal.any([this.#abort.signal, gone.signal]);
    let hindrance: { readonly error: HubError; readonly afterMs?: number | undefined } | undefined;
    try {
      const end = await drainOutbox({ session, outbox, paths, signal, onBatch: (outcome) => this.#report(outcome) });
      if (end.kind === 'later') {
        hindrance = end;
        this.#pause = { session, until: performance.now() + (end.afterMs ?? 0) };
      } else this.#told = undefined;
    } catch (error) {
      if (!this.#abort.signal.aborted) hindrance = { error: asHubError(error) };
    }
    await this.count().catch(() => undefined);
    if (hindrance !== undefined) this.#later(hindrance.error, hindrance.afterMs);
  }

  /** Never before the hub said, and never at once: one that names no time, or none to speak of, is not asked in a loop. */
  #later(error: HubError, afterMs = 0): void {
    const ms = Math.max(afterMs + 1, backoffMs(this.#failures++, this.#options.random));
    this.#tellOnce(error);
    clearTimeout(this.#retry);
    if (!this.#abort.signal.aborted) this.#retry = setTimeout(() => this.send(), ms).unref();
  }

  #tellOnce(error: HubError): void {
    if (this.#told === error.code) return;
    this.#told = error.code;
    const what = this.#waiting === 1 ? '1 entry waits' : `${this.#waiting} entries wait`;
    this.#options.log(`${what} to be shared (${error.code}): ${error.message}`);
  }

  #report(outcome: BatchOutcome): void {
    if (outcome.shared.length > 0) this.#failures = 0;
    for (const { entry, error } of outcome.rejected) {
      this.#options.log(`Entry ${entry.id} was refused and will not be sent again: ${error.message}`);
    }
    this.#options.onShared(outcome);
  }
}
