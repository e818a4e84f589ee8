/**
 * Reads the whole log and says what state it is in (PROTOCOL.md, section "Recovery"): sound, a torn tail, or damaged.
 * Changes nothing.
 */
import type { Cursor } from '../../core/cursor';
import { checkLine, gapsOf, readLine, type LineFacts } from './check-line';
import type { DiskFile } from './disk';
import type { Gap, Watermark } from './meta';
import { scanLines, type RawLine } from './scan-lines';

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
  | { readonly kind: 'mismatch'; readonly reason: string };

export interface Examined {
  readonly state: LogState;
  /** The last good line before the first bad one. */
  readonly head: Cursor;
  /** Where that line ends. */
  readonly goodBytes: number;
  readonly goodLines: number;
  readonly fileBytes: number;
}

export interface ExamineOptions {
  readonly file: DiskFile;
  /** Digest of this hub's empty log. */
  readonly empty: Cursor;
  readonly watermark: Watermark;
  readonly closed: boolean;
  readonly gaps: readonly Gap[];
  /** Called for each good line, in order. */
  readonly onLine: (line: LineFacts, length: number) => void;
  readonly onProgress?: (doneBytes: number, allBytes: number) => void;
}

class Examiner {
  head: Cursor;
  goodBytes = 0;
  goodLines = 0;
  bad: BadLine | undefined;
  /** A good batch lies behind the bad line. */
  overtaken = false;
  markSeen: boolean;
  private readonly gaps;

  constructor(private readonly options: ExamineOptions) {
    this.head = options.empty;
    this.gaps = gapsOf(options.gaps);
    const { watermark, empty } = options;
    this.markSeen = watermark.length === 0 && watermark.sequence === 0 && watermark.digest === empty.digest;
  }

  visit(raw: RawLine): boolean {
    if (this.bad === undefined) this.judge(raw);
    else this.lookBehind(raw, this.bad);
    return this.overtaken;
  }

  private judge(raw: RawLine): void {
    const verdict = raw.tooLong
      ? ({ kind: 'bad', reason: `it is ${raw.length} bytes long, more than any entry` } as const)
      : raw.ended
        ? checkLine(raw.bytes, this.head, this.gaps)
        : ({ kind: 'bad', reason: 'it does not end with a line feed' } as const);
    if (verdict.kind === 'bad') {
      const expected = this.head.sequence + 1;
      const { offset, ended } = raw;
      this.bad = { lineNumber: this.goodLines + 1, offset, reason: verdict.reason, expected, ended };
      return;
    }
    const { line } = verdict;
    this.head = { sequence: line.sequence, digest: line.digest };
    this.goodBytes += raw.length;
    this.goodLines++;
    const { watermark } = this.options;
    if (this.goodBytes === watermark.length) {
      this.markSeen = line.sequence === watermark.sequence && line.digest === watermark.digest;
    }
    this.options.onLine(line, raw.length);
  }

  private lookBehind(raw: RawLine, bad: BadLine): void {
    if (!raw.ended || raw.tooLong) return;
    const facts = readLine(raw.bytes);
    if (typeof facts !== 'string' && facts.batchFirst > bad.expected) this.overtaken = true;
  }

  state(fileBytes: number): LogState {
    const { watermark, closed } = this.options;
    const { bad, head } = this;
    const cutShort = fileBytes < watermark.length;
    // Where the file just ends too early, that is what to say, not that its last line is half a line.
    const floor = cutShort ? (bad?.ended === false ? 0 : fileBytes) : closed ? Infinity : watermark.length;
    if (bad !== undefined && (this.overtaken || bad.offset < floor)) return { kind: 'damaged', bad };
    if (cutShort) {
      const entries = watermark.sequence - head.sequence;
      const bytes = watermark.length - fileBytes;
      return { kind: 'mismatch', reason: `entries.jsonl is behind meta.json by ${entries} entries (${bytes} bytes)` };
    }
    if (!this.markSeen) {
      const reason = `entries.jsonl and meta.json are of different histories: meta.json has sequence ${watermark.sequence} with digest ${watermark.digest} at byte ${watermark.length}, entries.jsonl has not`;
      return { kind: 'mismatch', reason };
    }
    if (closed && fileBytes > watermark.length) {
      const entries = head.sequence - watermark.sequence;
      const bytes = fileBytes - watermark.length;
      return { kind: 'mismatch', reason: `meta.json is behind entries.jsonl by ${entries} entries (${bytes} bytes)` };
    }
    return bad === undefined ? { kind: 'sound' } : { kind: 'torn', bad };
  }
}

export async function examineLog(options: ExamineOptions): Promise<Examined> {
  const fileBytes = await options.file.size();
  const examiner = new Examiner(options);
  await scanLines(options.file, 0, fileBytes, (raw) => {
    options.onProgress?.(raw.offset + raw.length, fileBytes);
    return examiner.visit(raw);
  });
  const { head, goodBytes, goodLines } = examiner;
  return { state: examiner.state(fileBytes), head, goodBytes, goodLines, fileBytes };
}
