/** How a line can begin a block, as CommonMark 0.31 says it: headings, fences, raw HTML, rules, list markers. Pure. */

export interface AtxHeading {
  readonly level: number;
  /** Of the text, relative to the `#`. */
  readonly textStart: number;
  readonly textEnd: number;
}

const ATX = /^(#{1,6})(?:[ \t]+|$)/;
const ATX_CLOSING = /(?:^|[ \t]+)#+[ \t]*$/;

/** @param line from its first character that is no white space */
export function atxHeading(line: string): AtxHeading | undefined {
  const opening = ATX.exec(line);
  if (opening === null) return undefined;
  const textStart = opening[0].length;
  const text = line.slice(textStart).replace(ATX_CLOSING, '').trimEnd();
  return { level: opening[1]?.length ?? 1, textStart, textEnd: textStart + text.length };
}

export interface Fence {
  readonly mark: '`' | '~';
  readonly length: number;
}

const OPENING_FENCE = /^(?:(`{3,})[^`]*|(~{3,}).*)$/;

export function openingFence(line: string): Fence | undefined {
  const match = OPENING_FENCE.exec(line);
  if (match === null) return undefined;
  const [, ticks, tildes] = match;
  return ticks === undefined ? { mark: '~', length: tildes?.length ?? 3 } : { mark: '`', length: ticks.length };
}

const CLOSING_FENCE = /^(`{3,}|~{3,})[ \t]*$/;

export function closesFence(line: string, fence: Fence): boolean {
  const run = CLOSING_FENCE.exec(line)?.[1];
  return run?.[0] === fence.mark && run.length >= fence.length;
}

/** One of CommonMark's seven kinds of raw HTML: what begins it, what line ends it (`undefined` = the next blank line). */
export interface HtmlKind {
  readonly name: 'text' | 'comment' | 'instruction' | 'declaration' | 'cdata' | 'block' | 'tag';
  readonly start: RegExp;
  readonly end: RegExp | undefined;
}

const BLOCK_NAMES =
  'address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|dt|' +
  'fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|' +
  'menuitem|nav|noframes|ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|title|tr|' +
  'track|ul';
const ATTRIBUTE = '[ \\t]+[A-Za-z_:][\\w.:-]*(?:[ \\t]*=[ \\t]*(?:[^\\s"\'=<>`]+|\'[^\']*\'|"[^"]*"))?';
const ONE_TAG = `^(?:<[A-Za-z][A-Za-z0-9-]*(?:${ATTRIBUTE})*[ \\t]*/?>|</[A-Za-z][A-Za-z0-9-]*[ \\t]*>)[ \\t]*$`;

export const HTML_KINDS: readonly HtmlKind[] = [
  { name: 'text', start: /^<(?:script|pre|style|textarea)(?:[ \t>]|$)/i, end: /<\/(?:script|pre|style|textarea)>/i },
  { name: 'comment', start: /^<!--/, end: /-->/ },
  { name: 'instruction', start: /^<\?/, end: /\?>/ },
  { name: 'declaration', start: /^<![A-Za-z]/, end: />/ },
  { name: 'cdata', start: /^<!\[CDATA\[/, end: /\]\]>/ },
  { name: 'block', start: new RegExp(`^</?(?:${BLOCK_NAMES})(?:[ \\t]|/?>|$)`, 'i'), end: undefined },
  { name: 'tag', start: new RegExp(ONE_TAG), end: undefined },
];

/** @param interrupts whether the line would break a paragraph, which a lone unknown tag may not */
export function htmlStart(line: string, interrupts: boolean): HtmlKind | undefined {
  return HTML_KINDS.find((kind) => kind.start.test(line) && !(kind.name === 'tag' && interrupts));
}

const RULE = /^(?:(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|(?:-[ \t]*){3,})$/;
export const isRule = (line: string): boolean => RULE.test(line);

const SETEXT = /^(=+|-+)[ \t]*$/;
export const setextLevel = (line: string): number | undefined => {
  const mark = SETEXT.exec(line)?.[1]?.[0];
  return mark === undefined ? undefined : mark === '=' ? 1 : 2;
};

export interface ListMarker {
  readonly length: number;
  readonly ordered: boolean;
}

const MARKER = /^(?:[*+-]|(\d{1,9})[.)])(?=([ \t]*)([^ \t])?)/;

/** @param interrupts whether the line would break a paragraph, which an empty item or a number other than 1 may not */
export function listMarker(line: string, interrupts: boolean): ListMarker | undefined {
  const match = MARKER.exec(line);
  if (match === null) return undefined;
  const [marker, number, space, follower] = match;
  if (space === '' && follower !== undefined) return undefined;
  if (interrupts && (follower === undefined || (number !== undefined && Number(number) !== 1))) return undefined;
  return { length: marker.length, ordered: number !== undefined };
}
