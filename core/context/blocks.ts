/**
 * The block structure of a Markdown text, line by line, with offsets: headings, code, raw HTML (comments), list items,
 * rules. Follows the method in CommonMark's appendix, but builds no tree and reads no inline text. Pure and linear.
 */
import {
  atxHeading,
  closesFence,
  htmlStart,
  isRule,
  listMarker,
  openingFence,
  setextLevel,
  type Fence,
  type HtmlKind,
  type ListMarker,
} from './block-starts';
import { CODE_INDENT, LineCursor } from './line-cursor';

interface Place {
  readonly start: number;
  /** Exclusive; without the line end. */
  readonly end: number;
  /** Number of list items and quotes around it; 0 = at the top. */
  readonly depth: number;
}

export interface HeadingBlock extends Place {
  readonly kind: 'heading';
  readonly level: number;
  /** Underlined with `===` or `---` instead of marked with `#`. */
  readonly setext: boolean;
  readonly textStart: number;
  readonly textEnd: number;
}

export interface CodeBlock extends Place {
  readonly kind: 'code';
  readonly fenced: boolean;
  /** Ended by its own fence; always true for indented code. */
  readonly closed: boolean;
}

export interface HtmlBlock extends Place {
  readonly kind: 'html';
  readonly comment: boolean;
  /** Ended by its own end mark; always true for kinds that a blank line ends. */
  readonly closed: boolean;
}

export interface ItemBlock extends Place {
  readonly kind: 'item';
  readonly ordered: boolean;
  /** Offset of the first character after the marker and its white space. */
  readonly contentStart: number;
  /** Columns by which its further lines are indented. */
  readonly indent: number;
}

export interface RuleBlock extends Place {
  readonly kind: 'rule';
}

export interface ParagraphBlock extends Place {
  readonly kind: 'paragraph';
}

export type Block = HeadingBlock | CodeBlock | HtmlBlock | ItemBlock | RuleBlock | ParagraphBlock;

type Open<T> = { -readonly [K in keyof T]: T[K] };

/** A quote or list item that further lines may belong to. */
interface Container {
  readonly kind: 'quote' | 'item';
  /** Columns that a line needs to belong to an item. */
  readonly indent: number;
  /** Nothing has followed its marker so far: a blank line ends it. */
  empty: boolean;
  readonly block: Open<ItemBlock> | undefined;
}

type Leaf =
  | { readonly kind: 'fence'; readonly block: Open<CodeBlock>; readonly fence: Fence }
  | { readonly kind: 'indented'; readonly block: Open<CodeBlock> }
  | { readonly kind: 'html'; readonly block: Open<HtmlBlock>; readonly html: HtmlKind }
  | { readonly kind: 'paragraph'; readonly block: Open<ParagraphBlock> };

/** Deeper than any text that is meant to be read; what would go deeper is text, so that time stays linear. */
const MAX_NESTING = 100;
const GREATER = 0x3e;
const BYTE_ORDER_MARK = 0xfeff;

