/** A `publish`: stamps each entry (the hub's state checks them), proposes them together, and answers per entry in order. */
import type { PublishedEntry, StampedEntry } from '../../core/entry';
import { HubError, toWireCode } from '../../core/errors';
import { toWireError, type PublishResult } from '../../core/wire';
import type { LogEngine } from '../engine/log-engine';
import type { EntryResult } from '../state/commands';
import type { ClientIdentity } from './authenticator';

function stamp(entry: PublishedEntry, identity: ClientIdentity): StampedEntry {
  if (entry.origin !== undefined && entry.origin !== identity.project) {
    throw new HubError(
      'origin_mismatch',
      `The entry claims another project than this token's ("${identity.project}"). Leave origin out.`,
    );
  }
  const { id, type, content, timestamp, meta, supersedes } = entry;
  const { project: origin, client } = identity;
  const stamped = { id, type, content, timestamp, origin, client };
  // Member by member: spreading costs more than all the rest of this function, and few entries have these two.
  if (meta === undefined && supersedes === undefined) return stamped;
  return { ...stamped, ...(meta && { meta }), ...(supersedes !== undefined && { supersedes }) };
}

export function errorResult(id: string, error: unknown): PublishResult {
  if (!(error instanceof HubError)) throw error;
  return { id, error: toWireError(error, toWireCode(error.code)) };
}

function resultOf(result: EntryResult): PublishResult {
  if (result.kind === 'refused') return errorResult(result.id, result.error);
  return { id: result.id, sequence: result.sequence, duplicate: result.kind === 'duplicate' };
}

/** @throws HubError when the whole batch failed: `disk_full`, `store_failed`, `no_leader`, … */
export async function publish(
  engine: LogEngine,
  identity: ClientIdentity,
  entries: readonly PublishedEntry[],
): Promise<readonly PublishResult[]> {
  const stamped: StampedEntry[] = [];
  const refused = new Map<number, PublishResult>();
  for (const [index, entry] of entries.entries()) {
    try {
      stamped.push(stamp(entry, identity));
    } catch (error) {
      refused.set(index, errorResult(entry.id, error));
    }
  }
  if (stamped.length === 0) return [...refused.values()];
  const result = await engine.propose({ kind: 'publish', entries: stamped });
  if (result.kind === 'refused') throw result.error;
  if (result.kind !== 'published') throw new Error(`publish was answered ${result.kind}`);
  if (refused.size === 0) return result.entries.map(resultOf);
  const proposed = result.entries.values();
  return entries.map((entry, index) => {
    const early = refused.get(index);
    if (early !== undefined) return early;
    const next = proposed.next();
    if (next.done === true) throw new Error(`no result for entry ${entry.id}`);
    return resultOf(next.value);
  });
}
