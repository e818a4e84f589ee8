/** How a shared entry is written to a terminal or a stream: untrusted text, made visible (S31). */
import { titleOf, type StoredEntry } from '../../../core/entry';
import { isSkewed } from '../../clock-skew';
import { jsonAnswer, shown } from '../../output';

export function skewNote(entry: Pick<StoredEntry, 'timestamp' | 'received_at'>): string {
  const skewMs = Date.parse(entry.timestamp) - Date.parse(entry.received_at);
  if (!isSkewed(skewMs)) return '';
  const minutes = Math.round(Math.abs(skewMs) / 60_000);
  return ` [timestamp ${minutes} min ${skewMs > 0 ? 'after' : 'before'} the hub's clock]`;
}

export function entryLine(entry: StoredEntry): string {
  const { sequence, type, origin, client } = entry;
  return `#${sequence} ${type} from ${origin} (${client}): ${shown(titleOf(entry.content))}${skewNote(entry)}\n`;
}

export function entryJson(entry: StoredEntry): string {
  const skewed = skewNote(entry) !== '';
  return jsonAnswer('received', {
    ...entry,
    ...(skewed ? { clock_skew_ms: Date.parse(entry.timestamp) - Date.parse(entry.received_at) } : {}),
  });
}
