/** Reads a `.context` file: which entries and sections it holds and where. Never fails: what is no entry is text. */
import type { EntryType } from '../entry';
import { bulletEntries } from './bullet-entries';
import { headingEntries, isEntryHeading } from './heading-entries';
import type { ContextDocument, ContextEntry } from './model';
import { outlineOf, sectionsOf, type Outline } from './outline';

export const hasHeadingEntries = (type: EntryType): boolean => type === 'decision' || type === 'learning';

export function parseContext(type: EntryType, text: string): ContextDocument {
  return documentOf(type, text, outlineOf(text));
}

export function documentOf(type: EntryType, text: string, outline: Outline): ContextDocument {
  const byHeading = hasHeadingEntries(type);
  return {
    type,
    entries: byHeading ? headingEntries(text, type, outline) : bulletEntries(text, type, outline),
    sections: sectionsOf(text, outline.headings, (heading) => byHeading && isEntryHeading(text, heading)),
  };
}

/** What a local file calls an entry; its derived id hangs on it. Equal for all who have the same file. */
export function headingOf(entry: Pick<ContextEntry, 'title' | 'date'>): string {
  return entry.date === undefined ? entry.title : `[${entry.date}] ${entry.title}`;
}
