/** The registered clients as one immutable value: every change makes the next version. */
import { HubError } from '../../core/errors';
import type { ClientRecord } from './commands';

export interface ClientTable {
  readonly version: number;
  readonly records: readonly ClientRecord[];
  /** In a cluster: index of the Raft entry that made it, so that a replayed log changes nothing twice. */
  readonly appliedIndex?: number | undefined;
}

export const NO_CLIENTS: ClientTable = { version: 0, records: [] };

/** An active record of the same project and client, or of the same id, makes way. */
export function withRegistered(table: ClientTable, record: ClientRecord): ClientTable {
  const replaced = (old: ClientRecord): boolean =>
    old.id === record.id ||
    (old.revoked_at === undefined && old.project === record.project && old.client === record.client);
  return { version: table.version + 1, records: [...table.records.filter((old) => !replaced(old)), record] };
}

/** Revoking twice keeps the first time. @returns an error for an unknown id */
export function withRevoked(table: ClientTable, clientId: string, at: string): ClientTable | HubError {
  const found = table.records.find((record) => record.id === clientId);
  if (found === undefined) {
    return new HubError('invalid', `There is no client ${clientId}. See: ctx hub client list`);
  }
  if (found.revoked_at !== undefined) return table;
  const records = table.records.map((record) => (record === found ? { ...record, revoked_at: at } : record));
  return { version: table.version + 1, records };
}
