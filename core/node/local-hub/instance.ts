/** The public name of one start of a hub: tells it from another start, and from a stranger on the same port. */
import { createHash } from 'node:crypto';

/** First 16 hex digits of SHA-256 of the process's nonce. */
export function instanceOf(nonce: string): string {
  return createHash('sha256').update(nonce).digest('hex').slice(0, 16);
}
