/** `<!-- ctx:id=… -->`: how an entry in a local file says its id. */
import type { Span } from './model';

/** At the end of a line, after white space or alone on it: so never inside a code span. */
const ID_COMMENT = /(?:^|[ \t]+)<!-- ctx:id=([A-Za-z0-9._:-]{1,128}) -->[ \t]*$/;

export const renderIdComment = (id: string): string => `<!-- ctx:id=${id} -->`;

export interface IdComment {
  readonly id: string;
  /** Of the comment and the white space before it. */
  readonly span: Span;
}

/** @param offset where the line begins in its text */
export function idComment(line: string, offset = 0): IdComment | undefined {
  const match = line.includes('<!-- ctx:id=') ? ID_COMMENT.exec(line) : null;
  const id = match?.[1];
  if (match === null || id === undefined) return undefined;
  return { id, span: { start: offset + match.index, end: offset + line.length } };
}
