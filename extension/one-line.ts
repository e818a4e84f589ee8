/** Text that others wrote, made fit for one line of the editor's surface: nothing invisible, nothing that acts. */
import { visibleLine } from '../core/visible-text';

/**
 * One line for a label, a notification or an input box. Notifications and input boxes turn `[text](command:…)` into a link
 * that runs a command; with a gap between the brackets it stays text.
 */
export function oneLine(text: string, maxLength = 200): string {
  const line = visibleLine(text.replaceAll(/\s+/g, ' ').trim()).replaceAll('](', '] (');
  return line.length <= maxLength ? line : `${line.slice(0, maxLength - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
