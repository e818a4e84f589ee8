/** Judges one line of the log against the line before it: shape, sequence, digest. Looks at bytes only, parses no JSON. */
import type { Cursor } from '../../core/cursor';
import { batchFirstOf, lineDigest, splitLine, type LineParts } from '../../core/line';
import type { Gap } from './meta';
import { sha256, sha256Hex } from './sha256';

export interface LineFacts {
  readonly id: string;
  readonly type: string;
  readonly sequence: number;
  readonly digest: string;
  /** First sequence of its batch. */
  readonly batchFirst: number;
}

const HEAD = /^\{"id":"([^"]+)","type":"([^"]+)",$/;
/** None of these values may hold a quote, so the first match is the member and not something within a value. */
const TAIL =
  /^"origin":"[^"\\]*","client":"[^"\\]*","timestamp":"[^"\\]*","received_at":"[^"\\]*","sequence":(\d{1,16})[,}]?/;
const TAIL_MAX = 512;

/** What a line says about itself, whether or not it is true. The answer is a reason in words when it says nothing. */
export function readLine(line: Uint8Array): (LineFacts & { readonly parts: LineParts }) | string {
  const parts = splitLine(line);
  if (typeof parts === 'string')
    return `it has ${parts.replace('its content does not end', 'content that does not end')}`;
  const head = HEAD.exec(Buffer.from(parts.head).toString('latin1'));
  const tail = TAIL.exec(Buffer.from(parts.tail.subarray(0, TAIL_MAX)).toString('latin1'));
  const batchFirst = batchFirstOf(parts.digest);
  if (head?.[1] === undefined || head[2] === undefined) return 'it has no id and type at its start';
  if (tail?.[1] === undefined) return 'it has no sequence after its stamps';
  if (batchFirst === undefined) return 'it has no digest at its end';
  return { id: head[1], type: head[2], sequence: Number(tail[1]), digest: parts.digest, batchFirst, parts };
}

/** The digest that the line must have after `previous`. */
export function expectedDigest(parts: LineParts, previous: string, batchFirst: number): string {
  const contentHash =
    parts.content === undefined ? Buffer.from(parts.contentHash ?? '', 'base64url') : sha256(parts.content);
  return lineDigest(sha256, previous, batchFirst, parts.head, parts.tail, contentHash);
}

/** Gaps by the first sequence that is missing. */
export type Gaps = ReadonlyMap<number, Gap>;

export function gapsOf(gaps: readonly Gap[]): Gaps {
  return new Map(gaps.map((gap) => [gap.first, gap]));
}

export type Verdict =
  { readonly kind: 'good'; readonly line: LineFacts } | { readonly kind: 'bad'; readonly reason: string };

function bad(reason: string): Verdict {
  return { kind: 'bad', reason };
}

/** @param before the last good line, or the empty log */
export function checkLine(line: Uint8Array, before: Cursor, gaps: Gaps): Verdict {
  const facts = readLine(line);
  if (typeof facts === 'string') return bad(facts);
  const expected = before.sequence + 1;
  const gap = gaps.get(expected);
  const wanted = gap === undefined ? expected : gap.last + 1;
  if (facts.sequence !== wanted) return bad(`its sequence is ${facts.sequence} where ${wanted} belongs`);
  if (gap?.next_sha256 !== undefined) {
    return sha256Hex(line) === gap.next_sha256
      ? { kind: 'good', line: facts }
      : bad('it is not the line that followed the recorded gap');
  }
  const digest = expectedDigest(facts.parts, before.digest, facts.batchFirst);
  return digest === facts.digest
    ? { kind: 'good', line: facts }
    : bad('its digest does not match its bytes and the line before');
}
