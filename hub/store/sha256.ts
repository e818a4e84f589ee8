/** The hash port of core/line on Node. */
import { createHash } from 'node:crypto';
import type { Sha256 } from '../../core/line';

export const sha256: Sha256 = (...parts) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
