/**
 * Verifies, while the hub serves, what a start from the checkpoint has not read: digests of every line, block by block. What
 * is bad is never served from then on.
 */
import type { Cursor } from '../../core/cursor';
import { splitLine } from '../../core/line';
import { ChainChecker, digestText } from './check-line';
import type { Block, LineTable } from './line-table';
import type { LogFile } from './log-file';
import type { LogRanges } from './log-ranges';
import type { Gap } from './meta';

/** How much is verified before other work gets its turn. */
const SLICE_BYTES = 256 * 1024;

export interface VerifyBehindParts {
  readonly log: LogFile;
  readonly lines: LineTable;
  readonly ranges: LogRanges;
  /** The empty log. */
  readonly from: Cursor;
  readonly gaps: readonly Gap[];
  /** How many blocks from the first on. */
  readonly blocks: number;
}

export interface VerifyingBehind {
  readonly finished: Promise<void>;
  readonly stop: () => Promise<void>;
}

class BehindVerifier {
  private checker: ChainChecker;
  stopped = false;

  constructor(private readonly parts: VerifyBehindParts) {
    this.checker = new ChainChecker(parts.from, parts.gaps);
  }

  async run(): Promise<void> {
    const { lines, blocks } = this.parts;
    for (let number = 0; number < blocks && !this.stopped;) {
      const slice: Block[] = [];
      let bytes = 0;
      while (number < blocks && (slice.length === 0 || bytes < SLICE_BYTES)) {
        const block = lines.block(number++);
        slice.push(block);
        bytes += block.endOffset - block.offset;
      }
      await this.verifySlice(slice);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  private async verifySlice(slice: readonly Block[]): Promise<void> {
    const start = slice[0]?.offset ?? 0;
    const end = slice[slice.length - 1]?.endOffset ?? start;
    const bytes = await this.parts.log.read(start, end).catch((error: unknown) => {
      for (const block of slice) this.parts.ranges.noteDamage(block, String(error));
      return undefined;
    });
    if (bytes === undefined) return;
    for (const block of slice) {
      const reason = this.verifyBlock(bytes, block, block.offset - start);
      if (reason !== undefined) this.parts.ranges.noteDamage(block, reason);
    }
  }

  private verifyBlock(bytes: Uint8Array, block: Block, at: number): string | undefined {
    for (let ordinal = block.first; ordinal < block.end; ordinal++) {
      const end = at + this.parts.lines.lengthOf(ordinal);
      const verdict =
        bytes[end - 1] === 0x0a ? this.checker.check(bytes, at, end - 1) : 'it does not end with a line feed';
      if (typeof verdict === 'string') {
        this.resumeAfter(bytes, block, ordinal, at);
        return `line ${ordinal + 1}: ${verdict}`;
      }
      at = end;
    }
    return undefined;
  }

  /** The next block is judged by what the last line of this one says of itself. */
  private resumeAfter(bytes: Uint8Array, block: Block, from: number, at: number): void {
    let start = at;
    for (let ordinal = from; ordinal < block.end - 1; ordinal++) start += this.parts.lines.lengthOf(ordinal);
    const parts = splitLine(bytes, start, start + this.parts.lines.lengthOf(block.end - 1) - 1);
    if (typeof parts === 'string') return;
    this.checker = new ChainChecker({ sequence: parts.sequence, digest: digestText(bytes, parts) }, this.parts.gaps);
  }
}

export function verifyBehind(parts: VerifyBehindParts): VerifyingBehind {
  const verifier = new BehindVerifier(parts);
  const finished = verifier.run();
  return {
    finished,
    stop: () => {
      verifier.stopped = true;
      return finished;
    },
  };
}
