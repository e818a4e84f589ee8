/** Counts what each of many listeners has got, and wakes whoever waits for the slowest of them. */
export class Deliveries {
  readonly #counts: number[];
  #behind: number;
  #minimum = 0;
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  constructor(readonly listeners: number) {
    this.#counts = new Array<number>(listeners).fill(0);
    this.#behind = listeners;
  }

  /** What even the slowest listener has got. */
  get minimum(): number {
    return this.#minimum;
  }

  /** The listener has now got `total` entries in all. */
  update(listener: number, total: number): void {
    const before = this.#counts[listener] ?? 0;
    this.#counts[listener] = total;
    if (before > this.#minimum || total <= before) return;
    this.#behind -= 1;
    if (this.#behind > 0) return;
    this.#minimum = Math.min(...this.#counts);
    this.#behind = this.#counts.reduce((sum, count) => (count === this.#minimum ? sum + 1 : sum), 0);
    const ready = this.#waiting.filter(({ count }) => count <= this.#minimum);
    this.#waiting = this.#waiting.filter(({ count }) => count > this.#minimum);
    for (const { resolve } of ready) resolve();
  }

  add(listener: number, more: number): void {
    this.update(listener, (this.#counts[listener] ?? 0) + more);
  }

  /** Resolves when every listener has got `count` entries. */
  reached(count: number): Promise<void> {
    if (this.#minimum >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }
}
