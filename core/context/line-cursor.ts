/** A position within one line that counts columns as CommonMark does: a tab goes to the next multiple of four. */

const TAB = 0x09;
const SPACE = 0x20;

/** Four columns make code of a line and a list of its parent's text. */
export const CODE_INDENT = 4;

const columnAfterTab = (column: number): number => column + CODE_INDENT - (column % CODE_INDENT);

export class LineCursor {
  /** Offset into the whole text of the next character to read. */
  at = 0;
  column = 0;
  /** Offset of the first character from here that is no space or tab; {@link end} on a blank rest. */
  next = 0;
  private nextColumn = 0;

  constructor(
    readonly text: string,
    public end = 0,
  ) {}

  /** Moves to the start of the line at `start`; `end` excludes the line end. */
  open(start: number, end: number): void {
    this.at = start;
    this.end = end;
    this.column = 0;
    this.look();
  }

  private look(): void {
    let at = this.at;
    let column = this.column;
    for (; at < this.end; at++) {
      const code = this.text.charCodeAt(at);
      if (code === SPACE) column++;
      else if (code === TAB) column = columnAfterTab(column);
      else break;
    }
    this.next = at;
    this.nextColumn = column;
  }

  get blank(): boolean {
    return this.next >= this.end;
  }

  /** Columns of white space from here to {@link next}. */
  get indent(): number {
    return this.nextColumn - this.column;
  }

  /** The character code at {@link next}; NaN on a blank rest. */
  get code(): number {
    return this.next < this.end ? this.text.charCodeAt(this.next) : NaN;
  }

  /** From {@link next} to the end of the line. */
  get rest(): string {
    return this.text.slice(this.next, this.end);
  }

  toNext(): void {
    this.at = this.next;
    this.column = this.nextColumn;
  }

  /** Over `count` characters that are no tabs. */
  skip(count: number): void {
    this.at += count;
    this.column += count;
    this.look();
  }

  /** Over up to `count` columns of white space; may end inside a tab. */
  skipColumns(count: number): void {
    let left = count;
    while (left > 0 && this.at < this.end) {
      const code = this.text.charCodeAt(this.at);
      if (code !== SPACE && code !== TAB) break;
      const width = code === TAB ? columnAfterTab(this.column) - this.column : 1;
      const step = Math.min(width, left);
      this.column += step;
      left -= step;
      if (step === width) this.at++;
    }
    this.look();
  }
}
