/**
 * Finds every bad region of a log and where good lines go on behind it, for `ctx hub verify` and `repair`. A line behind a
 * bad region counts as good only if the chain proves it; where the line before it is gone, if the line after it does.
 */
import { LF } from '../../core/characters';
import type { Cursor } from '../../core/cursor';
import { splitLine, type LineParts } from '../../core/line';
import { ChainChecker, digestText } from './check-line';
import type { DiskFile } from './disk';
import { typeAt } from './log-ranges';
import type { Gap, Watermark } from './meta';
import { scanLines } from './scan-lines';
import { sha256Hex } from './sha256';

export interface BadRegion {
  readonly offset: number;
  /** 0 where lines are missing and nothing stands in their place. */
  readonly length: number;
  /** Of its first line, from 1, and how many there are. */
  readonly lineNumber: number;
  readonly lines: number;
  readonly reason: string;
  /** Sequences that are gone; undefined = none (a line too many). */
  readonly lost: { readonly first: number; readonly last: number } | undefined;
  /** SHA-256 of the first good line after it, which once the region is gone has nothing before it to be chained to. */
  readonly nextSha256: string | undefined;
  /** Whether the chain proves that line, or nothing but its own word. */
  readonly nextIsProven: boolean;
  /** Whether it reaches to the end of the file. */
  readonly atEnd: boolean;
}

export interface Survey {
  readonly regions: readonly BadRegion[];
  /** The last good line of the whole file. */
  readonly head: Cursor;
  readonly goodLines: number;
  readonly fileBytes: number;
}

export interface SurveyOptions {
  readonly file: DiskFile;
  readonly empty: Cursor;
  readonly gaps: readonly Gap[];
  /** Of the meta.json that belongs to the log, when there is one. */
  readonly watermark: Watermark | undefined;
  readonly onProgress?: ((doneBytes: number, allBytes: number) => void) | undefined;
}

/** A line that may be good, but whose line before is gone. */
interface Unproven {
  readonly offset: number;
  readonly end: number;
  readonly lineNumber: number;
  readonly at: Cursor;
  /** A batch after the one that belongs at the region's start: not the rest of a torn write. */
  readonly isLater: boolean;
  readonly sha256: string;
}

interface OpenRegion {
  readonly offset: number;
  readonly lineNumber: number;
  readonly reason: string;
  readonly expected: number;
  /** What the line just before says of itself. */
  stated: Cursor | undefined;
  unproven: Unproven | undefined;
  /** The last sequence of later batches in it. */
  lastLater: number;
}

class Surveyor {
  readonly regions: BadRegion[] = [];
  goodLines = 0;
  private lineNumber = 0;
  private checker: ChainChecker;
  private open: OpenRegion | undefined;

  constructor(private readonly options: SurveyOptions) {
    this.checker = new ChainChecker(options.empty, options.gaps);
  }

  get head(): Cursor {
    return this.checker.head;
  }

  line(bytes: Uint8Array, start: number, end: number, offset: number): void {
    this.lineNumber++;
    const verdict = this.checker.check(bytes, start, end);
    if (typeof verdict !== 'string') {
      this.close(offset, this.lineNumber, undefined, undefined);
      this.goodLines++;
      return;
    }
    const { open } = this;
    if (open === undefined) this.begin(bytes, start, end, offset, verdict);
    else this.inside(open, bytes, start, end, offset);
  }

  /** What cannot be a line. */
  noLine(offset: number, reason: string): void {
    this.lineNumber++;
    if (this.open === undefined) this.begin(new Uint8Array(0), 0, 0, offset, reason);
    else this.unreadable(this.open, new Uint8Array(0), 0, 0, offset, reason);
  }

  /** A line of which nothing can be read: one before it that nothing speaks against is kept, and a new region begins. */
  private unreadable(
    open: OpenRegion,
    bytes: Uint8Array,
    start: number,
    end: number,
    offset: number,
    reason: string,
  ): void {
    const { unproven } = open;
    if (unproven !== undefined && this.isNoTail(unproven)) {
      this.keep(unproven);
      this.begin(bytes, start, end, offset, reason);
    } else {
      open.stated = undefined;
      open.unproven = undefined;
    }
  }

  /** Not the rest of a write that was torn before its end. */
  private isNoTail({ isLater, offset, at }: Unproven): boolean {
    const mark = this.options.watermark;
    return isLater || at.digest === mark?.digest || offset < (mark?.length ?? 0);
  }

  private keep({ at, offset, lineNumber, sha256 }: Unproven): void {
    this.checker = new ChainChecker(at, this.options.gaps);
    this.goodLines++;
    this.close(offset, lineNumber, at.sequence - 1, { sha256, isProven: false });
  }

  private begin(bytes: Uint8Array, start: number, end: number, offset: number, reason: string): void {
    const { expected } = this.checker;
    const parts = splitLine(bytes, start, end);
    this.open = {
      offset,
      lineNumber: this.lineNumber,
      reason,
      expected,
      stated: undefined,
      unproven: undefined,
      lastLater: 0,
    };
    if (typeof parts === 'string') return;
    this.noteStated(this.open, bytes, parts);
    // Lines are missing before it: nothing proves it, but nothing speaks against it either.
    if (parts.sequence > expected) this.open.unproven = this.unprovenLine(bytes, parts, end, offset);
  }

