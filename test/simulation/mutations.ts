/** Changes of a file as accidents, other programs and people make them: bytes and whole lines, some still valid JSON. */
import { encodeLine } from '../../core/line';
import type { StoredEntry } from '../../core/entry';
import { sha256 } from '../../hub/store/sha256';

export const MUTATION_KINDS = ['flip', 'cut', 'nul', 'duplicate', 'swap', 'insert', 'json', 'rechained'] as const;
export type MutationKind = (typeof MUTATION_KINDS)[number];

type Random = () => number;

const LF = 0x0a;

const below = (random: Random, limit: number): number => Math.floor(random() * limit);

/** A stretch of bytes: half of the time of whole lines. */
function stretch(bytes: Uint8Array, random: Random): { from: number; to: number } {
  const from = below(random, bytes.length);
  if (random() < 0.5) return { from, to: Math.min(bytes.length, from + 1 + below(random, 300)) };
  const start = bytes.subarray(0, from).lastIndexOf(LF) + 1;
  let to = start;
  for (let lines = 1 + below(random, 3); lines > 0 && to < bytes.length; lines--) to = endOfLine(bytes, to);
  return { from: start, to };
}

function endOfLine(bytes: Uint8Array, from: number): number {
  const at = bytes.indexOf(LF, from);
  return at === -1 ? bytes.length : at + 1;
}

function flip(bytes: Uint8Array, random: Random): Uint8Array {
  const result = Buffer.from(bytes);
  const at = below(random, bytes.length);
  result[at] = random() < 0.5 ? (bytes[at] ?? 0) ^ (1 << below(random, 8)) : below(random, 256);
  return result;
}

/** In the middle, or all from some byte on. */
function cut(bytes: Uint8Array, random: Random): Uint8Array {
  const { from, to } = stretch(bytes, random);
  return random() < 0.3 ? bytes.slice(0, from) : Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
}

function nul(bytes: Uint8Array, random: Random): Uint8Array {
  const { from, to } = stretch(bytes, random);
  return Buffer.from(bytes).fill(0, from, to);
}

/** Behind itself, or anywhere. */
function duplicate(bytes: Uint8Array, random: Random): Uint8Array {
  const { from, to } = stretch(bytes, random);
  const at = random() < 0.5 ? to : stretch(bytes, random).from;
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(from, to), bytes.subarray(at)]);
}

function swap(bytes: Uint8Array, random: Random): Uint8Array {
  const [a, b] = [stretch(bytes, random), stretch(bytes, random)].sort((x, y) => x.from - y.from);
  if (a === undefined || b === undefined || a.to > b.from) return bytes;
  const part = (from: number, to: number): Uint8Array => bytes.subarray(from, to);
  const parts = [part(0, a.from), part(b.from, b.to), part(a.to, b.from), part(a.from, a.to)];
  return Buffer.concat([...parts, part(b.to, bytes.length)]);
}

const INSERTED = ['\n', '\0', '{}\n', ' ', '"', '\\', 'x', '\r\n', '\uFEFF', '{"id":"e-1","type":"task",'];

function insert(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random() < 0.2 ? bytes.length : stretch(bytes, random).from;
  const noise = Uint8Array.from({ length: 1 + below(random, 40) }, () => below(random, 256));
  const what = random() < 0.5 ? noise : Buffer.from(INSERTED[below(random, INSERTED.length)] ?? '');
  return Buffer.concat([bytes.subarray(0, at), what, bytes.subarray(at)]);
}

type Line = Record<string, unknown>;

/** With other members before the digest, which stays the last. */
const beforeDigest = (line: Line, more: Line): string => {
  const { digest, ...members } = line;
  return JSON.stringify({ ...members, ...more, digest });
};

