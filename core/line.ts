/**
 * One line of `entries.jsonl` and its digest (PROTOCOL.md, sections "Line" and "Digest"). Works on bytes, so that what is
 * verified is exactly what is on disk. Pure: the hash function is handed in.
 */
import type { StoredEntry } from './entry';

/** SHA-256 over the concatenation of the parts (FIPS 180-4); 32 bytes. */
export type Sha256 = (...parts: readonly (string | Uint8Array)[]) => Uint8Array;

/** 16 bytes of hash as base64url: 22 characters. */
const HASH_BYTES = 16;

export const DIGEST_PATTERN = /^(0|[1-9]\d{0,15})\.([A-Za-z0-9_-]{22})$/;

function base64url(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** `<first sequence of the batch>.<hash>`: the digest's two parts as text. */
export function formatDigest(batchFirst: number, hash: Uint8Array): string {
  return `${batchFirst}.${base64url(hash.subarray(0, HASH_BYTES))}`;
}

/** First sequence of the batch that a digest belongs to; `undefined` when the text is no digest. */
export function batchFirstOf(digest: string): number | undefined {
  const match = DIGEST_PATTERN.exec(digest);
  return match === null ? undefined : Number(match[1]);
}

/** What the first line's digest is chained to: the digest of the empty log of this hub. */
export function emptyLogDigest(hubId: string, sha256: Sha256): string {
  return formatDigest(0, sha256(`ctx-hub.v1\n${hubId}`));
}

/**
 * The digest of a line.
 * @param previous digest of the line before, or {@link emptyLogDigest}
 * @param head the line's bytes before the content member, from `{`
 * @param tail the line's bytes after the content member and its comma, up to the comma before `"digest"`
 * @param contentHash SHA-256 of the content's JSON string as it stands in the line, without its quotes
 */
export function lineDigest(
  sha256: Sha256,
  previous: string,
  batchFirst: number,
  head: string | Uint8Array,
  tail: string | Uint8Array,
  contentHash: Uint8Array,
): string {
  return formatDigest(batchFirst, sha256(`${previous}\n${batchFirst}\n`, head, tail, '\n', contentHash));
}

export interface EncodedLine {
  /** The JSON text without its line feed. */
  readonly text: string;
  readonly digest: string;
}

/** Encodes an entry in the fixed field order and chains its digest to the previous line's. */
export function encodeLine(
  sha256: Sha256,
  entry: Omit<StoredEntry, 'digest'>,
  previous: string,
  batchFirst: number,
): EncodedLine {
  const content = JSON.stringify(entry.content);
  const head = `{"id":"${entry.id}","type":"${entry.type}",`;
  const { origin, client, timestamp, received_at, sequence, meta, supersedes } = entry;
  // JSON.stringify keeps insertion order and leaves out undefined members: this literal *is* the field order.
  const tail = JSON.stringify({ origin, client, timestamp, received_at, sequence, meta, supersedes }).slice(1, -1);
  const digest = lineDigest(sha256, previous, batchFirst, head, tail, sha256(content.slice(1, -1)));
  return { text: `${head}"content":${content},${tail},"digest":"${digest}"}`, digest };
}

/** The parts of a line that its digest is computed from, as views into the line. */
export interface LineParts {
  readonly head: Uint8Array;
  /** The content's JSON string without quotes; absent in a redacted line. */
  readonly content: Uint8Array | undefined;
  /** Hash kept by a redacted line. */
  readonly contentHash: string | undefined;
  readonly tail: Uint8Array;
  readonly digest: string;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const encoder = new TextEncoder();
const latin1 = new TextDecoder('latin1');
const CONTENT = encoder.encode('"content":"');
const REDACTED = encoder.encode('"content":null,"content_sha256":"');
/** `,"digest":"` + at least `1.` + 22 characters + `"}`; the batch number has at most 16 digits. */
const DIGEST_TAIL = /,"digest":"(\d{1,16}\.[A-Za-z0-9_-]{22})"\}$/;
const DIGEST_TAIL_MAX = 11 + 17 + 22 + 2;
/** `{"id":"…","type":"…",` is at most this long. */
const HEAD_MAX = 192;

function startsWithAt(bytes: Uint8Array, at: number, needle: Uint8Array): boolean {
  for (let i = 0; i < needle.length; i++) if (bytes[at + i] !== needle[i]) return false;
  return true;
}

/** End of a JSON string whose first byte after the quote is at `from`: the index of its closing quote, or -1. */
function endOfString(bytes: Uint8Array, from: number): number {
  let at = bytes.indexOf(QUOTE, from);
  while (at !== -1) {
    let slashes = 0;
    while (bytes[at - 1 - slashes] === BACKSLASH && at - 1 - slashes >= from) slashes++;
    if (slashes % 2 === 0) return at;
    at = bytes.indexOf(QUOTE, at + 1);
  }
  return -1;
}

/**
 * Splits a line (without its line feed) without parsing its JSON. The answer is a reason in words when the line does
 * not have the shape that this format writes.
 */
export function splitLine(line: Uint8Array): LineParts | string {
  const digestMatch = DIGEST_TAIL.exec(latin1.decode(line.subarray(Math.max(0, line.length - DIGEST_TAIL_MAX))));
  const digest = digestMatch?.[1];
  if (digestMatch === null || digest === undefined) return 'no digest at its end';
  const tailEnd = line.length - digestMatch[0].length;
  const headText = latin1.decode(line.subarray(0, HEAD_MAX));
  const headMatch = /^\{"id":"[A-Za-z0-9._:-]{1,128}","type":"[a-z]{1,16}",/.exec(headText);
  if (headMatch === null) return 'no id and type at its start';
  const headEnd = headMatch[0].length;
  const redacted = startsWithAt(line, headEnd, REDACTED);
  if (!redacted && !startsWithAt(line, headEnd, CONTENT)) return 'no content after its type';
  const valueStart = headEnd + (redacted ? REDACTED.length : CONTENT.length);
  const valueEnd = endOfString(line, valueStart);
  if (valueEnd === -1 || valueEnd + 2 > tailEnd || line[valueEnd + 1] !== COMMA) return 'its content does not end';
  const value = line.subarray(valueStart, valueEnd);
  return {
    head: line.subarray(0, headEnd),
    content: redacted ? undefined : value,
    contentHash: redacted ? latin1.decode(value) : undefined,
    tail: line.subarray(valueEnd + 2, tailEnd),
    digest,
  };
}
