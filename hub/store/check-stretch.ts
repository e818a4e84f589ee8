/** Verifies one run of whole lines by itself: the piece of work that a long log is shared out in when a hub starts. */
import { LF } from '../../core/characters';
import type { Cursor } from '../../core/cursor';
import { ID_START } from '../../core/line';
import { ChainChecker } from './check-line';
import { fingerprintAt } from './id-table';
import type { Gap } from './meta';

export interface StretchJob {
  /** Ends with a line feed. */
  readonly bytes: Uint8Array;
  /** What the line before says of itself; whoever verifies that line proves it. */
  readonly after: Cursor;
  readonly gaps: readonly Gap[];
  /** Of the fingerprints. */
  readonly seed: number;
}

/** What the index wants to know of good lines, in order. */
export interface StretchFacts {
  /** With their line feeds. */
  readonly lengths: Uint32Array;
  readonly prints: Uint32Array;
  /** The last of them. */
  readonly head: Cursor;
}

/** Shorter lines than this are no entries. */
const LEAST_LINE_BYTES = 64;

/** @returns undefined when any of its lines is not good */
export function checkStretch({ bytes: view, after, gaps, seed }: StretchJob): StretchFacts | undefined {
  // What comes from another thread is no Buffer, and is searched slowly.
  const bytes = Buffer.from(view.buffer, view.byteOffset, view.length);
  const checker = new ChainChecker(after, gaps);
  const most = Math.ceil(bytes.length / LEAST_LINE_BYTES);
  const lengths = new Uint32Array(most);
  const prints = new Uint32Array(most);
  let count = 0;
  for (let start = 0; start < bytes.length; count++) {
    const end = bytes.indexOf(LF, start);
    const parts = end - start < LEAST_LINE_BYTES ? undefined : checker.check(bytes, start, end);
    if (parts === undefined || typeof parts === 'string') return undefined;
    lengths[count] = end + 1 - start;
    prints[count] = fingerprintAt(bytes, start + ID_START, parts.idEnd, seed);
    start = end + 1;
  }
  return { lengths: lengths.slice(0, count), prints: prints.slice(0, count), head: checker.head };
}
