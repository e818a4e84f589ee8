/** Fills a data directory with the bench's entries. */
import { fillLog } from '../support/fill-log';
import { payload } from './payload';

export function makeLog(folder: string, entries: number): Promise<void> {
  return fillLog(folder, 1, entries, (number) => ({
    id: `0193f0a0-0000-7000-9000-${number.toString(16).padStart(12, '0')}`,
    type: 'decision',
    content: payload(number),
    timestamp: '2026-01-01T00:00:00Z',
    origin: 'bench',
    client: 'bench@maker',
  }));
}
