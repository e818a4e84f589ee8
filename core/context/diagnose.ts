/** What is wrong with a `.context` file, for the editor and `ctx doctor`. Pure; never changes anything. */
import type { HeadingBlock } from './blocks';
import { fieldKey, isPlaceholder, REQUIRED_FIELDS } from './fields';
import { headingDate, isEntryDate, isEntryHeading } from './heading-entries';
import type { ContextDocument, ContextEntry, Problem } from './model';
import { headingText, isIndexSection, outlineOf, type Outline } from './outline';
import { hasHeadingEntries } from './parse';

function fieldProblems(entry: ContextEntry): Problem[] {
  const named = new Set(entry.fields.map(({ name }) => fieldKey(name)));
  const missing = REQUIRED_FIELDS[entry.type]
    .filter((field) => !named.has(field))
    .map((field): Problem => {
      const message = `This ${entry.type} has no **${field.charAt(0).toUpperCase()}${field.slice(1)}**.`;
      return { code: 'missing-field', message, span: entry.titleSpan };
    });
  const empty = entry.fields
    .filter(({ value }) => isPlaceholder(value))
    .map(({ name, value, span }): Problem => {
      const message = value === '' ? `**${name}** is empty.` : `**${name}** is a placeholder ("${value}").`;
      return { code: 'placeholder', message, span };
    });
  return [...missing, ...empty];
}

/** Entries that cannot be told apart: the same id, or without ids the same heading. */
function duplicates(entries: readonly ContextEntry[]): Problem[] {
  const seen = new Map<string, ContextEntry>();
  const problems: Problem[] = [];
  for (const entry of entries) {
    const key = entry.id === undefined ? `heading ${entry.date ?? ''} ${entry.title}` : `id ${entry.id}`;
    if (!seen.has(key)) {
      seen.set(key, entry);
      continue;
    }
    const message =
      entry.id === undefined
        ? `Another ${entry.type} here has the same heading, so both would be shared as one. Change one title.`
        : `Another ${entry.type} here has the id ${entry.id}. Remove the comment from the copy.`;
    problems.push({ code: 'duplicate-id', message, span: entry.titleSpan });
  }
  return problems;
}

const WELL_FORMED = '"## [YYYY-MM-DD] Title" or "## [YYYY-MM-DD-HHMMSS] Title"';

/** Headings that mean to be entries: a wrong date, or no date but an entry's fields below. */
function headingProblems(document: ContextDocument, text: string, outline: Outline): Problem[] {
  const problems: Problem[] = [];
  const sectionEnds = new Map(document.sections.map(({ titleSpan, span }) => [titleSpan.start, span.end]));
  const fields = REQUIRED_FIELDS[document.type].map((field) => new RegExp(`^\\*\\*${field}`, 'im'));
  /** Whether all of an entry's required fields stand below a heading that is none. */
  const looksLikeEntry = (heading: HeadingBlock): boolean => {
    const body = text.slice(heading.end, sectionEnds.get(heading.textStart) ?? heading.end);
    return fields.every((field) => field.test(body));
  };
  for (const heading of outline.headings) {
    if (heading.level !== 2) continue;
    const title = headingText(text, heading);
    const span = { start: heading.start, end: heading.end };
    const date = headingDate(title);
    if (isEntryHeading(text, heading) && date !== undefined) {
      if (isEntryDate(date)) continue;
      problems.push({ code: 'malformed-heading', message: `There is no date ${date}. Write ${WELL_FORMED}.`, span });
    } else if (!isIndexSection(title) && (title.startsWith('[') || looksLikeEntry(heading))) {
      problems.push({ code: 'malformed-heading', message: `This heading has no date. Write ${WELL_FORMED}.`, span });
    }
  }
  return problems;
}

/** What hides everything below it: entries there are not seen. */
export const unclosedIn = (text: string): Problem[] => unclosed(outlineOf(text));

function unclosed(outline: Outline): Problem[] {
  return outline.opaque
    .filter((block) => !block.closed)
    .map(({ kind, start, end }): Problem => {
      const span = { start, end };
      return kind === 'code'
        ? { code: 'unclosed-fence', message: 'This code fence never ends: everything below it is code.', span }
        : { code: 'unclosed-comment', message: 'This comment never ends: everything below it is hidden.', span };
    });
}

/** @param document what {@link parseContext} made of `text` */
export function diagnose(document: ContextDocument, text: string): Problem[] {
  const outline = outlineOf(text);
  const problems = [
    ...document.entries.flatMap(fieldProblems),
    ...duplicates(document.entries),
    ...(hasHeadingEntries(document.type) ? headingProblems(document, text, outline) : []),
    ...unclosed(outline),
  ];
  return problems.sort((a, b) => a.span.start - b.span.start);
}
