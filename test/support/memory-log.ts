/** A log in memory and sockets without a network: what the feed needs, under a test's control. */
import { ENTRY_TYPES } from '../../core/entry';
import type { Cursor } from '../../core/cursor';
import { emptyLogDigest, encodeLine } from '../../core/line';
import type { SessionSocket } from '../../hub/server/session-socket';
import type { LogLine, LogReader } from '../../hub/store/log-reader';
import { sha256 } from './sha256';

const HUB_ID = '00000000-0000-4000-8000-000000000000';

export class MemoryLog implements LogReader {
  readonly hubId = HUB_ID;
  readonly lines: LogLine[] = [];
  private readonly listeners = new Set<(lines: readonly LogLine[]) => void>();
  reads = 0;
  private asked = 0;

  readonly head = (): Cursor => {
    const last = this.lines.at(-1);
    return last === undefined
      ? { sequence: 0, digest: emptyLogDigest(HUB_ID, sha256) }
      : { sequence: last.sequence, digest: last.digest };
  };

  cursorAt(sequence: number): Cursor {
    const line = this.lines[sequence - 1];
    return line === undefined
      ? { sequence: 0, digest: emptyLogDigest(HUB_ID, sha256) }
      : { sequence, digest: line.digest };
  }

  /** Commits a batch of entries with the given content sizes; types and origins go round. */
  commit(sizes: readonly number[]): void {
    const batchFirst = this.lines.length + 1;
    const batch = sizes.map((size): LogLine => {
      const sequence = this.lines.length + 1;
      const type = ENTRY_TYPES[sequence % ENTRY_TYPES.length] ?? 'task';
      const { text, digest } = encodeLine(
        sha256,
        {
          id: `e-${sequence}`,
          type,
          content: 'x'.repeat(Math.max(1, size)),
          origin: sequence % 3 === 0 ? 'beta' : 'alpha',
          client: 'ada@laptop',
          timestamp: '2026-01-31T09:30:00Z',
          received_at: '2026-01-31T09:30:00.000Z',
          sequence,
        },
        this.head().digest,
        batchFirst,
      );
      const line = { sequence, type, digest, bytes: Buffer.from(text) };
      this.lines.push(line);
      return line;
    });
    for (const listener of this.listeners) listener(batch);
  }

  readonly readAfter = async (sequence: number, maxBytes: number): Promise<readonly LogLine[]> => {
    this.reads++;
    await this.pause();
    const found: LogLine[] = [];
    let bytes = 0;
    for (const line of this.lines.slice(sequence)) {
      bytes += line.bytes.length;
      if (bytes > maxBytes && found.length > 0) break;
      found.push(line);
    }
    return found;
  };

  readonly knows = async (cursor: Cursor): Promise<boolean> => {
    await this.pause();
    return this.cursorAt(cursor.sequence).digest === cursor.digest;
  };

  /** Every other answer takes a turn of the event loop, the rest come at once. */
  private async pause(): Promise<void> {
    if (this.asked++ % 2 === 1) await new Promise((resolve) => setImmediate(resolve));
  }

  readonly onCommit = (listener: (lines: readonly LogLine[]) => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
}

/** The payload of an unmasked text frame (RFC 6455, 5.2), whose length must fit exactly. */
export function payloadOf(frame: Uint8Array): string {
  const buffer = Buffer.from(frame);
  const short = buffer.readUInt8(1);
  const [length, at] =
    short < 126 ? [short, 2] : short === 126 ? [buffer.readUInt16BE(2), 4] : [Number(buffer.readBigUInt64BE(2)), 10];
  if (buffer[0] !== 0x81 || buffer.length !== at + length) throw new Error('not one whole text frame');
  return buffer.toString('utf8', at);
}

/** A connection whose other side reads only when told to. */
export class FakeSocket implements SessionSocket {
  readonly received: unknown[] = [];
  private waiting: Uint8Array[] = [];
  private waiters: { readonly bytes: number; readonly done: () => void }[] = [];
  private open = true;
  mostUnsent = 0;

  readonly send = (frame: Uint8Array): void => {
    if (!this.open) return;
    this.waiting.push(frame);
    this.mostUnsent = Math.max(this.mostUnsent, this.unsentBytes());
  };
  readonly sendSoon = this.send;
  readonly offer = (frame: Uint8Array, mostUnsent: number): boolean => {
    if (this.unsentBytes() > mostUnsent) return false;
    this.send(frame);
    return true;
  };
  readonly unsentBytes = (): number => this.waiting.reduce((sum, frame) => sum + frame.length, 0);
  readonly drainedTo = (bytes: number): Promise<void> =>
    new Promise((resolve) => {
      this.waiters.push({ bytes, done: resolve });
      this.wake();
    });
  readonly isOpen = (): boolean => this.open;
  readonly pause = (): void => undefined;
  readonly resume = (): void => undefined;
  readonly close = (): void => this.terminate();
  readonly terminate = (): void => {
    this.open = false;
    this.wake();
  };

  /** The other side reads that many frames. */
  read(frames = Infinity): void {
    for (const frame of this.waiting.splice(0, frames)) this.received.push(JSON.parse(payloadOf(frame)));
    this.wake();
  }

  private wake(): void {
    const unsent = this.open ? this.unsentBytes() : 0;
    const ready = this.waiters.filter((each) => unsent <= each.bytes);
    this.waiters = this.waiters.filter((each) => unsent > each.bytes);
    for (const each of ready) each.done();
  }
}
