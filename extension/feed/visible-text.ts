/** Text that others wrote, made fit for one line of the editor's surface: nothing invisible, nothing that acts. */

/** C0 and C1 controls (but tab and line feed), bidirectional overrides, zero-width characters, Unicode tags. */
const INVISIBLE =
  /[\0-\x08\x0B-\x1F\x7F-\x9F\u00AD\u061C\u200B\u200C\u200E\u200F\u2028-\u202E\u2060-\u206F\uFEFF\u{E0000}-\u{E007F}]/gu;

/** Shows what would hide or re-order text as `\u{…}`. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`);
}

/**
 * One line for a label, a notification or an input box. Notifications and input boxes turn `[text](command:…)` into a link
 * that runs a command; with a gap between the brackets it stays text.
 */
export function oneLine(text: string, maxLength = 200): string {
  const line = visible(text.replaceAll(/\s+/g, ' ').trim()).replaceAll('](', '] (');
  return line.length <= maxLength ? line : `${line.slice(0, maxLength - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
