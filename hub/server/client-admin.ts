/** Registering, listing, approving and revoking clients, for admin sessions and local control alike. Every change is audited. */
import { limitsText, type ClientAccess } from '../../core/access';
import { isClientName, isProjectName } from '../../core/entry';
import { HubError } from '../../core/errors';
import type { ClientInfo } from '../../core/wire';
import type { ClientDirectory } from '../engine/log-engine';
import type { LogEngine } from '../engine/log-engine';
import type { AccessChange, ClientRecord, CommandResult } from '../state/commands';
import type { Audit } from '../audit';
import { mintToken } from './secrets';

export interface Registered {
  readonly token: string;
  readonly clientId: string;
}

export interface ClientAdminParts {
  readonly engine: LogEngine;
  readonly clients: ClientDirectory;
  readonly audit: Audit;
  /** RFC 3339 time. */
  readonly now: () => string;
  /** A client that registers may read only when the operator has approved it (FM-41). */
  readonly needsApproval: boolean;
  /** Told after each change, so that sessions whose token or access it changed are closed. */
  readonly changed: () => void;
}

export interface ClientAdmin {
  readonly register: (project: string, client: string, by: string) => Promise<Registered>;
  readonly list: () => readonly ClientInfo[];
  /** @returns what the client may read then; absent = everything */
  readonly grant: (clientId: string, change: AccessChange, by: string) => Promise<ClientAccess | undefined>;
  readonly revoke: (clientId: string, by: string) => Promise<void>;
  /** Notes that a client was there just now. */
  readonly seen: (clientId: string) => void;
}

function accepted<K extends CommandResult['kind']>(
  result: CommandResult,
  kind: K,
): Extract<CommandResult, { kind: K }> {
  if (result.kind === 'refused') throw result.error;
  if (result.kind !== kind) throw new Error(`${kind} was answered ${result.kind}`);
  return result as Extract<CommandResult, { kind: K }>;
}

function checkNames(project: string, client: string): void {
  if (!isProjectName(project)) {
    throw new HubError(
      'invalid',
      'The project name must be 1 to 64 of a-z 0-9 . _ - and start with a letter or digit. Choose one with --project.',
    );
  }
  if (!isClientName(client)) {
    throw new HubError(
      'invalid',
      'The client name must be 1 to 128 of a-z 0-9 . _ @ - and start with a letter or digit. Choose one with --client.',
    );
  }
}

/** One per person and machine: registering again keeps the id and replaces the secret. */
function isActiveClient(record: ClientRecord, project: string, client: string): boolean {
  return record.revoked_at === undefined && record.project === project && record.client === client;
}

/** What the audit says of a change. */
function changeFacts(change: AccessChange): Record<string, string> {
  if ('approve' in change) return {};
  return { limits: limitsText(change.limits), all: String(change.limits.all === true) };
}

export function clientAdmin(parts: ClientAdminParts): ClientAdmin {
  const { engine, clients, audit, now, needsApproval, changed } = parts;
  const lastSeen = new Map<string, string>();
  return {
    register: async (project, client, by) => {
      checkNames(project, client);
      const minted = mintToken('cli');
      const known = clients.list().find((each) => isActiveClient(each, project, client));
      const base = { project, client, token_digest: minted.digest, created_at: now() };
      // What the operator looked at is what is approved: nobody slips in under an id that waits for approval.
      const record: ClientRecord = needsApproval
        ? { id: minted.id, ...base, access: { pending: true } }
        : { id: known?.id ?? minted.id, ...base };
      const result = accepted(await engine.propose({ kind: 'register', record }), 'registered');
      audit.note('register', { client_id: result.record.id, project, client, by });
      changed();
      return { token: minted.text(result.record.id), clientId: result.record.id };
    },
    list: () =>
      clients.list().map(({ id, project, client, created_at, access, revoked_at }) => ({
        client_id: id,
        project,
        client,
        created_at,
        last_seen_at: lastSeen.get(id),
        access,
        revoked_at,
      })),
    grant: async (clientId, change, by) => {
      const { record } = accepted(await engine.propose({ kind: 'grant', clientId, access: change }), 'granted');
      audit.note('approve' in change ? 'approve' : 'grant', { client_id: clientId, by, ...changeFacts(change) });
      changed();
      return record.access;
    },
    revoke: async (clientId, by) => {
      accepted(await engine.propose({ kind: 'revoke', clientId, at: now() }), 'revoked');
      audit.note('revoke', { client_id: clientId, by });
      changed();
    },
    seen: (clientId) => void lastSeen.set(clientId, now()),
  };
}
