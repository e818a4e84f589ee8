/** `#name` and `#name:value` words of a task. They are for the local file: what is shared goes without them. */

export interface Untagged {
  readonly text: string;
  /** Without `#`, in order of appearance. */
  readonly tags: readonly string[];
}

/** `#12` is an issue's number, no tag. A colon without value has it on the next line, where an editor wrapped it. */
const TAG = /^#[A-Za-z][A-Za-z0-9_-]*(?::\S*)?$/;

interface Run {
  readonly start: number;
  readonly length: number;
}

/** For each run of backticks the next one of the same length, by index. */
function closers(runs: readonly Run[]): (number | undefined)[] {
  const next: (number | undefined)[] = [];
  const seen = new Map<number, number>();
  for (let index = runs.length - 1; index >= 0; index--) {
    const length = runs[index]?.length ?? 0;
    next[index] = seen.get(length);
    seen.set(length, index);
  }
  return next;
}

/** Without any `#` in code spans; every offset and line stays. Linear, also over unmatched backticks. */
function maskCode(text: string): string {
  if (!text.includes('`')) return text;
  const runs = [...text.matchAll(/`+/g)].map((match) => ({ start: match.index, length: match[0].length }));
  const next = closers(runs);
  let masked = '';
  let at = 0;
  for (let index = 0; index < runs.length; index++) {
    const open = runs[index];
    const closeIndex = next[index];
    const close = closeIndex === undefined ? undefined : runs[closeIndex];
    if (open === undefined || close === undefined || closeIndex === undefined) continue;
    const end = close.start + close.length;
    masked += text.slice(at, open.start) + text.slice(open.start, end).replaceAll('#', 'x');
    at = end;
    index = closeIndex;
  }
  return masked + text.slice(at);
}

interface Word {
  /** Of the white space before it. */
  readonly from: number;
  readonly start: number;
  readonly end: number;
  /** With `#`. */
  readonly tag: string | undefined;
}

function wordsOf(line: string): Word[] {
  return [...line.matchAll(/[ \t]*(\S+)/g)].map(({ index, 0: all, 1: word = '' }) => {
    const end = index + all.length;
    return { from: index, start: end - word.length, end, tag: TAG.test(word) ? word : undefined };
  });
}

interface SplitLine {
  /** `undefined` when nothing but tags stood on the line. */
  readonly kept: string | undefined;
  /** Without `#`. */
  readonly tags: readonly string[];
  /** The last tag's value stands on the next line. */
  readonly wraps: boolean;
}

/** A tag without value counts only at the start or end of a line: elsewhere it is a word of a sentence. */
function splitLine(line: string, words: readonly Word[], indent: string): SplitLine {
  const first = words.findIndex((word) => word.tag === undefined);
  const last = words.findLastIndex((word) => word.tag === undefined);
  const isTag = ({ tag }: Word, index: number): boolean =>
    tag !== undefined && (tag.includes(':') || index < first || index > last);
  const tags = words.filter(isTag).map(({ start, end }) => line.slice(start + 1, end));
  const left = words.filter((word, index) => !isTag(word, index));
  const parts = left.map(
    ({ from, start, end }, index) => (index === 0 ? indent : line.slice(from, start)) + line.slice(start, end),
  );
  return {
    kept: parts.length === 0 ? undefined : parts.join(''),
    tags,
    wraps: words.at(-1)?.tag?.endsWith(':') === true,
  };
}

/** @param text of one task, LF line ends */
export function separateTags(text: string): Untagged {
  if (!text.includes('#')) return { text, tags: [] };
  const tags: string[] = [];
  const kept: string[] = [];
  const masked = maskCode(text).split('\n');
  let wraps = false;
  for (const [number, line] of text.split('\n').entries()) {
    const shown = masked[number] ?? '';
    if (!wraps && !shown.includes('#')) {
      kept.push(line);
      continue;
    }
    const words = wordsOf(shown);
    const value: Word | undefined = words[0];
    const indent = line.slice(0, value?.start ?? 0);
    if (wraps && value !== undefined && value.tag === undefined) {
      tags.push(`${tags.pop() ?? ''}${line.slice(value.start, value.end)}`);
      words.shift();
    }
    const split = splitLine(line, words, indent);
    tags.push(...split.tags);
    if (split.kept !== undefined || value === undefined) kept.push(split.kept ?? line);
    ({ wraps } = split);
  }
  return { text: kept.join('\n'), tags: tags.map((tag) => tag.replace(/:$/, '')) };
}
