/** Decisions and learnings: `## [date] Title`, then paragraphs up to the next heading of its rank. */
import { normalizeContent, type EntryType } from '../entry';
import type { HeadingBlock } from './blocks';
import { fieldsIn, toLf } from './fields';
import { idComment, type IdComment } from './id-comment';
import type { ContextEntry, Span } from './model';
import { headingText, isInside, opaqueWithin, type OpaqueBlock, type Outline } from './outline';

const DATED = /^\[(\d{4}-\d{1,2}-\d{1,2}(?:-\d+)?)\][ \t]+(?=\S)/;
const DATE = /^(\d{4})-(\d{2})-(\d{2})(?:-([01]\d|2[0-3])([0-5]\d)([0-5]\d))?$/;

/** `YYYY-MM-DD` or `YYYY-MM-DD-HHMMSS`, and a day that exists. */
export function isEntryDate(date: string): boolean {
  const [, year, month, day] = DATE.exec(date) ?? [];
  if (year === undefined || month === undefined || day === undefined) return false;
  const days = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  return Number(month) >= 1 && Number(month) <= 12 && Number(day) >= 1 && Number(day) <= days;
}

/** The bracketed date of an entry's heading as written, even when no such day exists; `undefined` for other headings. */
export function headingDate(title: string): string | undefined {
  return DATED.exec(title)?.[1];
}

export function isEntryHeading(text: string, heading: HeadingBlock): boolean {
  return heading.level === 2 && headingDate(headingText(text, heading)) !== undefined;
}

const SEPARATOR = /^ {0,3}-[ \t]*-[ \t]*-[-\t ]*$/;

const isLineEnd = (code: number): boolean => code === 0x0a || code === 0x0d;

/** End of what stands between `start` and `end`, without blank lines and the `---` that separate it from the next entry. */
function endWithoutSeparator(text: string, start: number, end: number): number {
  let at = end;
  while (at > start) {
    let line = at;
    while (line > start && !isLineEnd(text.charCodeAt(line - 1))) line--;
    const content = text.slice(line, at);
    if (content.trim() !== '' && !SEPARATOR.test(content)) return line + content.trimEnd().length;
    at = line - 1;
  }
  return start;
}

/** The id stands at the end of the heading, or as a comment on a line of its own. */
function findId(text: string, heading: HeadingBlock, opaque: readonly OpaqueBlock[]): IdComment | undefined {
  const inHeading = idComment(headingText(text, heading), heading.textStart);
  if (inHeading !== undefined) return inHeading;
  for (const block of opaque) {
    if (block.kind !== 'html' || block.depth > 0) continue;
    const found = idComment(text.slice(block.start, block.end), block.start);
    if (found?.span.start === block.start) return found;
  }
  return undefined;
}

/** Escaped when written, or a heading would lose it as closing mark. */
const unescapeClosingMark = (title: string): string => title.replace(/\\(#+)$/, '$1');

function withoutSpan(text: string, whole: Span, left: Span | undefined): string {
  if (left === undefined || left.start < whole.start) return text.slice(whole.start, whole.end);
  // The comment's line goes with it, and the blank line after: one of the two around it stays.
  const after = text.slice(left.end, whole.end).replace(/^(?:\r\n?|\n)(?:[ \t]*(?:\r\n?|\n))?/, '');
  return text.slice(whole.start, left.start) + after;
}

function entryAt(text: string, type: EntryType, heading: HeadingBlock, end: number, outline: Outline): ContextEntry {
  const span = { start: heading.start, end: Math.max(heading.end, endWithoutSeparator(text, heading.end, end)) };
  const body = { start: heading.end, end: span.end };
  const opaque = opaqueWithin(outline, body);
  const id = findId(text, heading, opaque);
  const dateLength = DATED.exec(headingText(text, heading))?.[0].length ?? 0;
  const titleEnd = id !== undefined && id.span.start < heading.end ? id.span.start : heading.textEnd;
  const titleSpan = { start: heading.textStart + dateLength, end: titleEnd };
  const title = unescapeClosingMark(text.slice(titleSpan.start, titleSpan.end).trim());
  const date = headingDate(headingText(text, heading));
  const rest = normalizeContent(toLf(withoutSpan(text, body, id?.span)));
  return {
    type,
    title,
    date: date !== undefined && isEntryDate(date) ? date : undefined,
    id: id?.id,
    span,
    titleSpan,
    fields: fieldsIn(text, body, opaque),
    section: undefined,
    state: undefined,
    tags: [],
    content: rest === '' ? title : `${title}\n\n${rest}`,
  };
}

export function headingEntries(text: string, type: EntryType, outline: Outline): ContextEntry[] {
  const entries: ContextEntry[] = [];
  const { headings, managed } = outline;
  const ranks = headings.filter((heading) => heading.level <= 2);
  for (const [index, heading] of ranks.entries()) {
    if (!isEntryHeading(text, heading) || isInside(heading.start, managed)) continue;
    entries.push(entryAt(text, type, heading, ranks[index + 1]?.start ?? text.length, outline));
  }
  return entries;
}
