/** SHA-256 on Node: one call per hash, which for short texts costs a third of a hash object. */
import { createHash, hash as hashOnce } from 'node:crypto';
import type { Sha256 } from '../../core/line';

const scratch = Buffer.allocUnsafe(64 * 1024);
/** A text of this many UTF-16 units fits into what is left of the scratch space whatever its characters are. */
const BYTES_PER_UNIT = 3;

/** The hash of bytes as text with one character per byte: the form that is cheapest to get. */
export function sha256Latin1(bytes: Uint8Array): string {
  return hashOnce('sha256', bytes, 'binary');
}

function streamed(parts: readonly (string | Uint8Array)[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** The hash port of core/line. */
export const sha256: Sha256 = (...parts) => {
  let filled = 0;
  for (const part of parts) {
    if (part.length * BYTES_PER_UNIT > scratch.length - filled) return streamed(parts);
    if (typeof part === 'string') filled += scratch.write(part, filled);
    else {
      scratch.set(part, filled);
      filled += part.length;
    }
  }
  return Buffer.from(sha256Latin1(scratch.subarray(0, filled)), 'latin1');
};

export function sha256Hex(data: string | Uint8Array): string {
  return hashOnce('sha256', data, 'hex');
}
