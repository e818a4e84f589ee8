/** What to send of the outbox, and what an answer means for it: decisions only (FM-18). */
import { utf8Length, type PublishedEntry } from '../entry';
import { HubError, type ErrorCode } from '../errors';
import { fromWireError, type HubLimits, type PublishResult } from '../wire';

export interface SharedResult {
  readonly entry: PublishedEntry;
  readonly sequence: number;
  readonly duplicate: boolean;
}

export interface RejectedResult {
  readonly entry: PublishedEntry;
  readonly error: HubError;
}

export interface BatchOutcome {
  /** On the hub: they leave the outbox for the ledger. */
  readonly shared: readonly SharedResult[];
  /** The hub will never take these as they are: they leave the outbox for the rejected list. */
  readonly rejected: readonly RejectedResult[];
  readonly next: DrainNext;
}

export type DrainNext =
  | { readonly kind: 'go on' }
  /** The whole batch was refused for one of its entries: send them one by one. */
  | { readonly kind: 'one by one' }
  /** Everything not named above stays in the outbox. `afterMs` = the hub said when. */
  | { readonly kind: 'later'; readonly error: HubError; readonly afterMs: number | undefined };

/** Says something about the entry, which no retry changes. */
const ENTRY_FAULTS: ReadonlySet<ErrorCode> = new Set([
  'invalid',
  'too_large',
  'id_conflict',
  'origin_mismatch',
  'bad_data',
]);

/** Room for the message around the entries. */
const ENVELOPE_BYTES = 1024;

/** Entries from the front, in order: as many as one message may hold, at least one. */
export function nextBatch(
  waiting: readonly PublishedEntry[],
  limits: Pick<HubLimits, 'batch_entries' | 'frame_bytes'>,
): readonly PublishedEntry[] {
  let bytes = ENVELOPE_BYTES;
  const batch: PublishedEntry[] = [];
  for (const entry of waiting.slice(0, limits.batch_entries)) {
    bytes += utf8Length(JSON.stringify(entry)) + 1;
    if (bytes > limits.frame_bytes && batch.length > 0) break;
    batch.push(entry);
  }
  return batch;
}

const unanswered = (entry: PublishedEntry): HubError =>
  new HubError('internal', `The hub did not say what became of entry ${entry.id}.`, { outcome: 'unknown' });

/** The hub answered entry by entry; one that is missing in the answer stays. */
export function judgeResults(batch: readonly PublishedEntry[], results: readonly PublishResult[]): BatchOutcome {
  const byId = new Map(results.map((result) => [result.id, result]));
  const shared: SharedResult[] = [];
  const rejected: RejectedResult[] = [];
  let kept: HubError | undefined;
  for (const entry of batch) {
    const result = byId.get(entry.id);
    if (result === undefined) kept ??= unanswered(entry);
    else if (!('error' in result)) shared.push({ entry, sequence: result.sequence, duplicate: result.duplicate });
    else {
      const error = fromWireError(result.error);
      if (ENTRY_FAULTS.has(error.code)) rejected.push({ entry, error });
      else kept ??= error;
    }
  }
  if (kept !== undefined) return { shared, rejected, next: { kind: 'later', error: kept, afterMs: kept.retryAfterMs } };
  return { shared, rejected, next: { kind: 'go on' } };
}

/** The request failed as a whole. */
export function judgeFailure(batch: readonly PublishedEntry[], error: HubError): BatchOutcome {
  const [first] = batch;
  if (!ENTRY_FAULTS.has(error.code) || first === undefined) {
    return { shared: [], rejected: [], next: { kind: 'later', error, afterMs: error.retryAfterMs } };
  }
  if (batch.length > 1) return { shared: [], rejected: [], next: { kind: 'one by one' } };
  return { shared: [], rejected: [{ entry: first, error }], next: { kind: 'go on' } };
}
