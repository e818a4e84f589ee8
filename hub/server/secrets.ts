/** Randomness and hashing of tokens on Node. A secret leaves this file only inside a token that is shown once. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { formatToken, type TokenKind } from '../../core/token';

export interface MintedToken {
  readonly id: string;
  /** SHA-256 of the secret, hex: what is kept. */
  readonly digest: string;
  /** The token with another id: a client that registers again keeps its own. */
  readonly text: (id?: string) => string;
}

export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

export function mintToken(kind: TokenKind): MintedToken {
  const id = randomBytes(8).toString('hex');
  const secret = randomBytes(32).toString('hex');
  return { id, digest: digestOf(secret), text: (other = id) => formatToken({ kind, id: other, secret }) };
}

/** Compares digests in constant time; both are 64 hex digits. */
export function sameDigest(one: string, other: string): boolean {
  const left = Buffer.from(one);
  const right = Buffer.from(other);
  return left.length === right.length && timingSafeEqual(left, right);
}
