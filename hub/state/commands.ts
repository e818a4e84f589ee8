/**
 * What can change a hub, and what each change answers. A command is all that a replica needs to apply it: every stamp
 * (origin, client, time, token digest) is already in it.
 */
import type { ClientAccess } from '../../core/access';
import type { StampedEntry } from '../../core/entry';
import type { HubError } from '../../core/errors';

/** A registered client as `clients.json` keeps it: never the token, only its SHA-256 digest (FM-45). */
export interface ClientRecord {
  /** Public part of the token; 16 hex digits. */
  readonly id: string;
  readonly project: string;
  /** One per person and machine, such as `ada@laptop`. */
  readonly client: string;
  /** SHA-256 of the token's secret, hex. */
  readonly token_digest: string;
  readonly created_at: string;
  /** What it may read; absent = everything. */
  readonly access?: ClientAccess;
  readonly revoked_at?: string;
}

/** Replayed on every node against the record as it is there: what is not named stays as it is. */
export type AccessChange =
  | { readonly approve: true }
  | {
      readonly limits: Pick<ClientAccess, 'types' | 'origins'> & {
        /** The limits of before are gone. */
        readonly all?: true | undefined;
      };
    };

export type Command =
  | { readonly kind: 'publish'; readonly entries: readonly StampedEntry[] }
  /** Replaces an active record of the same project and client, whatever its id; its limits stay. */
  | { readonly kind: 'register'; readonly record: ClientRecord }
  | { readonly kind: 'revoke'; readonly clientId: string; readonly at: string }
  | { readonly kind: 'grant'; readonly clientId: string; readonly access: AccessChange };

/** Ids of all entries that the commands publish. */
export function publishedIds(commands: readonly Command[]): readonly string[] {
  return commands.flatMap((command) => (command.kind === 'publish' ? command.entries.map(({ id }) => id) : []));
}

/** One per entry of a publish, in its order. An error here is `id_conflict`, `invalid` or `too_large`, and refused. */
export type EntryResult =
  | { readonly kind: 'stored'; readonly id: string; readonly sequence: number }
  | { readonly kind: 'duplicate'; readonly id: string; readonly sequence: number }
  | { readonly kind: 'refused'; readonly id: string; readonly error: HubError };

export type CommandResult =
  | { readonly kind: 'published'; readonly entries: readonly EntryResult[] }
  | { readonly kind: 'registered'; readonly record: ClientRecord }
  | { readonly kind: 'revoked'; readonly clientId: string }
  | { readonly kind: 'granted'; readonly record: ClientRecord }
  | { readonly kind: 'refused'; readonly error: HubError };
