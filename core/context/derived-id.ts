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
  return PREFIX + hexOf(hash);
}

function hexOf(hash: Uint8Array): string {
  return [...hash.subarray(0, HASH_BYTES)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** `r1-` (revision, first scheme) and 32 hex digits. */
const REVISION_PREFIX = 'r1-';

/**
 * The id of a changed entry: the same on every machine that changes the same version to the same text, so that a repository's
 * people who share one change share it as one entry. Going back to an earlier text is a new version too.
 */
export function revisionId(
  { supersedes, type, content }: { readonly supersedes: string; readonly type: EntryType; readonly content: string },
  sha256: Sha256,
): string {
  return REVISION_PREFIX + hexOf(sha256(`ctx-revision-id.v1\n${supersedes}\n${type}\n${content}`));
}
