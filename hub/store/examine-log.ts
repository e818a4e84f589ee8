/**
 * Reads the log, or its end, and says what state it is in (PROTOCOL.md, section "Recovery"): sound, a torn tail, or damaged.
 * Changes nothing.
 */
import { LF } from '../../core/characters';
import type { Cursor } from '../../core/cursor';
import { splitLine, type LineParts } from '../../core/line';
import { ChainChecker } from './check-line';
import type { DiskFile } from './disk';
import type { Gap, Watermark } from './meta';
import { scanLines, type Stretch } from './scan-lines';

export interface BadLine {
  /** From 1. */
  readonly lineNumber: number;
  readonly offset: number;
  readonly reason: string;
  /** The sequence that belongs there. */
  readonly expected: number;
  /** Whether it ends with a line feed. */
  readonly ended: boolean;
}

export type LogState =
  | { readonly kind: 'sound' }
  /** Everything from `bad` on was never acknowledged. */
  | { readonly kind: 'torn'; readonly bad: BadLine }
  | { readonly kind: 'damaged'; readonly bad: BadLine }
  /** The good lines are not those of the watermark: one of log and meta.json is of another time or hub. */
  | {
      readonly kind: 'mismatch';
      readonly reason: string;
      /** The log ends within a line. */ readonly halfLine: boolean;
    };

/** The end of good lines. */
export interface LogEnd extends Cursor {
  /** Bytes and lines up to there. */
  readonly length: number;
  readonly lines: number;
}

export interface Examined {
  readonly state: LogState;
  /** Of the good lines before the first bad one. */
  readonly end: LogEnd;
  readonly fileBytes: number;
}

export interface ExamineOptions {
  readonly file: DiskFile;
  /** Where to begin: the empty log, or an end that is known to be good. */
  readonly from: LogEnd;
  readonly watermark: Watermark;
  readonly closed: boolean;
  readonly gaps: readonly Gap[];
  /** Good lines, in order: bytes of a whole run, and the parts of each line in them. */
  readonly onLines: (bytes: Uint8Array, parts: readonly LineParts[]) => void;
  readonly onProgress?: ((doneBytes: number, allBytes: number) => void) | undefined;
}

class Examiner {
  private length: number;
  private lines: number;
  bad: BadLine | undefined;
  /** A good batch lies behind the bad line. */
  private overtaken = false;
  private markSeen: boolean;
  private readonly checker: ChainChecker;

  constructor(private readonly options: ExamineOptions) {
    const { from, watermark } = options;
    this.checker = new ChainChecker(from, options.gaps);
    this.length = from.length;
    this.lines = from.lines;
    this.markSeen = this.isMark() || watermark.length < from.length;
  }

  get end(): LogEnd {
    return { ...this.checker.head, length: this.length, lines: this.lines };
  }

  /** @returns true when there is no need to read on */
  visit(stretch: Stretch): boolean {
    switch (stretch.kind) {
      case 'lines':
        this.visitLines(stretch.bytes, stretch.offset);
        break;
      case 'too_long':
        this.found(stretch.offset, `it is ${stretch.length} bytes long, more than any entry`, true);
        break;
      case 'unended':
        this.found(stretch.offset, 'it does not end with a line feed', false);
        break;
    }
    return this.overtaken;
  }

  private visitLines(bytes: Uint8Array, offset: number): void {
    const good: LineParts[] = [];
    let start = 0;
    while (start < bytes.length && this.bad === undefined) {
      const lineEnd = bytes.indexOf(LF, start);
      const verdict = this.checker.check(bytes, start, lineEnd);
      if (typeof verdict === 'string') {
        this.found(offset + start, verdict, true);
        break;
      }
      good.push(verdict);
      start = lineEnd + 1;
      this.length += start - verdict.start;
      this.lines++;
      if (this.length === this.options.watermark.length) this.markSeen = this.isMark();
    }
    if (good.length > 0) this.options.onLines(bytes.subarray(0, start), good);
    if (this.bad !== undefined) this.lookBehind(bytes, start, this.bad);
  }

  private isMark(): boolean {
    const { watermark } = this.options;
    const { sequence, digest } = this.checker.head;
    return this.length === watermark.length && sequence === watermark.sequence && digest === watermark.digest;
  }

  private found(offset: number, reason: string, ended: boolean): void {
    const { expected } = this.checker;
    this.bad ??= { lineNumber: this.lines + 1, offset, reason, expected, ended };
  }

  private lookBehind(bytes: Uint8Array, from: number, bad: BadLine): void {
    for (let start = from; start < bytes.length && !this.overtaken;) {
      const lineEnd = bytes.indexOf(LF, start);
      const parts = splitLine(bytes, start, lineEnd);
      if (typeof parts !== 'string' && parts.batchFirst > bad.expected) this.overtaken = true;
      start = lineEnd + 1;
    }
  }

  private mismatch(reason: string): LogState {
    return { kind: 'mismatch', reason, halfLine: this.bad !== undefined };
  }

  state(fileBytes: number): LogState {
    const { watermark, closed } = this.options;
    const { bad, end } = this;
    const cutShort = fileBytes < watermark.length;
    // Where the file just ends too early, that is what to say, not that its last line is half a line.
    const floor = cutShort ? (bad?.ended === false ? 0 : fileBytes) : closed ? Infinity : watermark.length;
    if (bad !== undefined && (this.overtaken || bad.offset < floor)) return { kind: 'damaged', bad };
    if (cutShort) {
      const entries = watermark.sequence - end.sequence;
      const bytes = watermark.length - fileBytes;
      return this.mismatch(`entries.jsonl is behind meta.json by ${entries} entries (${bytes} bytes)`);
    }
    if (!this.markSeen) {
      const mark = `sequence ${watermark.sequence} with digest ${watermark.digest} at byte ${watermark.length}`;
      return this.mismatch(
        `entries.jsonl and meta.json are of different histories: meta.json has ${mark}, entries.jsonl has not`,
      );
    }
    if (closed && fileBytes > watermark.length) {
      const entries = end.sequence - watermark.sequence;
      const bytes = fileBytes - watermark.length;
      return this.mismatch(`meta.json is behind entries.jsonl by ${entries} entries (${bytes} bytes)`);
    }
    return bad === undefined ? { kind: 'sound' } : { kind: 'torn', bad };
  }
}

export async function examineLog(options: ExamineOptions): Promise<Examined> {
  const fileBytes = await options.file.size();
  const examiner = new Examiner(options);
  await scanLines(options.file, options.from.length, fileBytes, (stretch) => {
    options.onProgress?.(stretch.offset, fileBytes);
    return examiner.visit(stretch);
  });
  return { state: examiner.state(fileBytes), end: examiner.end, fileBytes };
}
