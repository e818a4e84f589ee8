/**
 * Judges the lines of a log one after the other: shape, sequence, digest. Looks at bytes only: parses no JSON and makes no
 * strings, so that a long log is verified at about the speed of its hashes.
 */
import { LF } from '../../core/characters';
import type { Cursor } from '../../core/cursor';
import { asciiAt, BASE64URL, splitLine, type LineParts } from '../../core/line';
import type { Gap } from './meta';
import { sha256Hex, sha256Latin1 } from './sha256';

const HASH_BYTES = 32;

/** Text of a line's digest, as it says it. */
export function digestText(bytes: Uint8Array, parts: LineParts): string {
  return asciiAt(bytes, parts.digestStart, parts.digestEnd);
}

/** Whether the 22 characters at `at` are the base64url form of the first 16 bytes of the hash. */
function isHash(hash: string, bytes: Uint8Array, at: number): boolean {
  for (let i = 0, bit = 0; i < 22; i++, bit += 6) {
    const byte = bit >>> 3;
    const pair = (hash.charCodeAt(byte) << 8) | (byte + 1 < 16 ? hash.charCodeAt(byte + 1) : 0);
    if (BASE64URL.charCodeAt((pair >>> (10 - (bit & 7))) & 63) !== bytes[at + i]) return false;
  }
  return true;
}

export class ChainChecker {
  /** Sequence and place in the chain of the last good line. */
  private sequence: number;
  private previousLength: number;
  /** `previous digest LF batch LF head tail LF content hash`; the previous digest stays at its start. */
  private scratch = Buffer.allocUnsafe(4096);
  private readonly gaps: ReadonlyMap<number, Gap>;

  /** @param after the last line before the first that is checked, or the empty log */
  constructor(after: Cursor, gaps: readonly Gap[]) {
    this.sequence = after.sequence;
    this.previousLength = this.scratch.write(after.digest, 'latin1');
    this.gaps = new Map(gaps.map((gap) => [gap.first, gap]));
  }

  /** The last good line. */
  get head(): Cursor {
    return { sequence: this.sequence, digest: this.scratch.toString('latin1', 0, this.previousLength) };
  }

  /** The sequence that belongs next. */
  get expected(): number {
    return (this.gaps.get(this.sequence + 1)?.last ?? this.sequence) + 1;
  }

  /**
   * @param end where the line's line feed is
   * @returns the line's parts, and it is now the head; or a reason in words why it is bad, and nothing has changed
   */
  check(bytes: Uint8Array, start: number, end: number): LineParts | string {
    const parts = splitLine(bytes, start, end);
    if (typeof parts === 'string') return parts;
    const { expected } = this;
    if (parts.sequence !== expected) return `its sequence is ${parts.sequence} where ${expected} belongs`;
    const anchor = this.gaps.get(this.sequence + 1)?.next_sha256;
    if (anchor === undefined) {
      const hash = this.chainedHash(bytes, parts);
      if (!isHash(hash, bytes, parts.hashStart)) return 'its digest does not match its bytes and the line before';
    } else if (sha256Hex(bytes.subarray(start, end)) !== anchor) {
      return 'it is not the line that followed the recorded gap';
    }
    this.sequence = parts.sequence;
    this.previousLength = parts.digestEnd - parts.digestStart;
    this.put(bytes, parts.digestStart, parts.digestEnd, 0);
    return parts;
  }

  private chainedHash(bytes: Uint8Array, parts: LineParts): string {
    const { start, headEnd, tailStart, tailEnd, digestStart, hashStart } = parts;
    const most = this.previousLength + 32 + (headEnd - start) + (tailEnd - tailStart) + HASH_BYTES;
    if (most > this.scratch.length) this.grow(most);
    const { scratch } = this;
    let at = this.previousLength;
    scratch[at++] = LF;
    at = this.put(bytes, digestStart, hashStart - 1, at);
    scratch[at++] = LF;
    at = this.put(bytes, start, headEnd, at);
    at = this.put(bytes, tailStart, tailEnd, at);
    scratch[at++] = LF;
    at += scratch.write(contentHash(bytes, parts), at, 'latin1');
    return sha256Latin1(scratch.subarray(0, at));
  }

  /** Byte by byte: for a few of them a view costs more than the copy. @returns where the next may go */
  private put(bytes: Uint8Array, start: number, end: number, at: number): number {
    const { scratch } = this;
    for (let from = start; from < end; from++) scratch[at++] = bytes[from] ?? 0;
    return at;
  }

  private grow(bytes: number): void {
    const larger = Buffer.allocUnsafe(bytes * 2);
    this.scratch.copy(larger, 0, 0, this.previousLength);
    this.scratch = larger;
  }
}

/** One character per byte. */
export function contentHash(bytes: Uint8Array, parts: LineParts): string {
  const value = bytes.subarray(parts.valueStart, parts.valueEnd);
  return parts.redacted
    ? Buffer.from(Buffer.from(value).toString('latin1'), 'base64url').toString('latin1')
    : sha256Latin1(value);
}