  private noteStated(open: OpenRegion, bytes: Uint8Array, parts: LineParts): void {
    open.stated = { sequence: parts.sequence, digest: digestText(bytes, parts) };
    if (parts.batchFirst > open.expected) open.lastLater = Math.max(open.lastLater, parts.sequence);
  }

  private unprovenLine(bytes: Uint8Array, parts: LineParts, end: number, offset: number): Unproven | undefined {
    const line = bytes.subarray(parts.start, end);
    if (typeAt(bytes, parts) === undefined) return undefined;
    const mark = this.options.watermark;
    if (mark !== undefined && offset < mark.length && parts.sequence > mark.sequence) return undefined;
    try {
      JSON.parse(Buffer.from(line).toString('utf8'));
    } catch {
      return undefined; // Certainly changed.
    }
    const at = { sequence: parts.sequence, digest: digestText(bytes, parts) };
    const isLater = parts.batchFirst > this.checker.expected;
    const { lineNumber } = this;
    return { offset, end: offset + line.length + 1, lineNumber, at, isLater, sha256: sha256Hex(line) };
  }

  private inside(open: OpenRegion, bytes: Uint8Array, start: number, end: number, offset: number): void {
    const parts = splitLine(bytes, start, end);
    if (typeof parts === 'string') {
      this.unreadable(open, bytes, start, end, offset, parts);
      return;
    }
    const { stated, unproven } = open;
    if (stated !== undefined && stated.sequence >= open.expected && this.follows(stated, bytes, start, end)) {
      const own = { offset, lineNumber: this.lineNumber, first: parts.sequence };
      const next = unproven === undefined ? own : firstOf(unproven);
      this.goodLines += unproven === undefined ? 1 : 2;
      const sha256 = unproven?.sha256 ?? sha256Hex(bytes.subarray(start, end));
      this.close(next.offset, next.lineNumber, next.first - 1, { sha256, isProven: unproven === undefined });
      return;
    }
    this.noteStated(open, bytes, parts);
    // Where the line before can be read and speaks against it, it stays bad; so does one that claims to follow the last
    // good line.
    open.unproven =
      stated === undefined && parts.sequence > open.expected ? this.unprovenLine(bytes, parts, end, offset) : undefined;
  }

  /** Whether the line is the next in the chain after what another says of itself; if so, the chain goes on from it. */
  private follows(before: Cursor, bytes: Uint8Array, start: number, end: number): boolean {
    const checker = new ChainChecker(before, this.options.gaps);
    if (typeof checker.check(bytes, start, end) === 'string') return false;
    this.checker = checker;
    return true;
  }

  /** @param lastLost undefined = no sequence is gone */
  private close(offset: number, lineNumber: number, lastLost: number | undefined, next: NextLine | undefined): void {
    const { open } = this;
    if (open === undefined) return;
    this.open = undefined;
    this.regions.push({
      offset: open.offset,
      length: offset - open.offset,
      lineNumber: open.lineNumber,
      lines: lineNumber - open.lineNumber,
      reason: open.reason,
      lost: lastLost === undefined || lastLost < open.expected ? undefined : { first: open.expected, last: lastLost },
      nextSha256: next?.sha256,
      nextIsProven: next?.isProven ?? true,
      atEnd: false,
    });
  }

  finish(fileBytes: number): void {
    const { open } = this;
    const mark = this.options.watermark;
    if (open === undefined) return;
    const { unproven } = open;
    // The last line of all has none after it that could speak for it.
    if (unproven?.end === fileBytes && this.isNoTail(unproven)) {
      this.keep(unproven);
      return;
    }
    this.close(fileBytes, this.lineNumber + 1, undefined, undefined);
    const region = this.regions.pop();
    const last = Math.max(mark?.sequence ?? 0, open.lastLater);
    const lost = last < open.expected ? undefined : { first: open.expected, last };
    if (region !== undefined) this.regions.push({ ...region, lost, atEnd: true });
  }
}

interface NextLine {
  readonly sha256: string;
  readonly isProven: boolean;
}

function firstOf(line: Unproven): { offset: number; lineNumber: number; first: number } {
  return { offset: line.offset, lineNumber: line.lineNumber, first: line.at.sequence };
}

export async function surveyLog(options: SurveyOptions): Promise<Survey> {
  const fileBytes = await options.file.size();
  const surveyor = new Surveyor(options);
  await scanLines(options.file, 0, fileBytes, (stretch) => {
    options.onProgress?.(stretch.offset, fileBytes);
    if (stretch.kind === 'too_long')
      surveyor.noLine(stretch.offset, `it is ${stretch.length} bytes long, more than any entry`);
    else if (stretch.kind === 'unended') surveyor.noLine(stretch.offset, 'it does not end with a line feed');
    else {
      const { bytes, offset } = stretch;
      for (let start = 0; start < bytes.length;) {
        const end = bytes.indexOf(LF, start);
        surveyor.line(bytes, start, end, offset + start);
        start = end + 1;
      }
    }
    return false;
  });
  surveyor.finish(fileBytes);
  const { regions, head, goodLines } = surveyor;
  return { regions, head, goodLines, fileBytes };
}
