/**
 * What the shared feed shows, apart from how: entries newest first, pages, what is unread, and arrivals that wait while the
 * list must not move. Plain data in and out; knows no editor, no clock and no files.
 */
import { titleOf, type EntryType, type StoredEntry } from '../../core/entry';

/** An entry without its content, which stays on disk: the feed of years fits in memory. */
export interface FeedEntry {
  readonly id: string;
  readonly type: EntryType;
  readonly title: string;
  readonly origin: string;
  readonly client: string;
  readonly sequence: number;
  /** The writer's clock, as sent. */
  readonly timestamp: string;
  /** The hub's clock. */
  readonly receivedAt: string;
}

/** One project's connection: entries are ordered by sequence within it. */
export type SourceId = string;

export interface FeedRow {
  readonly entry: FeedEntry;
  readonly source: SourceId;
  readonly unread: boolean;
}

/** What a person has seen, kept between sessions: everything up to a sequence, and some entries beyond it. */
export interface ReadMark {
  readonly upTo: number;
  readonly beyond: readonly string[];
}

interface Source {
  /** Newest first. */
  readonly shown: FeedEntry[];
  readonly held: FeedEntry[];
  readonly ids: Set<string>;
  upTo: number;
  readonly beyond: Set<string>;
}

/** Beyond this the oldest entries leave the feed; the files below `.context/hub` keep them. */
export const MAX_FEED_ENTRIES = 5_000;

export function toFeedEntry(entry: StoredEntry): FeedEntry {
  return {
    id: entry.id,
    type: entry.type,
    title: titleOf(entry.content),
    origin: entry.origin,
    client: entry.client,
    sequence: entry.sequence,
    timestamp: entry.timestamp,
    receivedAt: entry.received_at,
  };
}

const newestFirst = (a: FeedEntry, b: FeedEntry): number => b.sequence - a.sequence;

export class FeedModel {
  readonly #sources = new Map<SourceId, Source>();
  #limit: number;
  #holding = false;

  constructor(private readonly pageSize: number) {
    this.#limit = pageSize;
  }

  /** Replaces what a source shows, such as with what the mirror on disk has. */
  reset(source: SourceId, entries: readonly FeedEntry[], read: ReadMark): void {
    const kept = [...entries].sort(newestFirst).slice(0, MAX_FEED_ENTRIES);
    this.#sources.set(source, {
      shown: kept,
      held: [],
      ids: new Set(kept.map((entry) => entry.id)),
      upTo: read.upTo,
      beyond: new Set(read.beyond),
    });
  }

  remove(source: SourceId): void {
    this.#sources.delete(source);
  }

  /** Takes in what a listen brought; an entry that is known already changes nothing. */
  arrive(source: SourceId, entries: readonly FeedEntry[]): void {
    const known = this.#sources.get(source);
    if (known === undefined) return;
    const fresh = entries.filter((entry) => !known.ids.has(entry.id));
    for (const entry of fresh) known.ids.add(entry.id);
    if (this.#holding) known.held.push(...fresh);
    else show(known, fresh);
  }

  /** While holding, arrivals change counts and nothing else. */
  hold(holding: boolean): void {
    this.#holding = holding;
    if (!holding) this.showHeld();
  }

  showHeld(): void {
    for (const source of this.#sources.values()) show(source, source.held.splice(0));
  }

  get heldCount(): number {
    return sum(this.#sources.values(), (source) => source.held.length);
  }

  get unreadCount(): number {
    return sum(this.#sources.values(), (source) => {
      const unread = (entry: FeedEntry): boolean => isUnread(source, entry);
      return source.shown.filter(unread).length + source.held.filter(unread).length;
    });
  }

  /** Of the entries that may be shown; an entry that several projects of the window receive counts once. */
  get rows(): readonly FeedRow[] {
    return this.#merged().slice(0, this.#limit);
  }

  get isEmpty(): boolean {
    return [...this.#sources.values()].every(({ shown }) => shown.length === 0);
  }

  get hasMore(): boolean {
    return this.#merged().length > this.#limit;
  }

  loadMore(): void {
    this.#limit += this.pageSize;
  }

  find(source: SourceId, id: string): FeedEntry | undefined {
    return this.#sources.get(source)?.shown.find((entry) => entry.id === id);
  }

  markRead(id: string): void {
    for (const source of this.#sources.values()) if (source.ids.has(id)) source.beyond.add(id);
  }

  markAllRead(source: SourceId): void {
    const known = this.#sources.get(source);
    if (known === undefined) return;
    known.upTo = Math.max(known.upTo, ...[known.shown, known.held].map((list) => maxSequence(list)));
    known.beyond.clear();
  }

  setReadMark(source: SourceId, mark: ReadMark): void {
    const known = this.#sources.get(source);
    if (known === undefined) return;
    known.upTo = mark.upTo;
    known.beyond.clear();
    for (const id of mark.beyond) known.beyond.add(id);
  }

  readMark(source: SourceId): ReadMark {
    const known = this.#sources.get(source);
    return { upTo: known?.upTo ?? 0, beyond: [...(known?.beyond ?? [])] };
  }

  /** Sources are merged by the hubs' clocks, but an order within a source never changes. */
  #merged(): readonly FeedRow[] {
    const lists = [...this.#sources].map(([id, source]) => ({ id, source, next: 0 }));
    const rows: FeedRow[] = [];
    const seen = new Set<string>();
    for (;;) {
      let newest: (typeof lists)[number] | undefined;
      for (const list of lists) if (isNewer(headOf(list), newest && headOf(newest))) newest = list;
      const entry = newest && headOf(newest);
      if (newest === undefined || entry === undefined) return rows;
      newest.next += 1;
      if (seen.has(entry.id)) continue;
      seen.add(entry.id);
      rows.push({ entry, source: newest.id, unread: isUnread(newest.source, entry) });
    }
  }
}

function headOf(list: { readonly source: Source; readonly next: number }): FeedEntry | undefined {
  return list.source.shown[list.next];
}

function isNewer(entry: FeedEntry | undefined, than: FeedEntry | undefined): boolean {
  return entry !== undefined && (than === undefined || entry.receivedAt > than.receivedAt);
}

function isUnread(source: Source, entry: FeedEntry): boolean {
  return entry.sequence > source.upTo && !source.beyond.has(entry.id);
}

function show(source: Source, entries: readonly FeedEntry[]): void {
  source.shown.unshift(...entries);
  source.shown.sort(newestFirst);
  for (const gone of source.shown.splice(MAX_FEED_ENTRIES)) {
    source.ids.delete(gone.id);
    source.beyond.delete(gone.id);
  }
}

function maxSequence(entries: readonly FeedEntry[]): number {
  return entries.reduce((max, entry) => Math.max(max, entry.sequence), 0);
}

function sum<T>(values: Iterable<T>, count: (value: T) => number): number {
  let total = 0;
  for (const value of values) total += count(value);
  return total;
}
