/**
 * The fast way through the sound part of a long log: whole stretches are verified side by side, each from what the line
 * before it says of itself, and taken over in order. At the first that is not good it stops, and whoever called it reads on
 * from there line by line: what is wrong, and what follows from it, is judged in one place only.
 */
import { LF } from '../../core/characters';
import type { Cursor } from '../../core/cursor';
import { splitLine } from '../../core/line';
import { digestText } from './check-line';
import type { StretchFacts } from './check-stretch';
import type { DiskFile } from './disk';
import type { LogEnd } from './examine-log';
import type { Gap } from './meta';
import { MAX_LINE_BYTES } from './scan-lines';
import type { StretchCheckers } from './stretch-checkers';
import type { StretchDone } from './stretch-worker';

export interface VerifyAheadOptions {
  readonly file: DiskFile;
  readonly from: LogEnd;
  /** Offset that is not gone beyond. */
  readonly to: number;
  readonly gaps: readonly Gap[];
  readonly seed: number;
  readonly checkers: StretchCheckers;
  readonly onFacts: (bytes: Uint8Array, facts: StretchFacts) => void;
  readonly onProgress?: ((doneBytes: number) => void) | undefined;
}

interface UnderWay {
  readonly length: number;
  readonly done: Promise<StretchDone>;
}

/** What the last line of the stretch says of itself; undefined when it is no line. */
function statedHead(bytes: Buffer): Cursor | undefined {
  const start = bytes.lastIndexOf(LF, bytes.length - 2) + 1;
  const parts = splitLine(bytes, start, bytes.length - 1);
  return typeof parts === 'string' ? undefined : { sequence: parts.sequence, digest: digestText(bytes, parts) };
}

class Ahead {
  private readonly queue: UnderWay[] = [];
  private readonly spare: Buffer[] = [];
  /** Up to here everything is verified and taken over. */
  end: LogEnd;
  private position: number;
  private stated: Cursor;

  constructor(private readonly options: VerifyAheadOptions) {
    this.end = options.from;
    this.stated = options.from;
    this.position = options.from.length;
  }

  async run(): Promise<LogEnd> {
    let isSound = true;
    while (isSound) {
      const stretch = await this.read();
      if (stretch === undefined) break;
      this.begin(stretch.bytes, stretch.head);
      if (this.queue.length >= this.options.checkers.room) isSound = await this.takeOver();
    }
    while (isSound && this.queue.length > 0) isSound = await this.takeOver();
    await Promise.all(this.queue.map(({ done }) => done));
    return this.end;
  }

  /** @returns undefined at the end, and for what is no run of lines */
  private async read(): Promise<{ bytes: Buffer; head: Cursor } | undefined> {
    const { file, to, checkers } = this.options;
    let window = this.spare.pop() ?? this.window(checkers.stretchBytes);
    for (; ; window = this.window(window.length * 2)) {
      const most = Math.min(window.length, to - this.position);
      const read = most <= 0 ? 0 : await file.read(window.subarray(0, most), this.position);
      const length = read === 0 ? 0 : window.lastIndexOf(LF, read - 1) + 1;
      const bytes = window.subarray(0, length);
      const head = length === 0 ? undefined : statedHead(bytes);
      if (head !== undefined) return { bytes, head };
      if (length > 0 || read < window.length || window.length > MAX_LINE_BYTES) return undefined;
    }
  }

  /** Not of Node's pool: it is handed to another thread as a whole. */
  private window(length: number): Buffer {
    return Buffer.allocUnsafeSlow(length);
  }

  private begin(bytes: Buffer, head: Cursor): void {
    const { checkers, gaps, seed } = this.options;
    const { length } = bytes;
    const { sequence, digest } = this.stated;
    this.queue.push({ length, done: checkers.check({ bytes, after: { sequence, digest }, gaps, seed }) });
    this.position += length;
    this.stated = head;
  }

  /** @returns whether the next stretch was good */
  private async takeOver(): Promise<boolean> {
    const next = this.queue.shift();
    if (next === undefined) return false;
    const { bytes, facts } = await next.done;
    if (facts === undefined) return false;
    const { onFacts, onProgress } = this.options;
    onFacts(bytes, facts);
    const { length, lines } = this.end;
    this.end = { ...facts.head, length: length + next.length, lines: lines + facts.lengths.length };
    this.spare.push(Buffer.from(bytes.buffer));
    onProgress?.(this.end.length);
    return true;
  }
}

/** @returns the end of what was verified */
export function verifyAhead(options: VerifyAheadOptions): Promise<LogEnd> {
  return new Ahead(options).run();
}
