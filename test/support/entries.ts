/** Entries and client records for tests, as a session would stamp them. */
import type { StampedEntry } from '../../core/entry';
import type { ClientRecord, Command } from '../../hub/state/commands';

export const entry = (id: string, more: Partial<StampedEntry> = {}): StampedEntry => ({
  id,
  type: 'decision',
  content: `Title of ${id}\n\nBody.`,
  origin: 'alpha',
  client: 'ada@laptop',
  timestamp: '2026-01-31T09:30:00Z',
  ...more,
});

export const publish = (...entries: readonly StampedEntry[]): Command => ({ kind: 'publish', entries });

export const record = (id: string, more: Partial<ClientRecord> = {}): ClientRecord => ({
  id: id.padStart(16, '0'),
  project: 'alpha',
  client: 'ada@laptop',
  token_digest: 'ab'.repeat(32),
  created_at: '2026-01-31T09:30:00.000Z',
  ...more,
});
