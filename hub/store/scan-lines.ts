/** Cuts a stretch of the log into lines, in bounded memory. */
import { MAX_FRAME_BYTES } from '../../core/limits';
import type { DiskFile } from './disk';

/** No line that a hub wrote is longer: one entry arrives in one frame, and its stamps are short. */
export const MAX_LINE_BYTES = MAX_FRAME_BYTES + 64 * 1024;
const CHUNK_BYTES = 1024 * 1024;
const LF = 0x0a;

export interface RawLine {
  /** Without its line feed; only the first bytes of a line that is too long. A view that later lines overwrite. */
  readonly bytes: Uint8Array;
  readonly offset: number;
  /** With its line feed. */
  readonly length: number;
  /** False for the last line of a file that does not end with a line feed. */
  readonly ended: boolean;
  readonly tooLong: boolean;
}

/** Return true to stop. */
export type VisitLine = (line: RawLine) => boolean;

/** Keeps what lies between two reads. */
class Gatherer {
  private held: Uint8Array[] = [];
  private heldBytes = 0;
  private lineStart: number;

  constructor(
    from: number,
    private readonly visit: VisitLine,
  ) {
    this.lineStart = from;
  }

  /** @returns true when the visitor has seen enough */
  take(chunk: Uint8Array): boolean {
    let at = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, at)) {
      if (this.emit(chunk.subarray(at, end), true)) return true;
      at = end + 1;
    }
    this.hold(chunk.subarray(at));
    return false;
  }

  finish(): void {
    if (this.heldBytes > 0) this.emit(new Uint8Array(0), false);
  }

  private hold(rest: Uint8Array): void {
    if (rest.length === 0) return;
    if (this.heldBytes <= MAX_LINE_BYTES) this.held.push(Uint8Array.from(rest));
    this.heldBytes += rest.length;
  }

  private emit(rest: Uint8Array, ended: boolean): boolean {
    const bytes = this.held.length === 0 ? rest : Buffer.concat([...this.held, rest]);
    const length = this.heldBytes + rest.length + (ended ? 1 : 0);
    const offset = this.lineStart;
    this.held = [];
    this.heldBytes = 0;
    this.lineStart += length;
    return this.visit({ bytes, offset, length, ended, tooLong: length > MAX_LINE_BYTES });
  }
}

/** @param to offset where the stretch ends; the last line may be unfinished there */
export async function scanLines(file: DiskFile, from: number, to: number, visit: VisitLine): Promise<void> {
  const gatherer = new Gatherer(from, visit);
  const buffer = Buffer.allocUnsafe(Math.max(1, Math.min(CHUNK_BYTES, to - from)));
  let position = from;
  while (position < to) {
    const read = await file.read(buffer.subarray(0, Math.min(buffer.length, to - position)), position);
    if (read === 0) break;
    position += read;
    if (gatherer.take(buffer.subarray(0, read))) return;
  }
  gatherer.finish();
}
