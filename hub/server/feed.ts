/**
 * The fan-out: every listener is a cursor into the log, never a queue. Those that are up to date share one frame per
 * filter and batch; those that lag read ranges at their own pace, and join the others where they meet (S21, S22).
 */
import type { Cursor } from '../../core/cursor';
import { HubError } from '../../core/errors';
import {
  FEED_TAIL_BYTES,
  MAX_FEED_FRAME_BYTES,
  MAX_UNSENT_FEED_BYTES,
  MAX_UNSENT_FEED_BYTES_TOTAL,
  MIN_UNSENT_FEED_BYTES,
} from '../limits';
import type { LogLine, LogReader } from '../store/log-reader';
import { FeedTail } from './feed-tail';
import { entriesFrame } from './frame';
import { filtered, isEverything, type LineFilter } from './line-filter';
import type { SessionSocket } from './session-socket';

export interface Listener {
  readonly socket: SessionSocket;
  readonly filter: LineFilter;
  /** Sequence of the last line scanned for it. */
  position: number;
  /** The last cursor it was sent; lies behind while its filter holds everything back. */
  told: number;
  state: 'live' | 'lagging' | 'ended';
  /** The log cannot be read where this listener stands: its session has to end. */
  readonly fail: (error: unknown) => void;
}

export interface FeedCounts {
  readonly listeners: number;
  readonly lagging: number;
  /** Frames written, all listeners together. */
  readonly frames: number;
}

/** Lines of at most {@link MAX_FEED_FRAME_BYTES} together, or one longer line. */
function* framesOf(lines: readonly LogLine[]): Generator<readonly LogLine[]> {
  let start = 0;
  let bytes = 0;
  for (const [index, line] of lines.entries()) {
    if (index > start && bytes + line.bytes.length > MAX_FEED_FRAME_BYTES) {
      yield lines.slice(start, index);
      start = index;
      bytes = 0;
    }
    bytes += line.bytes.length;
  }
  if (start < lines.length) yield start === 0 ? lines : lines.slice(start);
}

function endOf(lines: readonly LogLine[]): Cursor | undefined {
  const last = lines.at(-1);
  return last === undefined ? undefined : { sequence: last.sequence, digest: last.digest };
}

/** Live listeners that get the same. */
interface Group {
  readonly filter: LineFilter;
  readonly listeners: Set<Listener>;
}

const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

export class Feed {
  /** By the filter's key. */
  private readonly live = new Map<string, Group>();
  private readonly lagging = new Set<Listener>();
  private readonly tail = new FeedTail(FEED_TAIL_BYTES);
  private readonly unsubscribe: () => void;
  /** What live listeners have been given; committed lines after it wait in `fresh` for the next turn. */
  private flushed: Cursor;
  private fresh: LogLine[] = [];
  private frames = 0;

  constructor(private readonly reader: LogReader) {
    this.flushed = reader.head();
    this.unsubscribe = reader.onCommit((lines) => this.committed(lines));
  }

  /** Starts after the cursor (absent: from the start). @throws HubError `diverged` for a cursor that is not of this log */
  async listen(
    socket: SessionSocket,
    filter: LineFilter,
    cursor: Cursor | undefined,
    fail: (error: unknown) => void,
  ): Promise<Listener> {
    const position = await this.startingAt(cursor);
    return { socket, filter, position, told: position, state: 'lagging', fail };
  }

  /** Begins to send: after `listening` was answered. */
  run(listener: Listener): void {
    if (listener.state === 'ended') return;
    this.lag(listener);
  }

  end(listener: Listener): void {
    listener.state = 'ended';
    this.lagging.delete(listener);
    this.leave(listener);
  }

  async startingAt(cursor: Cursor | undefined): Promise<number> {
    if (cursor === undefined) return 0;
    if (await this.reader.knows(cursor)) return cursor.sequence;
    throw new HubError(
      'diverged',
      `The cursor at sequence ${cursor.sequence} is not of this hub's history (its log ends at ${this.reader.head().sequence}): ` +
        'the hub was restored or is another one. Read again from the start.',
    );
  }

  /** Committed lines after a position, about `maxBytes` of them and at least one when there is one. */
  async read(sequence: number, maxBytes: number): Promise<readonly LogLine[]> {
    return this.tail.after(sequence, maxBytes) ?? (await this.reader.readAfter(sequence, maxBytes));
  }

