/** The `**Name**: value` paragraphs of decisions and learnings: which there are, which are required, what is no answer. */
import type { EntryType } from '../entry';
import { linesOf } from './blocks';
import type { ContextField, Span } from './model';

/** In the order in which they are written. `status` is ours to fill in. */
export const FIELD_ORDER: Readonly<Record<EntryType, readonly string[]>> = {
  decision: ['status', 'context', 'decision', 'rationale', 'consequence'],
  learning: ['context', 'lesson', 'application'],
  convention: [],
  task: [],
};

export const REQUIRED_FIELDS: Readonly<Record<EntryType, readonly string[]>> = {
  decision: ['context', 'rationale', 'consequence'],
  learning: ['context', 'lesson', 'application'],
  convention: [],
  task: [],
};

/** Lower case, singular: people write `Consequences` as well. */
export function fieldKey(name: string): string {
  const key = name.trim().toLowerCase();
  const singular = key.replace(/s$/, '');
  return ['consequence', 'lesson', 'application', 'rationale', 'decision', 'context'].includes(singular)
    ? singular
    : key;
}

const FIELD = /^\*\*([^*\s](?:[^*\n]{0,60}[^*\s])?)(?:\*\*[ \t]*:|:[ \t]*\*\*)[ \t]*/;

/** A line that begins a field: its name and how many characters come before the value. */
export function fieldStart(line: string): { readonly name: string; readonly length: number } | undefined {
  const match = line.startsWith('**') ? FIELD.exec(line) : null;
  const name = match?.[1]?.replace(/:$/, '');
  return match === null || name === undefined ? undefined : { name, length: match[0].length };
}

/**
 * The fields of the text in `span`, each up to the next one.
 * @param opaque code and raw HTML, in order, whose lines are no fields
 */
export function fieldsIn(text: string, span: Span, opaque: readonly Span[]): ContextField[] {
  const starts: { name: string; at: number; valueAt: number }[] = [];
  let next = 0;
  for (const [start, end] of linesOf(text, span.start, span.end)) {
    while ((opaque[next]?.end ?? Infinity) < start) next++;
    if ((opaque[next]?.start ?? Infinity) <= start) continue;
    const field = text.startsWith('**', start) ? fieldStart(text.slice(start, end)) : undefined;
    if (field !== undefined) starts.push({ name: field.name, at: start, valueAt: start + field.length });
  }
  return starts.map(({ name, at, valueAt }, index) => {
    const raw = text.slice(at, starts[index + 1]?.at ?? span.end).trimEnd();
    const end = at + raw.length;
    return { name, value: toLf(text.slice(valueAt, end)).trim(), span: { start: at, end } };
  });
}

export const toLf = (text: string): string => text.replaceAll(/\r\n?/g, '\n');

const PLACEHOLDERS: ReadonlySet<string> = new Set([
  '',
  'tbd',
  'tba',
  'tbc',
  'todo',
  'fixme',
  'n/a',
  'na',
  'none',
  'nil',
  'null',
  'undefined',
  'pending',
  'placeholder',
  'unknown',
  'later',
  'x',
  'xx',
  'xxx',
  'to be determined',
  'to be defined',
  'to be done',
  'to do',
  'fill in',
  'fill me in',
  'fill this in',
  'not applicable',
  'lorem ipsum',
]);

/** A phrase in brackets is a template that nobody filled in: `[why]`, `<context>`, `{{x}}`. Links and checkboxes are not. */
const TEMPLATE = /^(?:\[[^[\]]+\]|<[^<>]+>|\{+[^{}]+\}+)$/;

/** Whether a value says nothing: `tbd`, `n/a`, `…`, punctuation only, or a template's own words. */
export function isPlaceholder(value: string): boolean {
  const bare = value.trim().toLowerCase();
  if (TEMPLATE.test(bare)) return true;
  if (!/[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(bare)) return true;
  const words = bare.replace(/^[\s"'`*_~.,;:!?…–—-]+/u, '').replace(/[\s"'`*_~.,;:!?…–—-]+$/u, '');
  return PLACEHOLDERS.has(words);
}
