/** Sends the outbox over an open session, batch by batch; of several processes at once, one sends each batch. */
import type { PublishedEntry } from '../entry';
import { HubError } from '../errors';
import { judgeFailure, judgeResults, nextBatch, type BatchOutcome, type DrainNext } from '../sync/drain';
import { acquireLock } from './file-lock';
import type { HubSession } from './hub-session';
import type { Outbox } from './outbox';
import type { ProjectPaths } from './project-directory';

export interface DrainOptions {
  readonly session: Pick<HubSession, 'publish' | 'hello'>;
  readonly outbox: Outbox;
  readonly paths: ProjectPaths;
  /** Ends the drain between two batches, and the wait for other processes. */
  readonly signal: AbortSignal;
  /** After each batch, when the outbox has been brought up to date. */
  readonly onBatch?: (outcome: BatchOutcome) => void;
}

export type DrainEnd = { readonly kind: 'empty' } | Extract<DrainNext, { kind: 'later' }>;

const LOCK_DEADLINE_MS = 6_000;

async function send(session: DrainOptions['session'], batch: readonly PublishedEntry[]): Promise<BatchOutcome> {
  try {
    return judgeResults(batch, await session.publish(batch));
  } catch (error) {
    if (error instanceof HubError) return judgeFailure(batch, error);
    throw error;
  }
}

/** One batch under the drain lock. */
async function sendNext(options: DrainOptions, oneByOne: boolean): Promise<BatchOutcome | undefined> {
  const { session, outbox, paths, signal } = options;
  const lock = await acquireLock(paths.drainLock, { deadlineMs: LOCK_DEADLINE_MS, signal, what: 'sending the outbox' });
  try {
    const waiting = await outbox.waiting();
    if (waiting.length === 0) return undefined;
    const outcome = await send(session, oneByOne ? waiting.slice(0, 1) : nextBatch(waiting, session.hello.limits));
    await outbox.settle(outcome);
    return outcome;
  } finally {
    await lock.release();
  }
}

/**
 * Until the outbox is empty or the hub takes no more for now; nothing is lost either way.
 * @throws HubError of this machine (disk, lock), or the signal's reason
 */
export async function drainOutbox(options: DrainOptions): Promise<DrainEnd> {
  let single = 0;
  for (;;) {
    options.signal.throwIfAborted();
    const outcome = await sendNext(options, single > 0);
    if (outcome === undefined) return { kind: 'empty' };
    options.onBatch?.(outcome);
    single = Math.max(0, single - 1);
    if (outcome.next.kind === 'later') return outcome.next;
    if (outcome.next.kind === 'one by one') single = options.session.hello.limits.batch_entries;
  }
}
