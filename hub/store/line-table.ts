/**
 * Where each line of the log lies and what its bytes were, in about 5 bytes per line: lengths, and an offset and a CRC-32 per
 * block of lines. The CRC is taken when the bytes are known to be good, so that whatever changes later is never served.
 */
import { crc32 } from 'node:zlib';

const CHUNK_LINES = 65_536;
/** A block is full with this many lines, or with this many bytes. */
const BLOCK_LINES = 64;
const BLOCK_BYTES = 64 * 1024;
const FIRST_BLOCKS = 1024;

export interface Block {
  readonly number: number;
  /** Ordinal of its first line, and of the first line after it. */
  readonly first: number;
  readonly end: number;
  readonly offset: number;
  readonly endOffset: number;
  readonly crc: number;
}

/** The lines of a log, by ordinal: 0, 1, 2, … */
export class LineTable {
  private readonly lengths: Uint32Array[] = [];
  private lines = 0;
  private bytesEnd = 0;
  private blocks = 0;
  private firsts = new Uint32Array(FIRST_BLOCKS);
  private offsets = new Float64Array(FIRST_BLOCKS);
  private crcs = new Uint32Array(FIRST_BLOCKS);

  /** How many lines. */
  get count(): number {
    return this.lines;
  }

  /** Length of the log in bytes. */
  get length(): number {
    return this.bytesEnd;
  }

  get memoryBytes(): number {
    return this.lengths.length * CHUNK_LINES * 4 + this.firsts.length * 16;
  }

  /**
   * Takes in good lines that lie one after the other.
   * @param lengths of each line, with its line feed
   */
  append(bytes: Uint8Array, lengths: Iterable<number>): void {
    let from = 0;
    let at = 0;
    for (const length of lengths) {
      if (this.lastBlockIsFull()) {
        this.addCrc(bytes.subarray(from, at));
        from = at;
        this.openBlock();
      }
      this.addLength(length);
      at += length;
    }
    this.addCrc(bytes.subarray(from, at));
  }

  lengthOf(ordinal: number): number {
    const chunk = this.lengths[Math.floor(ordinal / CHUNK_LINES)];
    if (chunk === undefined || ordinal < 0 || ordinal >= this.lines) throw new Error(`no line ${ordinal} in the log`);
    return chunk[ordinal % CHUNK_LINES] ?? 0;
  }

  /** Offset of a line's first byte; the log's length for the line that comes next. */
  offsetOf(ordinal: number): number {
    if (ordinal === this.lines) return this.bytesEnd;
    const number = this.blockNumberOf(ordinal);
    let offset = this.offsets[number] ?? 0;
    for (let each = this.firsts[number] ?? 0; each < ordinal; each++) offset += this.lengthOf(each);
    return offset;
  }

  blockOf(ordinal: number): Block {
    return this.block(this.blockNumberOf(ordinal));
  }

  block(number: number): Block {
    const last = number === this.blocks - 1;
    return {
      number,
      first: this.firsts[number] ?? 0,
      end: last ? this.lines : (this.firsts[number + 1] ?? 0),
      offset: this.offsets[number] ?? 0,
      endOffset: last ? this.bytesEnd : (this.offsets[number + 1] ?? 0),
      crc: this.crcs[number] ?? 0,
    };
  }

  /** The blocks that hold these lines. */
  blocksOf(first: number, end: number): readonly Block[] {
    const blocks: Block[] = [];
    for (let block = this.blockOf(first); ; block = this.block(block.number + 1)) {
      blocks.push(block);
      if (block.end >= end) return blocks;
    }
  }

  get blockCount(): number {
    return this.blocks;
  }

  /** Every length and CRC, for the checkpoint. */
  snapshot(): { lengths: Uint32Array; crcs: Uint32Array } {
    const lengths = new Uint32Array(this.lines);
    for (let i = 0; i < this.lengths.length; i++) {
      const chunk = this.lengths[i] ?? new Uint32Array(0);
      lengths.set(chunk.subarray(0, Math.min(CHUNK_LINES, this.lines - i * CHUNK_LINES)), i * CHUNK_LINES);
    }
    return { lengths, crcs: this.crcs.slice(0, this.blocks) };
  }

  /** The table that {@link snapshot} was taken of; undefined when the numbers do not fit together. */
  static restore(lengths: Uint32Array, crcs: Uint32Array): LineTable | undefined {
    const table = new LineTable();
    for (let at = 0; at < lengths.length; at += CHUNK_LINES) {
      const chunk = new Uint32Array(CHUNK_LINES);
      chunk.set(lengths.subarray(at, at + CHUNK_LINES));
      table.lengths.push(chunk);
    }
    table.findBlocks(lengths);
    if (table.blocks !== crcs.length) return undefined;
    table.crcs.set(crcs);
    return table;
  }

  /** What {@link append} comes to line by line, in one tight loop: a start waits for it. */
  private findBlocks(lengths: Uint32Array): void {
    let linesLeft = 0;
    let bytesLeft = 0;
    for (const length of lengths) {
      if (linesLeft <= 0 || bytesLeft <= 0) {
        this.openBlock();
        linesLeft = BLOCK_LINES;
        bytesLeft = BLOCK_BYTES;
      }
      this.lines++;
      this.bytesEnd += length;
      linesLeft--;
      bytesLeft -= length;
    }
  }

  private addLength(length: number): void {
    if (this.blocks === 0) this.openBlock();
    const within = this.lines % CHUNK_LINES;
    if (within === 0) this.lengths.push(new Uint32Array(CHUNK_LINES));
    const chunk = this.lengths[this.lengths.length - 1];
    if (chunk !== undefined) chunk[within] = length;
    this.lines++;
    this.bytesEnd += length;
  }

  private lastBlockIsFull(): boolean {
    if (this.blocks === 0) return false;
    const last = this.blocks - 1;
    return (
      this.lines - (this.firsts[last] ?? 0) >= BLOCK_LINES || this.bytesEnd - (this.offsets[last] ?? 0) >= BLOCK_BYTES
    );
  }

  private openBlock(): void {
    if (this.blocks === this.firsts.length) this.growBlocks();
    this.firsts[this.blocks] = this.lines;
    this.offsets[this.blocks] = this.bytesEnd;
    this.crcs[this.blocks] = 0;
    this.blocks++;
  }

  private growBlocks(): void {
    const room = this.blocks * 2;
    const { firsts, offsets, crcs } = this;
    (this.firsts = new Uint32Array(room)).set(firsts);
    (this.offsets = new Float64Array(room)).set(offsets);
    (this.crcs = new Uint32Array(room)).set(crcs);
  }

  private addCrc(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const last = this.blocks - 1;
    this.crcs[last] = crc32(bytes, this.crcs[last]);
  }

  /** The last block whose first line is not after this one. */
  private blockNumberOf(ordinal: number): number {
    let low = 0;
    let high = this.blocks - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.firsts[middle] ?? 0) <= ordinal) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
