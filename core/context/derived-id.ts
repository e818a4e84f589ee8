/** The id of an entry that carries none: the same on every machine that has the same file (PROTOCOL.md, "Project directory"). */
import type { EntryType } from '../entry';
import type { Sha256 } from '../line';

/** `h1-` (from the heading, first scheme) and 32 hex digits. */
const PREFIX = 'h1-';
const HASH_BYTES = 16;

export const isDerivedId = (id: string): boolean => /^h1-[0-9a-f]{32}$/.test(id);

/** @param heading see `headingOf` in parse.ts */
export function derivedId(project: string, type: EntryType, heading: string, sha256: Sha256): string {
  const hash = sha256(`ctx-derived-id.v1\n${project}\n${type}\n${heading.normalize('NFC')}`);
  const hex = [...hash.subarray(0, HASH_BYTES)].map((byte) => byte.toString(16).padStart(2, '0'));
  return PREFIX + hex.join('');
}
