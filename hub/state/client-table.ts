/** The registered clients as one immutable value: every change makes the next version. */
import { normalAccess, type ClientAccess } from '../../core/access';
import { HubError } from '../../core/errors';
import type { AccessChange, ClientRecord } from './commands';

export interface ClientTable {
  readonly version: number;
  readonly records: readonly ClientRecord[];
  /** In a cluster: index of the Raft entry that made it, so that a replayed log changes nothing twice. */
  readonly appliedIndex?: number | undefined;
}

export const NO_CLIENTS: ClientTable = { version: 0, records: [] };

/** The access stands before `revoked_at`, as in a record that was read from the file. */
function withAccess(record: ClientRecord, access: ClientAccess): ClientRecord {
  const { id, project, client, token_digest, created_at, revoked_at } = record;
  const limits = normalAccess(access);
  return {
    ...{ id, project, client, token_digest, created_at },
    ...(limits === undefined ? {} : { access: limits }),
    ...(revoked_at === undefined ? {} : { revoked_at }),
  };
}

/**
 * An active record of the same project and client, or of the same id, makes way. Who registers again never reads more than
 * before: an admin token alone must not lift what the operator limited (FM-41).
 */
export function withRegistered(table: ClientTable, record: ClientRecord): ClientTable {
  const replaced = (old: ClientRecord): boolean =>
    old.id === record.id ||
    (old.revoked_at === undefined && old.project === record.project && old.client === record.client);
  const before = table.records.find((old) => replaced(old) && old.access !== undefined)?.access;
  const entered = withAccess(record, { ...before, ...record.access });
  return { version: table.version + 1, records: [...table.records.filter((old) => !replaced(old)), entered] };
}

const unknown = (clientId: string): HubError =>
  new HubError('invalid', `There is no client ${clientId}. See: ctx hub client list`);

/** Revoking twice keeps the first time. @returns an error for an unknown id */
export function withRevoked(table: ClientTable, clientId: string, at: string): ClientTable | HubError {
  const found = table.records.find((record) => record.id === clientId);
  if (found === undefined) return unknown(clientId);
  if (found.revoked_at !== undefined) return table;
  const records = table.records.map((record) => (record === found ? { ...record, revoked_at: at } : record));
  return { version: table.version + 1, records };
}

function changedAccess(before: ClientAccess, change: AccessChange): ClientAccess {
  if ('approve' in change) return { ...before, pending: undefined };
  const { types, origins, all } = change.limits;
  return {
    pending: before.pending,
    types: types ?? (all === true ? undefined : before.types),
    origins: origins ?? (all === true ? undefined : before.origins),
  };
}

/** @returns the record as it is then, or an error for an id that is unknown or revoked */
export function withGranted(
  table: ClientTable,
  clientId: string,
  change: AccessChange,
): { readonly table: ClientTable; readonly record: ClientRecord } | HubError {
  const found = table.records.find((record) => record.id === clientId);
  if (found === undefined) return unknown(clientId);
  if (found.revoked_at !== undefined) {
    return new HubError('invalid', `Client ${clientId} is revoked. Let it register again: ctx connection register`);
  }
  const record = withAccess(found, changedAccess(found.access ?? {}, change));
  const records = table.records.map((each) => (each === found ? record : each));
  return { table: { version: table.version + 1, records }, record };
}
