/** Untrusted text for a place where people or agents read it: what cannot be seen is shown, nothing else is changed. */

/**
 * Controls (C0, C1), formats (bidi, zero-width, tags), line and paragraph separators, variation selectors but those of
 * emoji: they hide text, reorder it, or steer a terminal.
 */
const INVISIBLE = /(?![\ufe0e\ufe0f])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Variation_Selector}]/gu;

const show = (char: string): string => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;

/** One line: line feeds and tabs are shown too. */
export function visibleLine(text: string): string {
  return text.replaceAll(INVISIBLE, show);
}

/** Several lines: line feeds and tabs stay. */
export function visibleText(text: string): string {
  return text.replaceAll(INVISIBLE, (char) => (char === '\n' || char === '\t' ? char : show(char)));
}
