/**
 * One line of `entries.jsonl` and its digest (PROTOCOL.md, sections "Line" and "Digest"). Works on bytes, so that what is
 * verified is exactly what is on disk. Pure: the hash function is handed in.
 */
import { BACKSLASH, QUOTE } from './characters';
import type { StoredEntry } from './entry';

/** SHA-256 over the concatenation of the parts (FIPS 180-4); 32 bytes. */
export type Sha256 = (...parts: readonly (string | Uint8Array)[]) => Uint8Array;

/** 16 bytes of hash as base64url: 22 characters. */
const HASH_BYTES = 16;

export const DIGEST_PATTERN = /^(0|[1-9]\d{0,15})\.([A-Za-z0-9_-]{22})$/;

export const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** The two characters for each twelve bits. */
const PAIRS = Array.from({ length: 4096 }, (_, bits) => BASE64URL.charAt(bits >>> 6) + BASE64URL.charAt(bits & 63));

/** Base64url without padding (RFC 4648, 5). */
export function base64url(bytes: Uint8Array): string {
  let text = '';
  let at = 0;
  for (; at + 2 < bytes.length; at += 3) {
    const bits = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    text += (PAIRS[bits >>> 12] ?? '') + (PAIRS[bits & 4095] ?? '');
  }
  if (at + 1 === bytes.length) return text + (PAIRS[(bytes[at] ?? 0) << 4] ?? '');
  if (at === bytes.length) return text;
  const bits = ((bytes[at] ?? 0) << 10) | ((bytes[at + 1] ?? 0) << 2);
  return text + (PAIRS[bits >>> 6] ?? '') + BASE64URL.charAt(bits & 63);
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
 * @param head the line's text or bytes before the content member, from `{`
 * @param tail the line's text or bytes after the content member and its comma, up to the comma before `"digest"`
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
  const before = `${previous}\n${batchFirst}\n`;
  const hash =
    typeof head === 'string' && typeof tail === 'string'
      ? sha256(`${before}${head}${tail}\n`, contentHash)
      : sha256(before, head, tail, '\n', contentHash);
  return formatDigest(batchFirst, hash);
}

export interface EncodedLine {
  /** The JSON text without its line feed. */
  readonly text: string;
  readonly digest: string;
}

/** An entry before it has its digest; absent members may also be given as undefined. */
export type LineFields = Omit<StoredEntry, 'digest' | 'meta' | 'supersedes'> & {
  readonly meta?: StoredEntry['meta'] | undefined;
  readonly supersedes?: StoredEntry['supersedes'] | undefined;
};

/** What JSON writes as it is, between quotes. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** A JSON string, several times cheaper for what needs no escapes. */
const quoted = (text: string): string => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text));

function tailOf({ origin, client, timestamp, received_at, sequence, meta, supersedes }: LineFields): string {
  const stamps = `"origin":${quoted(origin)},"client":${quoted(client)},"timestamp":${quoted(timestamp)}`;
  return (
    `${stamps},"received_at":${quoted(received_at)},"sequence":${sequence}` +
    (meta === undefined ? '' : `,"meta":${JSON.stringify(meta)}`) +
    (supersedes === undefined ? '' : `,"supersedes":${quoted(supersedes)}`)
  );
}

/** Encodes an entry in the fixed field order and chains its digest to the previous line's. */
export function encodeLine(sha256: Sha256, entry: LineFields, previous: string, batchFirst: number): EncodedLine {
  const content = JSON.stringify(entry.content);
  const head = `{"id":"${entry.id}","type":"${entry.type}",`;
  const tail = tailOf(entry);
  const digest = lineDigest(sha256, previous, batchFirst, head, tail, sha256(content.slice(1, -1)));
  return { text: `${head}"content":${content},${tail},"digest":"${digest}"}`, digest };
}

/** Where the parts of a line lie, as offsets into the bytes that hold it. */
export interface LineParts {
  readonly start: number;
  /** First byte after `{"id":"…","type":"…",`. */
  readonly headEnd: number;
  readonly idEnd: number;
  readonly typeStart: number;
  readonly typeEnd: number;
  /** Whether the value is the content's hash instead of the content. */
  readonly redacted: boolean;
  /** The content's JSON string, or its hash, without quotes. */
  readonly valueStart: number;
  readonly valueEnd: number;
  readonly tailStart: number;
  readonly tailEnd: number;
  readonly sequence: number;
  /** First sequence of the line's batch, as its digest says. */
  readonly batchFirst: number;
  readonly digestStart: number;
  /** First byte after the dot in the digest. */
  readonly hashStart: number;
  readonly digestEnd: number;
}

/** Length of `{"id":"`: where the id starts in a line. */
export const ID_START = 7;

const DOT = 0x2e;
const ZERO = 0x30;
const HASH_CHARS = 22;
const MAX_DIGITS = 16;
const MAX_ID = 128;
const MAX_TYPE = 16;

const asBytes = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));
const ID_OPEN = asBytes('{"id":"');
const TYPE_OPEN = asBytes('","type":"');
const HEAD_CLOSE = asBytes('",');
const CONTENT_OPEN = asBytes('"content":"');
const REDACTED_OPEN = asBytes('"content":null,"content_sha256":"');
const DIGEST_OPEN = asBytes(',"digest":"');
const LINE_CLOSE = asBytes('"}');
const STAMPS = ['"origin":"', '","client":"', '","timestamp":"', '","received_at":"'].map(asBytes);
const SEQUENCE_OPEN = asBytes('","sequence":');

