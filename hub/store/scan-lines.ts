/** Reads a stretch of the log as runs of whole lines, in bounded memory. */
import { LF } from '../../core/characters';
import { MAX_FRAME_BYTES } from '../../core/limits';
import type { DiskFile } from './disk';

/** No line that a hub wrote is longer: one entry arrives in one frame, and its stamps are short. */
export const MAX_LINE_BYTES = MAX_FRAME_BYTES + 64 * 1024;
const WINDOW_BYTES = 1024 * 1024;

export type Stretch =
  /** One or more whole lines; ends with a line feed. The next stretch overwrites the bytes. */
  | { readonly kind: 'lines'; readonly bytes: Uint8Array; readonly offset: number }
  | { readonly kind: 'too_long'; readonly length: number; readonly offset: number }
  /** What is behind the last line feed. */
  | { readonly kind: 'unended'; readonly bytes: Uint8Array; readonly offset: number };

/** Return true to stop. */
export type VisitStretch = (stretch: Stretch) => boolean;

class Scanner {
  private window = Buffer.allocUnsafe(WINDOW_BYTES);
  private filled = 0;
  /** Length so far of a line that is longer than any may be. */
  private skipped = 0;

  constructor(
    private offset: number,
    private readonly visit: VisitStretch,
  ) {}

  /** Where to read more to. */
  free(): Uint8Array {
    if (this.filled === this.window.length) {
      const larger = Buffer.allocUnsafe(this.window.length * 2);
      this.window.copy(larger, 0, 0, this.filled);
      this.window = larger;
    }
    return this.window.subarray(this.filled);
  }

  /** @returns true when the visitor has seen enough */
  took(bytes: number): boolean {
    this.filled += bytes;
    if (this.skipped > 0 && this.endSkipped()) return true;
    const end = this.window.lastIndexOf(LF, this.filled - 1) + 1;
    if (end > 0) return this.emitLines(end);
    if (this.filled > MAX_LINE_BYTES) this.skip(this.filled);
    return false;
  }

  finish(): void {
    if (this.skipped > 0) this.visit({ kind: 'too_long', length: this.skipped + this.filled, offset: this.offset });
    else if (this.filled > 0) {
      this.visit({ kind: 'unended', bytes: this.window.subarray(0, this.filled), offset: this.offset });
    }
  }

  private emitLines(end: number): boolean {
    if (this.visit({ kind: 'lines', bytes: this.window.subarray(0, end), offset: this.offset })) return true;
    this.drop(end);
    this.offset += end;
    return false;
  }

  private skip(bytes: number): void {
    this.skipped += bytes;
    this.drop(bytes);
  }

  private endSkipped(): boolean {
    const end = this.window.subarray(0, this.filled).indexOf(LF) + 1;
    this.skip(end === 0 ? this.filled : end);
    if (end === 0) return false;
    const length = this.skipped;
    this.skipped = 0;
    if (this.visit({ kind: 'too_long', length, offset: this.offset })) return true;
    this.offset += length;
    return false;
  }

  private drop(bytes: number): void {
    this.window.copyWithin(0, bytes, this.filled);
    this.filled -= bytes;
  }
}

/** @param to offset where the stretch ends; the last line may be unfinished there */
export async function scanLines(file: DiskFile, from: number, to: number, visit: VisitStretch): Promise<void> {
  const scanner = new Scanner(from, visit);
  let position = from;
  while (position < to) {
    const free = scanner.free();
    const read = await file.read(free.length > to - position ? free.subarray(0, to - position) : free, position);
    if (read === 0) break;
    position += read;
    if (scanner.took(read)) return;
  }
  scanner.finish();
}