  /** Tells listeners whose filter held everything back for a while how far they are. */
  tellCursors(): void {
    for (const { filter, listeners } of this.live.values()) {
      const waiting = isEverything(filter) ? [] : [...listeners].filter((each) => each.told < this.flushed.sequence);
      if (waiting.length === 0) continue;
      const frame = entriesFrame([], this.flushed);
      for (const listener of waiting) this.write(listener, frame, this.flushed);
    }
  }

  counts(): FeedCounts {
    let listeners = this.lagging.size;
    for (const group of this.live.values()) listeners += group.listeners.size;
    return { listeners, lagging: this.lagging.size, frames: this.frames };
  }

  close(): void {
    this.unsubscribe();
  }

  private committed(lines: readonly LogLine[]): void {
    if (this.fresh.length === 0) setImmediate(() => this.flush());
    // Acknowledgements of this batch go out first; batches committed until then share a frame.
    this.fresh.push(...lines);
  }

  private flush(): void {
    const lines = this.fresh;
    this.fresh = [];
    this.tail.add(lines);
    for (const part of framesOf(lines)) {
      const end = endOf(part);
      if (end === undefined) continue;
      this.flushed = end;
      for (const group of this.live.values()) this.deliver(group, part, end);
    }
  }

  private deliver({ filter, listeners }: Group, part: readonly LogLine[], end: Cursor): void {
    if (listeners.size === 0) return;
    const wanted = filtered(filter, part);
    const frame = wanted.length === 0 ? undefined : entriesFrame(wanted, end);
    for (const listener of listeners) {
      if (frame === undefined) listener.position = end.sequence;
      else if (listener.socket.offer(frame, MAX_UNSENT_FEED_BYTES)) this.sent(listener, end);
      else this.lag(listener);
    }
  }

  private write(listener: Listener, frame: Buffer, end: Cursor): void {
    listener.socket.send(frame);
    this.sent(listener, end);
  }

  private sent(listener: Listener, end: Cursor): void {
    listener.position = end.sequence;
    listener.told = end.sequence;
    this.frames++;
  }

  private leave(listener: Listener): void {
    const { key } = listener.filter;
    const group = this.live.get(key);
    group?.listeners.delete(listener);
    // There are many sets of origins, unlike masks: those of nobody do not pile up.
    if (group?.listeners.size === 0) this.live.delete(key);
  }

  private lag(listener: Listener): void {
    this.leave(listener);
    listener.state = 'lagging';
    this.lagging.add(listener);
    this.pump(listener).catch((error: unknown) => {
      this.end(listener);
      listener.fail(error);
    });
  }

  private bound(): number {
    const share = Math.floor(MAX_UNSENT_FEED_BYTES_TOTAL / Math.max(1, this.lagging.size));
    return Math.max(MIN_UNSENT_FEED_BYTES, Math.min(MAX_UNSENT_FEED_BYTES, share));
  }

  /** Sends ranges, each when the one before is nearly out, until the listener meets the live ones. */
  private async pump(listener: Listener): Promise<void> {
    for (;;) {
      const bound = this.bound();
      await listener.socket.drainedTo(bound / 2);
      // It may have what is committed and goes out in this turn: the flush must not send it again.
      while (listener.position > this.flushed.sequence) await nextTurn();
      if (!this.isLagging(listener)) return;
      if (listener.position === this.flushed.sequence) {
        this.join(listener);
        return;
      }
      const lines = await this.read(listener.position, Math.min(bound / 2, MAX_FEED_FRAME_BYTES));
      if (!this.isLagging(listener)) return;
      this.sendRange(listener, lines);
    }
  }

  private isLagging(listener: Listener): boolean {
    return listener.state === 'lagging' && listener.socket.isOpen();
  }

  private sendRange(listener: Listener, lines: readonly LogLine[]): void {
    const end = endOf(lines);
    if (end === undefined) {
      throw new HubError('store_failed', `The log after sequence ${listener.position} could not be read.`);
    }
    this.write(listener, entriesFrame(filtered(listener.filter, lines), end), end);
  }

  private join(listener: Listener): void {
    this.lagging.delete(listener);
    listener.state = 'live';
    const { filter } = listener;
    const group = this.live.get(filter.key);
    if (group === undefined) this.live.set(filter.key, { filter, listeners: new Set([listener]) });
    else group.listeners.add(listener);
  }
}
