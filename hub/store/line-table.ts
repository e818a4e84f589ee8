/** Where each line of the log starts, in about 4 bytes per line: lengths, and a sum at every 64th. */

const CHUNK_LINES = 65_536;
const SUM_EVERY = 64;

interface Chunk {
  readonly lengths: Uint32Array;
  readonly sums: Float64Array;
}

export class LineTable {
  private readonly chunks: Chunk[] = [];
  private lines = 0;
  private end = 0;

  /** How many lines. */
  get count(): number {
    return this.lines;
  }

  /** Length of the log in bytes. */
  get length(): number {
    return this.end;
  }

  /** @param length of the line in bytes, with its line feed */
  add(length: number): void {
    const within = this.lines % CHUNK_LINES;
    if (within === 0) {
      this.chunks.push({
        lengths: new Uint32Array(CHUNK_LINES),
        sums: new Float64Array(CHUNK_LINES / SUM_EVERY),
      });
    }
    const chunk = this.chunkOf(this.lines);
    if (within % SUM_EVERY === 0) chunk.sums[within / SUM_EVERY] = this.end;
    chunk.lengths[within] = length;
    this.lines++;
    this.end += length;
  }

  /** Offset of a line's first byte; the log's length for the line that comes next. */
  start(ordinal: number): number {
    if (ordinal === this.lines) return this.end;
    const { lengths, sums } = this.chunkOf(ordinal);
    const within = ordinal % CHUNK_LINES;
    let offset = sums[Math.floor(within / SUM_EVERY)] ?? 0;
    for (let at = within - (within % SUM_EVERY); at < within; at++) offset += lengths[at] ?? 0;
    return offset;
  }

  lengthOf(ordinal: number): number {
    return this.chunkOf(ordinal).lengths[ordinal % CHUNK_LINES] ?? 0;
  }

  get bytes(): number {
    return this.chunks.length * (CHUNK_LINES * 4 + (CHUNK_LINES / SUM_EVERY) * 8);
  }

  private chunkOf(ordinal: number): Chunk {
    const chunk = this.chunks[Math.floor(ordinal / CHUNK_LINES)];
    if (chunk === undefined || ordinal < 0) throw new Error(`line ${ordinal} is outside the log`);
    return chunk;
  }
}
