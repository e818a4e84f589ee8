/** What entries are found in: the top-level headings and list items of a file, its sections, and what is out of bounds. */
import { scanBlocks, type Block, type CodeBlock, type HeadingBlock, type HtmlBlock } from './blocks';
import type { ContextSection, Span } from './model';

export type OpaqueBlock = CodeBlock | HtmlBlock;

export interface Outline {
  readonly blocks: readonly Block[];
  /** `#` headings that stand in no list and no quote. Underlined ones count as text: `---` separates entries. */
  readonly headings: readonly HeadingBlock[];
  /** Code and raw HTML, in order: nothing in there means anything. */
  readonly opaque: readonly OpaqueBlock[];
  /** Written by other tools between `<!-- NAME:START -->` and `<!-- NAME:END -->`, such as an index. */
  readonly managed: readonly Span[];
}

const MARKER = /^<!--\s*([\w:.-]+):(START|END)\b/i;

function managedRegions(blocks: readonly Block[], text: string): Span[] {
  const regions: Span[] = [];
  let open: { name: string; start: number } | undefined;
  for (const block of blocks) {
    if (block.kind !== 'html' || !block.comment || block.depth > 0) continue;
    const match = MARKER.exec(text.slice(block.start, block.end));
    const name = match?.[1]?.toLowerCase();
    if (name === undefined) continue;
    if (match?.[2]?.toUpperCase() === 'START') open ??= { name, start: block.start };
    else if (open?.name === name) {
      regions.push({ start: open.start, end: block.end });
      open = undefined;
    }
  }
  return regions;
}

export function outlineOf(text: string): Outline {
  const blocks = scanBlocks(text);
  const headings: HeadingBlock[] = [];
  const opaque: OpaqueBlock[] = [];
  for (const block of blocks) {
    if (block.kind === 'heading' && !block.setext && block.depth === 0) headings.push(block);
    else if (block.kind === 'code' || block.kind === 'html') opaque.push(block);
  }
  return { blocks, headings, opaque, managed: managedRegions(blocks, text) };
}

export const isInside = (at: number, spans: readonly Span[]): boolean =>
  spans.some((span) => span.start <= at && at < span.end);

/** Index of the first of `blocks` (in order) that begins at `at` or later. */
export function firstFrom(blocks: readonly Span[], at: number): number {
  let low = 0;
  let high = blocks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((blocks[middle]?.start ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function opaqueWithin(outline: Outline, span: Span): readonly OpaqueBlock[] {
  return outline.opaque.slice(firstFrom(outline.opaque, span.start), firstFrom(outline.opaque, span.end));
}

/** `## Themes` is a table of contents to folders of older entries: what it lists are no entries. */
export const isIndexSection = (title: string): boolean => /^(?:themes|index)$/i.test(title.trim());

export const headingText = (text: string, heading: HeadingBlock): string =>
  text.slice(heading.textStart, heading.textEnd);

/** Sections below the file's title, without those headings that are entries. */
export function sectionsOf(
  text: string,
  headings: readonly HeadingBlock[],
  isEntry: (heading: HeadingBlock) => boolean,
): ContextSection[] {
  const sections: ContextSection[] = [];
  // Backwards, with the start of the nearest later heading of each rank or above.
  const nextOfLevel = new Array<number>(7).fill(text.length);
  for (const heading of headings.toReversed()) {
    const { level, start, textStart, textEnd } = heading;
    if (level > 1 && !isEntry(heading)) {
      const end = endOfText(text, start, nextOfLevel[level] ?? text.length);
      const title = headingText(text, heading);
      sections.push({ title, level, span: { start, end }, titleSpan: { start: textStart, end: textEnd } });
    }
    nextOfLevel.fill(start, level);
  }
  return sections.reverse();
}

/** Where the last character before `end` that is no white space ends. */
function endOfText(text: string, start: number, end: number): number {
  let at = end;
  while (at > start && /\s/.test(text.charAt(at - 1))) at--;
  return at;
}
