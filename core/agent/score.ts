/**
 * In which order entries are worth an agent's attention: own ones by turns of type, newest first; shared ones by recency, type
 * and origin. Pure.
 */
import type { EntryType } from '../entry';
import type { PacketEntry } from './packet';

const DAY_MS = 24 * 60 * 60 * 1000;
/** After so many days an entry counts half. */
const HALF_LIFE_DAYS = 30;

const TYPE_WEIGHT: Readonly<Record<EntryType, number>> = { decision: 1, convention: 0.9, learning: 0.8, task: 0.3 };
/** A project that this one's own entries name. */
const RELATED_WEIGHT = 1.5;
/** Each further entry of one origin counts less, so that nobody crowds the others out by writing much. */
const CROWD_FACTOR = 0.9;

/** By turns, so that many tasks do not push out the conventions. */
const LOCAL_TURNS: readonly EntryType[] = ['decision', 'convention', 'learning', 'task'];

/** Newest first; what has no date keeps its place in the file, after what has one. */
function newestFirst(entries: readonly PacketEntry[]): PacketEntry[] {
  return entries.toSorted((a, b) => {
    const [one, other] = [a.date ?? '', b.date ?? ''];
    return one === other ? 0 : one < other ? 1 : -1;
  });
}

/** Own entries, best first. */
export function rankLocal(entries: readonly PacketEntry[]): PacketEntry[] {
  const queues = LOCAL_TURNS.map((type) => newestFirst(entries.filter((entry) => entry.type === type)));
  const ranked: PacketEntry[] = [];
  for (let turn = 0; ranked.length < entries.length; turn++) {
    ranked.push(...queues.flatMap((queue) => queue.slice(turn, turn + 1)));
  }
  return ranked;
}

export interface ScoredEntry {
  readonly entry: PacketEntry;
  /** Between 0 and 1.5. */
  readonly score: number;
}

/** Whether the name stands in the text as a word of its own. */
function names(text: string, origin: string): boolean {
  const word = /[\p{L}\p{N}_.-]/u;
  for (let at = text.indexOf(origin); at !== -1; at = text.indexOf(origin, at + 1)) {
    const before = text.charAt(at - 1);
    const after = text.charAt(at + origin.length);
    if (!word.test(before) && (!word.test(after) || /^[.-](?![\p{L}\p{N}_])/u.test(text.slice(at + origin.length))))
      return true;
  }
  return false;
}

function ageFactor(entry: PacketEntry, nowMs: number): number {
  const at = Date.parse(entry.receivedAt ?? '');
  // A hub's clock that is ahead of ours makes nothing more than new.
  const days = Number.isNaN(at) ? Infinity : Math.max(0, (nowMs - at) / DAY_MS);
  return 2 ** (-days / HALF_LIFE_DAYS);
}

/** Entries of other projects, best first. `own` = the texts of this project, which may name some of them. */
export function rankShared(
  entries: readonly PacketEntry[],
  own: readonly PacketEntry[],
  nowMs: number,
): readonly ScoredEntry[] {
  const ownText = own.map(({ content }) => content.toLowerCase()).join('\n');
  const origins = new Set(entries.flatMap(({ origin }) => (origin === undefined ? [] : [origin])));
  const related = new Set([...origins].filter((origin) => names(ownText, origin)));
  const alone = entries
    .map((entry) => {
      const weight = related.has(entry.origin ?? '') ? RELATED_WEIGHT : 1;
      return { entry, score: TYPE_WEIGHT[entry.type] * ageFactor(entry, nowMs) * weight };
    })
    .toSorted((a, b) => b.score - a.score || (b.entry.sequence ?? 0) - (a.entry.sequence ?? 0));
  const before = new Map<string, number>();
  return alone
    .map(({ entry, score }) => {
      const rank = before.get(entry.origin ?? '') ?? 0;
      before.set(entry.origin ?? '', rank + 1);
      return { entry, score: score * CROWD_FACTOR ** rank };
    })
    .toSorted((a, b) => b.score - a.score || (b.entry.sequence ?? 0) - (a.entry.sequence ?? 0));
}
