/** Where a new entry goes in a file that people wrote: one splice, and every other byte stays (PROTOCOL.md). Pure. */
import { HubError } from '../errors';
import type { EntryType } from '../entry';
import { lineNumberAt, type Block, type HeadingBlock, type ItemBlock } from './blocks';
import { isEntryHeading } from './heading-entries';
import type { Draft, Splice } from './model';
import { headingText, isIndexSection, isInside, outlineOf, type Outline } from './outline';
import { hasHeadingEntries } from './parse';
import { renderDraft } from './render';

/** Where conventions and tasks go that name no section. */
export const DEFAULT_SECTION = 'General';

const SECTION_LEVEL: Readonly<Record<EntryType, number>> = { decision: 2, learning: 2, convention: 2, task: 3 };

const lineEndOf = (text: string): string => /\r\n|\n|\r/.exec(text)?.[0] ?? '\n';

export function applySplice(text: string, { span, text: inserted }: Splice): string {
  return text.slice(0, span.start) + inserted + text.slice(span.end);
}

/** An insertion in the file's own line ends. */
function insertion(text: string, at: number, inserted: string): Splice {
  return { span: { start: at, end: at }, text: inserted.replaceAll('\n', lineEndOf(text)) };
}

/** Line ends that make the text before `at` end in a blank line. */
function gapBefore(text: string, at: number): string {
  const before = text.slice(0, at).replace(/^\uFEFF/, '');
  if (before.trim() === '') return '';
  const ends = /(?:(?:\r\n|\n|\r)[ \t]*)*$/.exec(before)?.[0].match(/\r\n|\n|\r/g)?.length ?? 0;
  return '\n'.repeat(Math.max(0, 2 - ends));
}

/** What stays open at the end of the file would swallow an entry put there. @throws HubError `bad_data` */
function checkEndIsOpen(text: string, blocks: readonly Block[]): void {
  const open = blocks.find(
    (block) => (block.kind === 'html' || block.kind === 'code') && !block.closed && block.depth === 0,
  );
  if (open === undefined) return;
  const what = open.kind === 'code' ? 'code fence' : 'HTML comment or tag';
  throw new HubError(
    'bad_data',
    `Line ${lineNumberAt(text, open.start)} opens a ${what} that never ends. Close it first.`,
  );
}

/** At the very end; a file that had no final newline gets none. */
function appendAtEnd(text: string, rendered: string, blocks: readonly Block[]): Splice {
  checkEndIsOpen(text, blocks);
  const ended = text === '' || /[\r\n]$/.test(text);
  return insertion(text, text.length, gapBefore(text, text.length) + rendered + (ended ? '\n' : ''));
}

/** Without those that another tool writes and would write anew. */
const ownHeadings = ({ headings, managed }: Outline): HeadingBlock[] =>
  headings.filter(({ start }) => !isInside(start, managed));

function insertHeadingEntry(text: string, draft: Draft, outline: Outline): Splice {
  const rendered = renderDraft(draft);
  const second = ownHeadings(outline).filter(({ level }) => level === 2);
  const first = second.find((heading) => isEntryHeading(text, heading));
  // No entry yet: above the first section that is there, so that the newest always comes first.
  const before = first ?? second[0];
  if (before === undefined) return appendAtEnd(text, rendered, outline.blocks);
  return insertion(text, before.start, `${gapBefore(text, before.start)}${rendered}\n\n---\n\n`);
}

const sameTitle = (a: string, b: string): boolean => a.trim().toLowerCase() === b.trim().toLowerCase();

/** The heading of the section called `title`: of the usual rank if there is one, else the first. */
function findSection(text: string, type: EntryType, title: string, outline: Outline): HeadingBlock | undefined {
  const named = ownHeadings(outline).filter(
    (heading) => heading.level > 1 && sameTitle(headingText(text, heading), title),
  );
  return named.find(({ level }) => level === SECTION_LEVEL[type]) ?? named[0];
}

function isLooseList(text: string, items: readonly ItemBlock[]): boolean {
  const [before, last] = items.slice(-2);
  return (
    before !== undefined &&
    last !== undefined &&
    /(?:\r\n|\n|\r)[ \t]*(?:\r\n|\n|\r)/.test(text.slice(before.end, last.start))
  );
}

function bulletOf(text: string, item: ItemBlock): '-' | '*' | '+' {
  const mark = text.charAt(item.start);
  return mark === '*' || mark === '+' ? mark : '-';
}

/** After the section's last list item; a list of its own where there is none. */
function insertIntoSection(text: string, draft: Draft, heading: HeadingBlock, outline: Outline): Splice {
  const next = ownHeadings(outline).find((each) => each.start > heading.start)?.start ?? text.length;
  const own = outline.blocks.filter(
    ({ start, depth }) => depth === 0 && start > heading.start && start < next && !isInside(start, outline.managed),
  );
  const items = own.filter((block): block is ItemBlock => block.kind === 'item' && !block.ordered);
  const last = items.at(-1);
  if (last !== undefined) {
    const joint = isLooseList(text, items) ? '\n\n' : '\n';
    return insertion(text, last.end, joint + renderDraft(draft, bulletOf(text, last)));
  }
  // Below what introduces the section, above a rule that closes it.
  const introduction = own.findLast(({ kind }) => kind !== 'rule') ?? heading;
  if (introduction !== heading) checkEndIsOpen(text, [introduction]);
  return insertion(text, introduction.end, `\n\n${renderDraft(draft)}`);
}

function insertBullet(text: string, draft: Draft, outline: Outline): Splice {
  const title = draft.section ?? DEFAULT_SECTION;
  if (isIndexSection(title)) {
    throw new HubError('invalid', `"${title}" is the file's table of contents. Name another section.`);
  }
  const heading = findSection(text, draft.type, title, outline);
  if (heading !== undefined) return insertIntoSection(text, draft, heading, outline);
  const section = `${'#'.repeat(SECTION_LEVEL[draft.type])} ${title}\n\n${renderDraft(draft)}`;
  const index = ownHeadings(outline).find((each) => each.level === 2 && isIndexSection(headingText(text, each)));
  if (index === undefined) return appendAtEnd(text, section, outline.blocks);
  return insertion(text, index.start, `${gapBefore(text, index.start)}${section}\n\n`);
}

/**
 * The one change that puts a cleaned and checked draft into the text of its file.
 * @param outline of the text, for who has it already
 * @throws HubError `bad_data` when the place for it lies in an unclosed comment or fence, `invalid` for an index section
 */
export function insertEntry(text: string, draft: Draft, outline: Outline = outlineOf(text)): Splice {
  return hasHeadingEntries(draft.type) ? insertHeadingEntry(text, draft, outline) : insertBullet(text, draft, outline);
}
