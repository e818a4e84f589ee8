/** The loop of the single-node engine: gathers commands, plans a batch, makes it durable, commits, answers. */
import { HubError } from '../../core/errors';
import { publishedIds, type Command, type CommandResult } from '../state/commands';
import type { HubState, KnownEntry, Plan } from '../state/hub-state';
import type { LogLine } from '../store/log-reader';
import type { Store } from '../store/store';
import { BUSY_RETRY_MS, MAX_WAITING_BYTES, sizeOf, takeBatch, type Gathered } from './gather';
import type { EngineStatus, LogEngine } from './log-engine';

const MAX_BATCH_BYTES = 4 * 1024 * 1024;
/** The watermark follows this long after the last batch, */
const IDLE_MS = 1_000;
/** and at the latest this long after the first batch that it does not cover. */
const WATERMARK_MAX_AGE_MS = 30_000;

export interface FileEngineParts {
  readonly store: Store;
  readonly state: HubState;
  readonly now: () => number;
  /** Runs something later, once. @returns what calls it off */
  readonly later: (run: () => void, delayMs: number) => () => void;
  readonly warn: (message: string) => void;
}

interface Waiting extends Gathered {
  readonly resolve: (result: CommandResult) => void;
  readonly reject: (error: unknown) => void;
}

type CommitListener = (lines: readonly LogLine[]) => void;

export class FileEngine implements LogEngine {
  private readonly store: Store;
  private readonly state: HubState;
  private readonly parts: FileEngineParts;
  private queue: Waiting[] = [];
  private waitingBytes = 0;
  private running: Promise<void> | undefined;
  private closing: Promise<void> | undefined;
  private readonly listeners = new Set<CommitListener>();
  private cancelIdle: (() => void) | undefined;
  private uncoveredSince: number | undefined;

  constructor(parts: FileEngineParts) {
    this.parts = parts;
    this.store = parts.store;
    this.state = parts.state;
  }

  readonly propose = (command: Command): Promise<CommandResult> => {
    if (this.closing !== undefined) {
      return Promise.reject(new HubError('going_away', 'The hub is stopping. Try again when it is back.'));
    }
    if (this.waitingBytes > MAX_WAITING_BYTES) {
      const busy = 'More is waiting to be written than the disk takes. Try again in a moment.';
      return Promise.reject(new HubError('rate_limited', busy, { retryAfterMs: BUSY_RETRY_MS }));
    }
    const bytes = sizeOf(command);
    this.waitingBytes += bytes;
    return new Promise((resolve, reject) => {
      this.queue.push({ command, bytes, resolve, reject });
      // One turn of the microtask queue gathers all that arrives in the same event.
      this.running ??= Promise.resolve().then(() => this.run());
    });
  };

  readonly status = (): EngineStatus => ({
    engine: 'file',
    role: 'leader',
    head: this.state.head,
    writeFault: this.store.failure,
  });

  readonly close = (): Promise<void> => (this.closing ??= this.drain());

  onCommit(listener: CommitListener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  private async drain(): Promise<void> {
    while (this.running !== undefined) await this.running;
    this.cancelIdle?.();
    try {
      await this.store.close();
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      this.parts.warn(`The watermark was not written at the stop: ${error.message}`);
    }
  }

  private async run(): Promise<void> {
    this.cancelIdle?.();
    while (this.queue.length > 0) {
      await this.runBatch(this.takeBatch());
      await this.markIfOverdue();
    }
    this.running = undefined;
    this.cancelIdle = this.parts.later(() => void (this.running ??= this.markWhenIdle()), IDLE_MS);
  }

  private takeBatch(): readonly Waiting[] {
    const batch = takeBatch(this.queue, MAX_BATCH_BYTES);
    for (const { bytes } of batch) this.waitingBytes -= bytes;
    return batch;
  }

  private async runBatch(batch: readonly Waiting[]): Promise<void> {
    let plan: Plan;
    let lines: readonly LogLine[] = [];
    try {
      plan = await this.plan(batch);
      if (plan.lines.length > 0) lines = await this.store.append(plan.lines);
      if (plan.clients !== undefined) await this.store.replaceClients(plan.clients, true);
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
      // What nobody foresaw must stop the hub: it may hold a state that is not what is on disk.
      if (!(error instanceof HubError)) throw error;
      return;
    }
    plan.commit();
    if (lines.length > 0) this.uncoveredSince ??= performance.now();
    batch.forEach((waiting, i) => {
      const result = plan.results[i];
      if (result === undefined) throw new Error('a plan answers every command');
      waiting.resolve(result);
    });
    if (lines.length > 0) for (const listener of this.listeners) listener(lines);
  }

  private async plan(batch: readonly Waiting[]): Promise<Plan> {
    const commands = batch.map((waiting) => waiting.command);
    const asked = this.store.known(publishedIds(commands));
    const known: ReadonlyMap<string, KnownEntry | HubError> | undefined = asked === undefined ? undefined : await asked;
    return this.state.plan(commands, new Date(this.parts.now()).toISOString(), (id) => known?.get(id));
  }

  private async markIfOverdue(): Promise<void> {
    if (this.uncoveredSince === undefined) return;
    if (performance.now() - this.uncoveredSince > WATERMARK_MAX_AGE_MS) await this.mark();
  }

  private async markWhenIdle(): Promise<void> {
    await this.mark();
    this.running = undefined;
    if (this.queue.length > 0) this.running = this.run();
  }

  /** A watermark that cannot be written takes nothing away: recovery just reads on from the older one. */
  private async mark(): Promise<void> {
    try {
      await this.store.markWater(false);
      this.uncoveredSince = undefined;
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      this.parts.warn(`The watermark was not written: ${error.message}`);
    }
  }
}
