/** From what a person or agent typed to a {@link Draft} that can be written down: read, checked, made safe. Pure. */
import { isEntryId, normalizeContent, type EntryType } from '../entry';
import { HubError } from '../errors';
import { MAX_ID_LENGTH } from '../limits';
import { scanBlocks } from './blocks';
import { fieldKey, fieldsIn, FIELD_ORDER, isPlaceholder, REQUIRED_FIELDS, toLf } from './fields';
import type { Draft } from './model';
import { hasHeadingEntries } from './parse';
import { separateTags } from './tags';

/** An entry's own words, without what only the file adds. */
export interface DraftText {
  readonly title: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** Control characters (but not line ends and tabs) have no place in Markdown and can fool a terminal. */
const CONTROL = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u2028\u2029]/g;

const cleaned = (text: string): string => normalizeContent(toLf(text.toWellFormed()).replaceAll(CONTROL, ''));

/** On one line, as a heading or bullet needs it. */
export function cleanTitle(title: string): string {
  return cleaned(title).replaceAll(/\s+/g, ' ').trim();
}

/** Reads an entry in the form in which it is shared (PROTOCOL.md, "Content"): title, blank line, fields or body. */
export function textOfContent(type: EntryType, content: string): DraftText {
  const text = cleaned(content);
  const titleEnd = !text.includes('\n') ? text.length : text.indexOf('\n');
  const title = text.slice(0, titleEnd);
  const rest = { start: titleEnd, end: text.length };
  const opaque = scanBlocks(text).filter((block) => block.kind === 'code' || block.kind === 'html');
  const found = hasHeadingEntries(type) ? fieldsIn(text, rest, opaque) : [];
  const body = normalizeContent(text.slice(titleEnd, found[0]?.span.start ?? text.length));
  const fields: Record<string, string> = {};
  for (const { name, value } of found) {
    const key = fieldKey(name);
    fields[key] = fields[key] === undefined ? value : `${fields[key]}\n\n${value}`;
  }
  return { title: cleanTitle(title), fields, body: body === '' ? undefined : body };
}

/** A rule at the end would be taken for the one that separates entries. */
function withoutRules(text: string): string {
  const lines = text.split('\n');
  while (lines.length > 1 && /^[ \t]*(?:-[ \t]*-[ \t]*-[-\t ]*)?$/.test(lines.at(-1) ?? '')) lines.pop();
  return lines.join('\n').trimEnd();
}

/** The draft with every text in normal form and empty ones left out. */
export function cleanDraft(draft: Draft): Draft {
  const fields: Record<string, string> = {};
  for (const [name, value] of Object.entries(draft.fields)) {
    const text = withoutRules(cleaned(value).trim());
    if (text !== '') fields[fieldKey(name)] = text;
  }
  const body = draft.body === undefined ? '' : cleaned(draft.body);
  const section = draft.section === undefined ? '' : cleanTitle(draft.section);
  return {
    ...draft,
    title: cleanTitle(draft.title),
    fields,
    body: body === '' ? undefined : body,
    section: section === '' ? undefined : section,
  };
}

/** The title as it is read back: a task's `#tags` are no part of it. */
export function titleAsRead({ type, title }: Pick<Draft, 'type' | 'title'>): string {
  return type === 'task' ? separateTags(title).text.replaceAll(/\s+/g, ' ').trim() : title;
}

/** `--context` for people at a terminal; other callers name it as they like. */
export type FieldLabel = (field: string) => string;

function checkText(what: string, text: string, type: EntryType): void {
  const blocks = scanBlocks(text);
  const heading = blocks.find(
    (block) => block.kind === 'heading' && !block.setext && block.level <= 2 && block.depth === 0,
  );
  if (heading !== undefined && hasHeadingEntries(type)) {
    const line = text.slice(heading.start, heading.end);
    throw new HubError(
      'invalid',
      `The ${what} holds the heading "${line}", which would end the entry. Use ### or deeper.`,
    );
  }
  const open = blocks.find((block) => (block.kind === 'code' || block.kind === 'html') && !block.closed);
  if (open === undefined) return;
  const mark = open.kind === 'code' ? 'code fence' : 'HTML comment or tag';
  throw new HubError('invalid', `The ${what} opens a ${mark} that never ends. Close it.`);
}

/** What is required is there, and says something. */
function checkComplete(draft: Draft, label: FieldLabel): void {
  const { type, title, fields } = draft;
  if (isPlaceholder(titleAsRead(draft))) {
    throw new HubError('invalid', `A ${type} needs a title that says something, not "${title}".`);
  }
  const missing = REQUIRED_FIELDS[type].filter((field) => fields[field] === undefined);
  if (missing.length > 0) {
    throw new HubError('invalid', `A ${type} needs ${missing.map(label).join(', ')}. Say it in a sentence.`);
  }
  const empty = Object.entries(fields).find(([, value]) => isPlaceholder(value));
  if (empty !== undefined) {
    throw new HubError('invalid', `${label(empty[0])} is a placeholder ("${empty[1]}"). Say it in a sentence.`);
  }
  if (draft.section !== undefined && isPlaceholder(draft.section)) {
    throw new HubError('invalid', `${label('section')} is a placeholder ("${draft.section}"). Name a section.`);
  }
}

/**
 * Checks that a clean draft can stand in its file and breaks out of nothing. It may be incomplete, as entries of others are.
 * @throws HubError `invalid`; the message names the field by `label`
 */
export function checkFits(draft: Draft, label: FieldLabel = (field) => `field "${field}"`): void {
  const { type, title, fields, body } = draft;
  if (!isEntryId(draft.id)) {
    throw new HubError('invalid', `${label('id')} must be 1 to ${MAX_ID_LENGTH} characters of A-Z a-z 0-9 . _ : -`);
  }
  if (title === '') throw new HubError('invalid', `A ${type} needs a title.`);
  for (const [field, value] of Object.entries(fields)) {
    if (!hasHeadingEntries(type) || !isFieldName(field)) {
      throw new HubError(
        'invalid',
        `A ${type} has no ${label(field)}. It has: ${FIELD_ORDER[type].map(label).join(', ') || 'none'}.`,
      );
    }
    checkText(label(field), value, type);
  }
  if (body !== undefined) checkText('text', body, type);
  const tag = type === 'task' ? separateTags(title).tags.find((each) => each.startsWith('priority:')) : undefined;
  if (draft.priority !== undefined && tag !== undefined) {
    throw new HubError('invalid', `The title has #${tag} already. Leave it out, or leave out ${label('priority')}.`);
  }
  if (draft.priority !== undefined && !/^[A-Za-z0-9_-]{1,32}$/.test(draft.priority)) {
    throw new HubError('invalid', `${label('priority')} must be one word, such as high, medium or low.`);
  }
}

/**
 * Checks a clean draft: it says what is required, and fits into its file.
 * @throws HubError `invalid`; the message names the field by `label`
 */
export function checkDraft(draft: Draft, label: FieldLabel = (field) => `field "${field}"`): void {
  checkComplete(draft, label);
  checkFits(draft, label);
}

/** A field that a file can hold under its own name: `**Name**: …`. */
const isFieldName = (field: string): boolean => /^[a-z][a-z0-9 _-]{0,40}$/.test(field);