function charsOf(pattern: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (code < 128 && pattern.test(String.fromCharCode(code)) ? 1 : 0));
}
const ID_CHARS = charsOf(/[A-Za-z0-9._:-]/);
const TYPE_CHARS = charsOf(/[a-z]/);
const HASH_CHAR = charsOf(/[A-Za-z0-9_-]/);
const DIGITS = charsOf(/\d/);
/** Stamps need no escapes. */
const STAMP_CHARS = charsOf(/[^"\\\u0000-\u001f]/);

/** Whether the bytes at `at` are these. */
export function has(bytes: Uint8Array, at: number, needle: Uint8Array): boolean {
  for (let i = 0; i < needle.length; i++) if (bytes[at + i] !== needle[i]) return false;
  return true;
}

/** First index from `at` whose byte is not in the set, at most `at + most`. */
function skip(bytes: Uint8Array, at: number, set: Uint8Array, most: number): number {
  const end = Math.min(bytes.length, at + most);
  while (at < end && set[bytes[at] ?? 0] === 1) at++;
  return at;
}

function numberAt(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) value = value * 10 + (bytes[at] ?? 0) - ZERO;
  return value;
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

/** Index of the batch number's first digit, or -1 when the line does not end with a digest. */
function findDigest(bytes: Uint8Array, start: number, end: number): number {
  const hashStart = end - LINE_CLOSE.length - HASH_CHARS;
  if (hashStart <= start || !has(bytes, end - LINE_CLOSE.length, LINE_CLOSE)) return -1;
  if (bytes[hashStart - 1] !== DOT || skip(bytes, hashStart, HASH_CHAR, HASH_CHARS) !== hashStart + HASH_CHARS)
    return -1;
  let at = hashStart - 1;
  while (at > start && hashStart - 1 - at < MAX_DIGITS && DIGITS[bytes[at - 1] ?? 0] === 1) at--;
  const opens = at - DIGEST_OPEN.length;
  return at < hashStart - 1 && opens > start && has(bytes, opens, DIGEST_OPEN) ? at : -1;
}

/** Index of the sequence's first digit in a tail, or -1. */
function findSequence(bytes: Uint8Array, tailStart: number, tailEnd: number): number {
  let at = tailStart;
  for (const open of STAMPS) {
    if (!has(bytes, at, open)) return -1;
    at = skip(bytes, at + open.length, STAMP_CHARS, tailEnd - at);
  }
  return has(bytes, at, SEQUENCE_OPEN) ? at + SEQUENCE_OPEN.length : -1;
}

/** Id of the entry in a line that {@link splitLine} has split. */
export function idText(bytes: Uint8Array, { start, idEnd }: LineParts): string {
  return asciiAt(bytes, start + ID_START, idEnd);
}

/**
 * Finds the parts of a line without parsing its JSON. The answer is a reason in words when the line does not have the
 * shape that this format writes.
 * @param end first byte after the line, where its line feed is
 */
export function splitLine(bytes: Uint8Array, start = 0, end = bytes.length): LineParts | string {
  const digestStart = findDigest(bytes, start, end);
  if (digestStart === -1) return 'it has no digest at its end';
  const tailEnd = digestStart - DIGEST_OPEN.length;
  const idEnd = skip(bytes, start + ID_START, ID_CHARS, MAX_ID);
  const typeStart = idEnd + TYPE_OPEN.length;
  const typeEnd = skip(bytes, typeStart, TYPE_CHARS, MAX_TYPE);
  const wellHeaded =
    has(bytes, start, ID_OPEN) &&
    idEnd > start + ID_START &&
    has(bytes, idEnd, TYPE_OPEN) &&
    typeEnd > typeStart &&
    has(bytes, typeEnd, HEAD_CLOSE);
  if (!wellHeaded) return 'it has no id and type at its start';
  const headEnd = typeEnd + HEAD_CLOSE.length;
  const redacted = has(bytes, headEnd, REDACTED_OPEN);
  if (!redacted && !has(bytes, headEnd, CONTENT_OPEN)) return 'it has no content after its type';
  const valueStart = headEnd + (redacted ? REDACTED_OPEN.length : CONTENT_OPEN.length);
  const valueEnd = endOfString(bytes, valueStart);
  if (valueEnd === -1 || valueEnd + 2 > tailEnd || !has(bytes, valueEnd, HEAD_CLOSE)) return 'its content does not end';
  const tailStart = valueEnd + HEAD_CLOSE.length;
  const sequenceStart = findSequence(bytes, tailStart, tailEnd);
  const sequenceEnd = skip(bytes, sequenceStart, DIGITS, MAX_DIGITS);
  if (sequenceStart === -1 || sequenceEnd === sequenceStart) return 'it has no sequence after its stamps';
  const digestEnd = end - LINE_CLOSE.length;
  const hashStart = digestEnd - HASH_CHARS;
  return {
    start,
    headEnd,
    idEnd,
    typeStart,
    typeEnd,
    redacted,
    valueStart,
    valueEnd,
    tailStart,
    tailEnd,
    sequence: numberAt(bytes, sequenceStart, sequenceEnd),
    batchFirst: numberAt(bytes, digestStart, hashStart - 1),
    digestStart,
    hashStart,
    digestEnd,
  };
}

/** Text of ASCII bytes. */
export function asciiAt(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at] ?? 0);
  return text;
}
