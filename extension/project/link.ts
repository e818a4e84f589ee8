/** A project's live connection: the sync client with what the editor listens to. */
import type { StoredEntry } from '../../core/entry';
import { SyncClient } from '../../core/node/sync-client';
import type { SyncSnapshot } from '../../core/sync/snapshot';

export interface LinkOptions {
  readonly projectDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly onSnapshot: (snapshot: SyncSnapshot) => void;
  /** Entries of other projects, after they are in the mirror. */
  readonly onEntries: (entries: readonly StoredEntry[]) => void;
  /** What a person should know. */
  readonly onNotice: (message: string) => void;
}

export interface Link {
  /** Try now: something waits to be sent, or somebody asks. */
  readonly nudge: () => void;
  /** Resolves when the session is closed and the mirror is free for others. */
  readonly close: () => Promise<void>;
}

export function openLink(options: LinkOptions): Link {
  let closed = false;
  const client = new SyncClient({
    projectDir: options.projectDir,
    env: options.env,
    log: options.onNotice,
    onChange: (snapshot) => {
      if (!closed) options.onSnapshot(snapshot);
    },
    onEntries: (entries) => {
      if (!closed) options.onEntries(entries);
    },
  });
  client.start();
  return {
    nudge: () => client.flush(),
    close: () => {
      closed = true;
      return client.close();
    },
  };
}
