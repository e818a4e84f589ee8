/**
 * How every command speaks: data on standard output, everything else on standard error, JSON in one form, and untrusted
 * text only through {@link shown} and {@link shownBlock}, so that no entry can steer a terminal.
 */
import { visibleLine, visibleText } from '../core/visible-text';

/** Text of entries, file names and other people's words, for one line. */
export const shown = visibleLine;

/** The same for several lines: line feeds and tabs stay. */
export const shownBlock = visibleText;

/** Characters that a terminal or a line-based reader may take for something else, as JSON escapes: ASCII only. */
function asciiOnly(json: string): string {
  return json.replaceAll(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The one form of every `--json` answer: one line. */
export function jsonAnswer(kind: string, members: object): string {
  return `${asciiOnly(JSON.stringify({ schemaVersion: 1, kind, ...members }))}\n`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