/** What leaves a line valid JSON, most of it a plausible entry. */
const EDITS: readonly ((line: Line, text: string) => string)[] = [
  (line) => JSON.stringify({ ...line, content: `${String(line['content'])} indeed` }),
  (line) => JSON.stringify({ ...line, origin: 'gamma' }),
  (line) => JSON.stringify({ ...line, client: 'eve@server' }),
  (line) => JSON.stringify({ ...line, type: line['type'] === 'task' ? 'decision' : 'task' }),
  (line) => JSON.stringify({ ...line, id: `${String(line['id'])}x` }),
  (line) => JSON.stringify({ ...line, timestamp: '2020-01-01T00:00:00Z' }),
  (line) => JSON.stringify({ ...line, received_at: '2020-01-01T00:00:00.000Z' }),
  (line) => JSON.stringify({ ...line, sequence: Number(line['sequence']) + 1 }),
  (line) => JSON.stringify({ ...line, digest: `${String(line['digest']).slice(0, -1)}-` }),
  (line) => beforeDigest(line, { supersedes: 'e-0' }),
  (line) => beforeDigest(line, { meta: { tool: 'other' } }),
  (line) => beforeDigest(line, { unknown: true }),
  (line) => JSON.stringify({ ...line, digest: undefined }),
  (line) => JSON.stringify(Object.fromEntries(Object.entries(line).reverse())),
  (_line, text) => text.replace(',"origin"', ', "origin"'),
  (_line, text) => ` ${text}`,
  (_line, text) => `${text} `,
  // The same content, written with an escape.
  (_line, text) => text.replace('"content":"T', '"content":"\\u0054'),
  (line) => JSON.stringify({ ...line, content: null }),
  () => 'null',
  () => '{}',
];

function json(bytes: Uint8Array, random: Random): Uint8Array {
  const lines = Buffer.from(bytes).toString('utf8').split('\n');
  const at = below(random, lines.length - 1);
  const text = lines[at] ?? '';
  const edit = EDITS[below(random, EDITS.length)];
  lines[at] = edit?.(JSON.parse(text) as Line, text) ?? '';
  return Buffer.from(lines.join('\n'));
}

/** An entry but the first changed, and every digest from there on made anew: only meta.json can tell. */
function rechained(bytes: Uint8Array, random: Random): Uint8Array {
  const lines = Buffer.from(bytes).toString('utf8').split('\n').slice(0, -1);
  const changed = 1 + below(random, lines.length - 1);
  let previous = '';
  const result = lines.map((text, i) => {
    const { digest, ...entry } = JSON.parse(text) as StoredEntry;
    if (i < changed) {
      previous = digest;
      return text;
    }
    const content = i === changed ? `${entry.content} indeed` : entry.content;
    const made = encodeLine(sha256, { ...entry, content }, previous, Number(digest.split('.')[0]));
    previous = made.digest;
    return made.text;
  });
  return Buffer.from(`${result.join('\n')}\n`);
}

const MUTATIONS: Readonly<Record<MutationKind, (bytes: Uint8Array, random: Random) => Uint8Array>> = {
  flip,
  cut,
  nul,
  duplicate,
  swap,
  insert,
  json,
  rechained,
};

/** @returns bytes that differ from those given */
export function mutated(bytes: Uint8Array, kind: MutationKind, random: Random): Uint8Array {
  for (let tries = 0; tries < 1000; tries++) {
    const result = MUTATIONS[kind](bytes, random);
    if (!Buffer.from(result).equals(bytes)) return result;
  }
  throw new Error(`${kind} finds nothing to change`);
}

/** Where two texts begin to differ: line, from 1, and the offset of its first byte. */
export function firstDifference(before: Uint8Array, after: Uint8Array): { line: number; offset: number } {
  let at = 0;
  while (at < before.length && before[at] === after[at]) at++;
  const offset = before.subarray(0, at).lastIndexOf(LF) + 1;
  let line = 1;
  for (let lf = before.indexOf(LF); lf !== -1 && lf < offset; lf = before.indexOf(LF, lf + 1)) line++;
  return { line, offset };
}
