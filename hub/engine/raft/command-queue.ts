/** Commands that wait to be committed, in their order, each with a deadline and the knowledge whether it may be in a log. */
import { HubError } from '../../../core/errors';
import type { Command, CommandResult } from '../../state/commands';
import { BUSY_RETRY_MS, MAX_WAITING_BYTES, sizeOf, takeBatch, type Gathered } from '../gather';
import { MAX_BATCH_BYTES } from './limits';

export interface Waiting extends Gathered {
  /** Of another node: it is not passed on once more. */
  readonly forwarded: boolean;
  /** It was proposed at least once, and whether that took effect is not known. */
  isMaybeTaken: boolean;
  readonly resolve: (result: CommandResult) => void;
  readonly reject: (error: HubError) => void;
  readonly isSettled: () => boolean;
}

export class CommandQueue {
  private waiting: Waiting[] = [];
  private bytes = 0;
  private open = 0;
  private idle: (() => void)[] = [];

  /** @param why nothing is committed now, for whoever waited in vain */
  constructor(private readonly why: () => string) {}

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  add(command: Command, forwarded: boolean, deadlineMs: number): Promise<CommandResult> {
    if (this.bytes > MAX_WAITING_BYTES) {
      const busy = 'More is waiting to be committed than the cluster takes. Try again in a moment.';
      return Promise.reject(new HubError('rate_limited', busy, { retryAfterMs: BUSY_RETRY_MS }));
    }
    const bytes = sizeOf(command);
    this.bytes += bytes;
    this.open++;
    return new Promise<CommandResult>((resolve, reject) => {
      let settled = false;
      const settle = (): boolean => {
        if (settled) return false;
        settled = true;
        clearTimeout(timer);
        this.finish(bytes);
        return true;
      };
      const waiting: Waiting = {
        ...{ command, bytes, forwarded, isMaybeTaken: false },
        resolve: (result) => {
          if (settle()) resolve(result);
        },
        reject: (error) => {
          if (settle()) reject(error);
        },
        isSettled: () => settled,
      };
      const timer = setTimeout(() => waiting.reject(this.inVain(waiting)), deadlineMs);
      this.waiting.push(waiting);
    });
  }

  private inVain(waiting: Waiting): HubError {
    this.waiting = this.waiting.filter((each) => each !== waiting);
    const maybe = waiting.isMaybeTaken ? 'It may still take effect. ' : 'Nothing was stored. ';
    return new HubError('no_leader', `There is no leader that could store this: ${this.why()}. ${maybe}Try again.`, {
      outcome: waiting.isMaybeTaken ? 'unknown' : 'refused',
    });
  }

  private finish(bytes: number): void {
    this.bytes -= bytes;
    this.open--;
    if (this.open === 0) for (const done of this.idle.splice(0)) done();
  }

  takeBatch(): readonly Waiting[] {
    return takeBatch(this.waiting, MAX_BATCH_BYTES);
  }

  putBack(batch: readonly Waiting[]): void {
    this.waiting.unshift(...batch.filter((each) => !each.isSettled()));
  }

  /** Resolves when every command has its answer. */
  whenEmpty(): Promise<void> {
    if (this.open === 0) return Promise.resolve();
    return new Promise((resolve) => this.idle.push(resolve));
  }
}
