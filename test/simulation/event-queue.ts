/** Virtual time: what happens next, in order of time and, at the same time, of arrival. */

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

const before = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

export class EventQueue {
  now = 0;
  private order = 0;
  private readonly heap: Event[] = [];

  after(ms: number, run: () => void): void {
    this.heap.push({ at: this.now + ms, order: (this.order += 1), run });
    this.rise(this.heap.length - 1);
  }

  runUntil(end: number): void {
    for (let next = this.heap[0]; next !== undefined && next.at <= end; next = this.heap[0]) {
      this.take();
      this.now = next.at;
      next.run();
    }
    this.now = end;
  }

  private rise(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.swapIfBefore(at, parent)) return;
      at = parent;
    }
  }

  private swapIfBefore(lower: number, upper: number): boolean {
    const a = this.heap[lower];
    const b = this.heap[upper];
    if (a === undefined || b === undefined || !before(a, b)) return false;
    this.heap[lower] = b;
    this.heap[upper] = a;
    return true;
  }

  private take(): void {
    const last = this.heap.pop();
    if (last === undefined || this.heap.length === 0) return;
    this.heap[0] = last;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      const [a, b] = [this.heap[left], this.heap[right]];
      const child = a !== undefined && b !== undefined && before(b, a) ? right : left;
      if (!this.swapIfBefore(child, at)) return;
      at = child;
    }
  }
}
