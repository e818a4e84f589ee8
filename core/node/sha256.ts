/** SHA-256 on Node: the port of `core/line`, and the form in which the content of an entry is compared. */
import { createHash } from 'node:crypto';
import type { Sha256 } from '../line';

export const sha256: Sha256 = (...parts) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** Hex. */
export function contentHash(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}
