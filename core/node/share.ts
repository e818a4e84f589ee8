/** The share leg: entries go to the outbox first (fsynced), then to the hub within one deadline (FM-17, FM-18). */
import type { PublishedEntry } from '../entry';
import { HubError } from '../errors';
import { REQUEST_TIMEOUT_MS } from '../limits';
import { secondsText } from '../seconds-text';
import type { BatchOutcome } from '../sync/drain';
import { asHubError } from './as-hub-error';
import { requireConnection, type Connection } from './connection-file';
import { drainOutbox } from './drain';
import { addressesOf, openAny } from './open-any';
import { Outbox } from './outbox';
import { projectPaths, type ProjectPaths } from './project-directory';
import { readLedger } from './share-ledger';

export type ShareOutcome =
  | { readonly kind: 'shared'; readonly id: string; readonly sequence: number; readonly duplicate: boolean }
  /** In the outbox; `listen`, the editor and `publish` send it later. */
  | { readonly kind: 'pending'; readonly id: string; readonly reason: HubError }
  /** The hub will never take it as it is; kept in the rejected list. */
  | { readonly kind: 'refused'; readonly id: string; readonly error: HubError };

export interface ShareOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Over all: waiting for others, connecting, answer. Default 5 s. */
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Nodes that go away one after the other, in the middle of one share. */
const MAX_TRIES = 3;

/** What became of each entry so far, by id. */
type Results = Map<string, ShareOutcome>;

function collect(results: Results, { shared, rejected }: BatchOutcome): void {
  for (const { entry, sequence, duplicate } of shared) {
    results.set(entry.id, { kind: 'shared', id: entry.id, sequence, duplicate });
  }
  for (const { entry, error } of rejected) results.set(entry.id, { kind: 'refused', id: entry.id, error });
}

interface Attempt {
  readonly paths: ProjectPaths;
  readonly outbox: Outbox;
  readonly results: Results;
  readonly signal: AbortSignal;
  readonly end: number;
}

/** @returns why something may still wait; `undefined` when the outbox is empty */
async function tryToSend(attempt: Attempt, connection: Connection): Promise<HubError | undefined> {
  const session = await openAny(connection, attempt.end - performance.now(), attempt.signal);
  attempt.signal.addEventListener('abort', () => session.terminate(), { once: true });
  try {
    const { paths, outbox, results, signal } = attempt;
    const end = await drainOutbox({ session, outbox, paths, signal, onBatch: (outcome) => collect(results, outcome) });
    return end.kind === 'later' ? end.error : undefined;
  } finally {
    await session.close();
  }
}

/**
 * A node that goes away in the middle of it has others in its place: what still waits is sent there, while there is time.
 * @returns why something may still wait; `undefined` when the outbox is empty
 */
async function sendSomewhere(attempt: Attempt, options: ShareOptions): Promise<HubError | undefined> {
  const connection = await requireConnection(attempt.paths, options.env);
  const isCluster = addressesOf(connection).length > 1;
  for (let tries = 1; ; tries++) {
    const reason = await tryToSend(attempt, connection);
    const isGone = reason?.code === 'going_away' || reason?.code === 'unreachable';
    if (!isGone || !isCluster || tries === MAX_TRIES || attempt.signal.aborted) return reason;
  }
}

function deadlineSignal(
  deadlineMs: number,
  signal: AbortSignal | undefined,
): { signal: AbortSignal; done: () => void } {
  const deadline = new AbortController();
  const why = new HubError('timeout', `Sharing was not done within ${secondsText(deadlineMs)}.`, {
    outcome: 'unknown',
  });
  const timer = setTimeout(() => deadline.abort(why), deadlineMs);
  const both = signal === undefined ? deadline.signal : AbortSignal.any([deadline.signal, signal]);
  return { signal: both, done: () => clearTimeout(timer) };
}

/** Another process may have sent it meanwhile: then the ledger or the rejected list knows. */
async function lookUp(attempt: Attempt, id: string, reason: HubError): Promise<ShareOutcome> {
  const waiting = await attempt.outbox.waiting();
  if (waiting.some((entry) => entry.id === id)) return { kind: 'pending', id, reason };
  const record = (await readLedger(attempt.paths)).get(id);
  if (record !== undefined) return { kind: 'shared', id, sequence: record.sequence, duplicate: false };
  const refused = (await attempt.outbox.rejected()).find(({ entry }) => entry.id === id);
  return refused === undefined ? { kind: 'pending', id, reason } : { kind: 'refused', id, error: refused.error };
}

const REASON_UNKNOWN = new HubError('unreachable', 'The hub has not answered for it yet.', { outcome: 'unknown' });

/**
 * Shares entries that passed `checkPublishedEntry`. Whatever happens after they are in the outbox is an outcome, never an
 * exception: they are safe.
 * @throws HubError when they could not even be put into the outbox
 */
export async function shareEntries(
  projectDir: string,
  entries: readonly PublishedEntry[],
  options: ShareOptions,
): Promise<readonly ShareOutcome[]> {
  const deadlineMs = options.deadlineMs ?? REQUEST_TIMEOUT_MS;
  const paths = projectPaths(projectDir);
  const outbox = new Outbox(paths);
  await outbox.add(entries);
  const { signal, done } = deadlineSignal(deadlineMs, options.signal);
  const attempt: Attempt = { paths, outbox, results: new Map(), signal, end: performance.now() + deadlineMs };
  let reason: HubError | undefined;
  try {
    reason = await whicheverFirst(sendSomewhere(attempt, options), signal);
  } catch (error) {
    reason = asHubError(error);
  } finally {
    done();
  }
  const outcomes: ShareOutcome[] = [];
  for (const { id } of entries) {
    outcomes.push(attempt.results.get(id) ?? (await lookUp(attempt, id, reason ?? REASON_UNKNOWN)));
  }
  return outcomes;
}

/** The work goes on to its own end in the background when the deadline wins. */
async function whicheverFirst<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    work.then(resolve, reject);
  });
}

export async function shareEntry(
  projectDir: string,
  entry: PublishedEntry,
  options: ShareOptions,
): Promise<ShareOutcome> {
  const [outcome] = await shareEntries(projectDir, [entry], options);
  if (outcome === undefined) throw new Error('one entry has one outcome');
  return outcome;
}
