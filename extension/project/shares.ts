/** What is known of a project's own entries on the hub: pending, shared, refused. Read from disk; knows no editor. */
import { Outbox } from '../../core/node/outbox';
import type { ProjectPaths } from '../../core/node/project-directory';
import { contentHash } from '../../core/node/sha256';
import { readLedger } from '../../core/node/share-ledger';
import type { ShareState } from '../language/share-states';

export interface Shares {
  /** Entries that wait to be sent. */
  readonly pending: number;
  /** By entry id. */
  readonly states: Readonly<Record<string, ShareState>>;
}

export async function readShares(paths: ProjectPaths): Promise<Shares> {
  const outbox = new Outbox(paths);
  const [ledger, waiting, rejected] = await Promise.all([readLedger(paths), outbox.waiting(), outbox.rejected()]);
  const states: Record<string, ShareState> = {};
  for (const record of ledger.values()) {
    const shared = { kind: 'shared', id: record.id, sequence: record.sequence, sha256: record.sha256 } as const;
    states[record.id] = shared;
  }
  // The newest version of an entry speaks for the id that the local file carries.
  for (const { id, supersedes } of [...ledger.values()].reverse()) {
    const newest = states[id];
    if (supersedes !== undefined && newest !== undefined) states[supersedes] = newest;
  }
  for (const { entry, error } of rejected) states[entry.id] = { kind: 'refused', reason: error.message };
  for (const entry of waiting) states[entry.id] = { kind: 'pending', sha256: contentHash(entry.content) };
  return { pending: waiting.length, states };
}
