/** The share leg: an entry goes to the outbox first (fsynced), then to the hub within a deadline (FM-17). */
import type { PublishedEntry } from '../entry';
import type { HubError } from '../errors';

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

export type ShareEntry = (projectDir: string, entry: PublishedEntry, options: ShareOptions) => Promise<ShareOutcome>;
