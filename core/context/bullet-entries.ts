/** Conventions and tasks: list items at the top level of the file, each with everything that is indented below it. */
import { normalizeContent, type EntryType } from '../entry';
import { linesOf, type Block, type ItemBlock } from './blocks';
import { toLf } from './fields';
import { isEntryDate } from './heading-entries';
import { idComment, type IdComment } from './id-comment';
import type { ContextEntry, Span, TaskState } from './model';
import { headingText, isIndexSection, isInside, type Outline } from './outline';
import { separateTags } from './tags';

const CHECKBOX = /^\[([ xX-])\](?:[ \t]+|$)/;

const stateOf = (mark: string): TaskState => (mark === ' ' ? 'open' : mark === '-' ? 'skipped' : 'done');

interface Parts {
  readonly item: ItemBlock;
  readonly state: TaskState | undefined;
  /** After bullet and checkbox. */
  readonly textStart: number;
  /** End of the first paragraph, which is the title. */
  readonly titleEnd: number;
  readonly id: IdComment | undefined;
}

/** Lines moved left by the item's indentation, as far as they have it. */
function dedent(text: string, indent: number): string {
  const margin = new RegExp(`^(?: {0,3}\\t| {1,${indent}})`, 'gm');
  return toLf(text).replaceAll(margin, '');
}

/** The first id comment at the end of a line of the item that is no code. */
function findId(text: string, item: ItemBlock, inner: readonly Block[]): IdComment | undefined {
  if (!text.slice(item.contentStart, item.end).includes('<!-- ctx:id=')) return undefined;
  const code = inner.filter((block) => block.kind === 'code');
  for (const [start, end] of linesOf(text, item.contentStart, item.end)) {
    if (isInside(start, code)) continue;
    const found = idComment(text.slice(start, end), start);
    if (found !== undefined) return found;
  }
  return undefined;
}

function partsOf(text: string, type: EntryType, item: ItemBlock, inner: readonly Block[]): Parts | undefined {
  const box = type === 'task' ? CHECKBOX.exec(text.slice(item.contentStart, item.end)) : null;
  if (type === 'task' && box === null) return undefined;
  const textStart = item.contentStart + (box?.[0].length ?? 0);
  const [first] = inner;
  const isParagraph = first?.kind === 'paragraph' && first.depth === 1;
  const firstLine = textStart + (/^[^\r\n]*/.exec(text.slice(textStart, item.end))?.[0].length ?? 0);
  const titleEnd = Math.max(textStart, isParagraph ? first.end : Math.min(firstLine, item.end));
  const state = box === null ? undefined : stateOf(box[1] ?? ' ');
  return { item, state, textStart, titleEnd, id: findId(text, item, inner) };
}

/** The text of `span` without the id comment, if it lies there. */
function withoutId(text: string, span: Span, id: IdComment | undefined): string {
  if (id === undefined || id.span.start < span.start || id.span.start >= span.end) {
    return text.slice(span.start, span.end);
  }
  return text.slice(span.start, id.span.start) + text.slice(id.span.end, span.end);
}

function entryOf(text: string, type: EntryType, parts: Parts, section: string | undefined): ContextEntry {
  const { item, textStart, titleEnd, id } = parts;
  const titleSpan = { start: textStart, end: titleEnd };
  const separate = type === 'task' ? separateTags : (each: string) => ({ text: each, tags: [] });
  const head = separate(dedent(withoutId(text, titleSpan, id), item.indent));
  const rest = separate(dedent(withoutId(text, { start: titleEnd, end: item.end }, id), item.indent));
  const title = head.text.replaceAll(/\s+/g, ' ').trim();
  const body = normalizeContent(rest.text);
  const tags = [...head.tags, ...rest.tags];
  const date = tags.find((tag) => tag.startsWith('added:'))?.slice('added:'.length);
  return {
    type,
    title,
    date: date !== undefined && isEntryDate(date) ? date : undefined,
    id: id?.id,
    span: { start: item.start, end: item.end },
    titleSpan,
    fields: [],
    section,
    state: parts.state,
    tags,
    content: body === '' ? title : `${title}\n\n${body}`,
  };
}

export function bulletEntries(text: string, type: EntryType, outline: Outline): ContextEntry[] {
  const { blocks, managed } = outline;
  const entries: ContextEntry[] = [];
  let section: string | undefined;
  for (const [index, block] of blocks.entries()) {
    if (block.depth > 0 || isInside(block.start, managed)) continue;
    if (block.kind === 'heading' && !block.setext && block.level > 1) section = headingText(text, block);
    if (block.kind !== 'item' || block.ordered) continue;
    if (section !== undefined && isIndexSection(section)) continue;
    let last = index + 1;
    while ((blocks[last]?.depth ?? 0) > 0) last++;
    const parts = partsOf(text, type, block, blocks.slice(index + 1, last));
    const entry = parts === undefined ? undefined : entryOf(text, type, parts, section);
    if (entry !== undefined && entry.title !== '') entries.push(entry);
  }
  return entries;
}
