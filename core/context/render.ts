/** Writes one entry in the form of its file (PROTOCOL.md, "Project directory"). Pure; LF line ends, none at the end. */
import { FIELD_ORDER } from './fields';
import { renderIdComment } from './id-comment';
import type { Draft } from './model';
import { hasHeadingEntries } from './parse';

const capitalized = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

/** Lists, quotes, code and tables begin on a line of their own; other text follows the name. */
const STANDS_ALONE = /^(?:[-*+>|]|#{3,6}[ \t]|\d{1,9}[.)]|`{3}|~{3}|<)/;

function renderField(name: string, value: string): string {
  return `**${capitalized(name)}**:${STANDS_ALONE.test(value) ? '\n' : ' '}${value}`;
}

/** A heading would lose trailing `#` as its closing mark. */
const headingTitle = (title: string): string => title.replace(/(^|\s)(#+)$/, '$1\\$2');

function renderHeadingEntry(draft: Draft): string {
  const order = FIELD_ORDER[draft.type];
  const fields: Record<string, string> = { ...draft.fields };
  if (draft.type === 'decision') {
    fields['status'] ??= 'Accepted';
  }
  const others = Object.keys(fields).filter((name) => !order.includes(name));
  const paragraphs = [...order, ...others]
    .map((name) => ({ name, value: fields[name] }))
    .flatMap(({ name, value }) => {
      if (value !== undefined) return [renderField(name, value)];
      // The title says it then, and stays one line of text whatever it begins with.
      return name === 'decision' ? [`**Decision**: ${draft.title}`] : [];
    });
  return [
    `## [${draft.date}] ${headingTitle(draft.title)}`,
    renderIdComment(draft.id),
    ...(draft.body === undefined ? [] : [draft.body]),
    ...paragraphs,
  ].join('\n\n');
}

const indented = (text: string): string => text.replaceAll(/^(?=.)/gm, '  ');

function renderBullet(draft: Draft, bullet: string): string {
  const task = draft.type === 'task';
  const tags = task
    ? [...(draft.priority === undefined ? [] : [`#priority:${draft.priority}`]), `#added:${draft.date}`]
    : [];
  const words = [bullet, ...(task ? ['[ ]'] : []), draft.title, ...tags, renderIdComment(draft.id)];
  const body = draft.body === undefined ? '' : `\n\n${indented(draft.body)}`;
  return words.join(' ') + body;
}

/**
 * @param draft cleaned and checked (draft.ts)
 * @param bullet the mark of the list that it goes into
 */
export function renderDraft(draft: Draft, bullet: '-' | '*' | '+' = '-'): string {
  return hasHeadingEntries(draft.type) ? renderHeadingEntry(draft) : renderBullet(draft, bullet);
}
