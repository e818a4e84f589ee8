/**
 * How every command speaks: data on standard output, everything else on standard error, JSON in one form, and untrusted
 * text only through {@link shown} and {@link shownBlock}, so that no entry can steer a terminal.
 */
import { visibleLine, visibleText } from '../core/visible-text';

export { jsonAnswer } from '../core/command-line/end';

/** Text of entries, file names and other people's words, for one line. */
export const shown = visibleLine;

/** The same for several lines: line feeds and tabs stay. */
export const shownBlock = visibleText;

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
