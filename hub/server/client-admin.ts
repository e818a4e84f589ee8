/** Registering, listing and revoking clients, for admin sessions and local control alike. Every change is audited. */
import { isClientName, isProjectName } from '../../core/entry';
import { HubError } from '../../core/errors';
import type { ClientInfo } from '../../core/wire';
import type { ClientDirectory } from '../hub-parts';
import type { LogEngine } from '../engine/log-engine';
import type { ClientRecord, CommandResult } from '../state/commands';
import type { Audit } from '../audit';
import { mintToken } from './secrets';

export interface Registered {
  readonly token: string;
  readonly clientId: string;
}

export interface ClientAdmin {
  readonly register: (project: string, client: string, by: string) => Promise<Registered>;
  readonly list: () => readonly ClientInfo[];
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

/**
 * @param now RFC 3339 time
 * @param changed told after each change, so that sessions whose token it ended are closed
 */
export function clientAdmin(
  engine: LogEngine,
  clients: ClientDirectory,
  audit: Audit,
  now: () => string,
  changed: () => void,
): ClientAdmin {
  const lastSeen = new Map<string, string>();
  return {
    register: async (project, client, by) => {
      checkNames(project, client);
      const minted = mintToken('cli');
      const known = clients.list().find((each) => isActiveClient(each, project, client));
      const record = { id: known?.id ?? minted.id, project, client, token_digest: minted.digest, created_at: now() };
      const result = accepted(await engine.propose({ kind: 'register', record }), 'registered');
      audit.note('register', { client_id: result.record.id, project, client, by });
      changed();
      return { token: minted.text(result.record.id), clientId: result.record.id };
    },
    list: () =>
      clients.list().map(({ id, project, client, created_at, revoked_at }) => ({
        client_id: id,
        project,
        client,
        created_at,
        last_seen_at: lastSeen.get(id),
        revoked_at,
      })),
    revoke: async (clientId, by) => {
      accepted(await engine.propose({ kind: 'revoke', clientId, at: now() }), 'revoked');
      audit.note('revoke', { client_id: clientId, by });
      changed();
    },
    seen: (clientId) => void lastSeen.set(clientId, now()),
  };
}
