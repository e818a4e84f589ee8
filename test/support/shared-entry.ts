/** Entries for tests, as a client sends them. */
import type { PublishedEntry } from '../../core/entry';

export const shared = (id: string, more: Partial<PublishedEntry> = {}): PublishedEntry => ({
  id,
  type: 'decision',
  content: `Title of ${id}`,
  timestamp: '2026-01-31T09:30:00Z',
  ...more,
});
