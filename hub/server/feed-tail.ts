/** The newest lines of the log in memory: what listeners that are nearly up to date read, without touching the disk. */
import type { LogLine } from '../store/log-reader';

export class FeedTail {
  private lines: LogLine[] = [];
  /** Lines before this index have been dropped and wait to be cut off. */
  private start = 0;
  private bytes = 0;

  constructor(private readonly maxBytes: number) {}

  add(lines: readonly LogLine[]): void {
    for (const line of lines) {
      this.lines.push(line);
      this.bytes += line.bytes.length;
    }
    while (this.bytes > this.maxBytes && this.start < this.lines.length - 1)
      this.bytes -= this.lines[this.start++]?.bytes.length ?? 0;
    // Cutting the array costs as much as it is long: only when a good part of it goes.
    if (this.start * 4 < this.lines.length) return;
    this.lines = this.lines.slice(this.start);
    this.start = 0;
  }

  /**
   * Lines after `sequence`, about `maxBytes` of them and at least one.
   * @returns undefined when the tail does not reach back that far
   */
  after(sequence: number, maxBytes: number): readonly LogLine[] | undefined {
    const first = this.lines[this.start];
    if (first === undefined || sequence + 1 < first.sequence) return undefined;
    const from = this.indexAfter(sequence);
    let bytes = 0;
    let to = from;
    while (to < this.lines.length) {
      bytes += this.lines[to]?.bytes.length ?? 0;
      if (bytes > maxBytes && to > from) break;
      to++;
    }
    return this.lines.slice(from, to);
  }

  /** Sequences rise, but may skip what a repair gave up. */
  private indexAfter(sequence: number): number {
    let low = this.start;
    let high = this.lines.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.lines[middle]?.sequence ?? Infinity) > sequence) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