/** Letters and everything beyond ASCII begin nothing but text: most lines are done with after one look. */
const mayBeginBlock = (code: number): boolean => code < 0x80 && !((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a);

class BlockScanner {
  readonly blocks: Block[] = [];
  private readonly line: LineCursor;
  private readonly containers: Container[] = [];
  private leaf: Leaf | undefined;
  /** How many of {@link containers} the current line belongs to. */
  private matched = 0;

  constructor(text: string) {
    this.line = new LineCursor(text);
  }

  /** @param end without the line end */
  scanLine(start: number, end: number): void {
    this.line.open(start, end);
    this.matchContainers();
    if (this.continueLeaf()) return;
    if (this.openBlocks()) return;
    this.addText();
  }

  private get allMatched(): boolean {
    return this.matched === this.containers.length;
  }

  /** An open paragraph that this line would continue as of right, not lazily. */
  private get inParagraph(): boolean {
    return this.allMatched && this.leaf?.kind === 'paragraph';
  }

  private matchContainers(): void {
    const { line } = this;
    this.matched = 0;
    for (const container of this.containers) {
      if (container.kind === 'quote') {
        if (!this.skipQuoteMark()) return;
      } else if (line.blank) {
        if (container.empty) return;
        line.toNext();
      } else if (line.indent >= container.indent) line.skipColumns(container.indent);
      else return;
      this.matched++;
    }
  }

  private skipQuoteMark(): boolean {
    const { line } = this;
    if (line.indent >= CODE_INDENT || line.code !== GREATER) return false;
    line.toNext();
    line.skip(1);
    line.skipColumns(1);
    this.extendItems(this.matched);
    return true;
  }

  /** Lines inside code and raw HTML. @returns whether the line is dealt with */
  private continueLeaf(): boolean {
    const { leaf, line } = this;
    if (leaf === undefined || leaf.kind === 'paragraph') return false;
    if (!this.allMatched) {
      this.leaf = undefined;
      return false;
    }
    if (leaf.kind === 'indented') {
      if (line.blank) return true;
      if (line.indent < CODE_INDENT) this.leaf = undefined;
      else this.extend(leaf.block);
      return this.leaf !== undefined;
    }
    if (leaf.kind === 'html' && leaf.html.end === undefined && line.blank) {
      this.leaf = undefined;
      return true;
    }
    this.extend(leaf.block);
    const ends =
      leaf.kind === 'fence'
        ? line.indent < CODE_INDENT && closesFence(line.rest, leaf.fence)
        : leaf.html.end?.test(line.text.slice(line.at, line.end)) === true;
    if (ends) {
      leaf.block.closed = true;
      this.leaf = undefined;
    }
    return true;
  }

  /** Blocks that the rest of the line begins. @returns whether the line is dealt with */
  private openBlocks(): boolean {
    const { line } = this;
    for (;;) {
      if (line.blank) return false;
      if (line.indent >= CODE_INDENT) return this.leaf?.kind !== 'paragraph' && this.openIndented();
      if (line.code === GREATER && this.matched <= MAX_NESTING) {
        this.closeUnmatched();
        this.skipQuoteMark();
        this.push({ kind: 'quote', indent: 0, empty: true, block: undefined });
        continue;
      }
      if (!mayBeginBlock(line.code) || this.matched > MAX_NESTING) return false;
      const rest = line.rest;
      if (this.openLeaf(rest)) return true;
      const marker = listMarker(rest, this.inParagraph);
      if (marker === undefined) return false;
      this.openItem(marker);
    }
  }

  private openLeaf(rest: string): boolean {
    return (
      this.openHeading(rest) ||
      this.openFence(rest) ||
      this.openHtml(rest) ||
      this.endSetext(rest) ||
      this.addRule(rest)
    );
  }

  private openHeading(rest: string): boolean {
    const heading = rest.startsWith('#') ? atxHeading(rest) : undefined;
    if (heading === undefined) return false;
    const { level, textStart, textEnd } = heading;
    const at = this.line.next;
    const text = { textStart: at + textStart, textEnd: at + textEnd };
    this.add({ kind: 'heading', level, setext: false, ...text, ...this.place() });
    return true;
  }

  private openFence(rest: string): boolean {
    const fence = openingFence(rest);
    if (fence === undefined) return false;
    const block = this.add<Open<CodeBlock>>({ kind: 'code', fenced: true, closed: false, ...this.place() });
    this.leaf = { kind: 'fence', block, fence };
    return true;
  }

  private openHtml(rest: string): boolean {
    const html = rest.startsWith('<') ? htmlStart(rest, this.leaf?.kind === 'paragraph') : undefined;
    if (html === undefined) return false;
    const comment = html.name === 'comment';
    // A comment may not end within its own opening mark; `<!-->` and `<!--->` do, as CommonMark has it.
    const ended = html.end?.test(comment ? rest.slice(2) : rest) === true;
    const closed = ended || html.end === undefined;
    const block = this.add<Open<HtmlBlock>>({ kind: 'html', comment, closed, ...this.place() });
    if (!ended) this.leaf = { kind: 'html', block, html };
    return true;
  }

  /** An underline makes a heading of the paragraph above it. */
  private endSetext(rest: string): boolean {
    const level = this.inParagraph ? setextLevel(rest) : undefined;
    if (level === undefined || this.leaf?.kind !== 'paragraph') return false;
    const { start, end, depth } = this.leaf.block;
    this.blocks.splice(this.blocks.lastIndexOf(this.leaf.block), 1);
    const text = { textStart: start, textEnd: end };
    this.add({ kind: 'heading', level, setext: true, ...text, start, end: this.line.end, depth });
    return true;
  }

  private addRule(rest: string): boolean {
    if (!isRule(rest)) return false;
    this.add({ kind: 'rule', ...this.place() });
    return true;
  }

  private openIndented(): boolean {
    this.closeUnmatched();
    const block = this.add<Open<CodeBlock>>({ kind: 'code', fenced: false, closed: true, ...this.place() });
    this.leaf = { kind: 'indented', block };
    return true;
  }

  private openItem(marker: ListMarker): void {
    const { line } = this;
    this.closeUnmatched();
    const offset = line.indent;
    const start = line.next;
    line.toNext();
    line.skip(marker.length);
    // Five or more columns are one column and code; nothing at all counts as one column.
    const space = line.blank || line.indent > CODE_INDENT || line.indent < 1 ? 1 : line.indent;
    const empty = line.blank;
    line.skipColumns(space);
    const indent = offset + marker.length + space;
    const place = { start, end: line.end, depth: this.matched };
    const contentStart = Math.min(line.at, line.end);
    const block: Open<ItemBlock> = { kind: 'item', ordered: marker.ordered, contentStart, indent, ...place };
    this.leaf = undefined;
    this.notEmpty();
    this.blocks.push(block);
    this.push({ kind: 'item', indent, empty, block });
    this.extendItems();
  }

  private addText(): void {
    const { line } = this;
    const open = this.leaf?.kind === 'paragraph' ? this.leaf.block : undefined;
    if (line.blank) {
      this.closeUnmatched();
      this.leaf = undefined;
      return;
    }
    if (open !== undefined) {
      // Of right, or lazily: then the containers it did not match stay open.
      this.matched = this.containers.length;
      this.extend(open);
      return;
    }
    this.closeUnmatched();
    const block = this.add<Open<ParagraphBlock>>({ kind: 'paragraph', ...this.place() });
    this.leaf = { kind: 'paragraph', block };
  }

  private place(): { start: number; end: number; depth: number } {
    return { start: this.line.next, end: this.line.end, depth: this.matched };
  }

  private add<T extends Block>(block: T): T {
    this.closeUnmatched();
    this.leaf = undefined;
    this.notEmpty();
    this.blocks.push(block);
    this.extendItems();
    return block;
  }

  private push(container: Container): void {
    this.containers.push(container);
    this.matched++;
  }

  private closeUnmatched(): void {
    if (this.allMatched) return;
    this.containers.length = this.matched;
    this.leaf = undefined;
  }

  private notEmpty(): void {
    const inner = this.containers.at(-1);
    if (inner !== undefined) inner.empty = false;
  }

  private extend(block: { end: number }): void {
    block.end = this.line.end;
    if (!this.line.blank) this.extendItems();
  }

  /** The outermost `count` containers, as far as they are items, reach to the end of this line. */
  private extendItems(count = this.containers.length): void {
    for (let at = 0; at < count; at++) {
      const block = this.containers[at]?.block;
      if (block !== undefined) block.end = this.line.end;
    }
  }
}

/** Start and end (without the line end) of each line: CRLF, LF and lone CR end lines. */
export function* linesOf(text: string, from = 0, to = text.length): Generator<readonly [start: number, end: number]> {
  const lineEnd = /\r\n?|\n/g;
  let start = from;
  while (start < to) {
    lineEnd.lastIndex = start;
    const match = lineEnd.exec(text);
    const end = Math.min(match?.index ?? to, to);
    yield [start, end];
    start = match === null ? to : end + match[0].length;
  }
}

/** All blocks in order of their start; a list item comes before what it holds. */
export function scanBlocks(text: string): readonly Block[] {
  const scanner = new BlockScanner(text);
  const first = text.charCodeAt(0) === BYTE_ORDER_MARK ? 1 : 0;
  for (const [start, end] of linesOf(text, first)) scanner.scanLine(start, end);
  return scanner.blocks;
}

/** Number of the line that holds the character at `at`, from 1; names places in messages. */
export function lineNumberAt(text: string, at: number): number {
  return Math.max(1, [...linesOf(text, 0, at)].length + (/(?:^|[\r\n])$/.test(text.slice(0, at)) ? 1 : 0));
}
