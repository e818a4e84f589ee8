/** Reads on this node that wait: for the index from which on they are current, and for this node to have applied it. */

interface Waiter {
  readonly index: number;
  readonly done: (isApplied: boolean) => void;
}

export class WaitingReads {
  private asked = 0;
  private readonly readers = new Map<string, (index: number | undefined) => void>();
  private waiters: Waiter[] = [];

  /** @param node makes the keys of its reads differ from those of other nodes */
  constructor(private readonly node: number) {}

  /**
   * Asks consensus under a new key.
   * @returns the index of {@link answer}; undefined when none came in time
   */
  ask(timeoutMs: number, start: (key: string) => void): Promise<number | undefined> {
    const key = `${this.node}.${++this.asked}`;
    const answer = new Promise<number | undefined>((resolve) => {
      const timer = setTimeout(() => this.answer(key, undefined), timeoutMs);
      this.readers.set(key, (index) => {
        clearTimeout(timer);
        resolve(index);
      });
    });
    start(key);
    return answer;
  }

  answer(key: string, index: number | undefined): void {
    this.readers.get(key)?.(index);
    this.readers.delete(key);
  }

  /** @returns whether {@link applied} reached the index within the time */
  waitApplied(index: number, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (isApplied: boolean): void => {
        clearTimeout(timer);
        this.waiters = this.waiters.filter((each) => each !== waiter);
        resolve(isApplied);
      };
      const waiter = { index, done };
      const timer = setTimeout(() => done(false), timeoutMs);
      this.waiters.push(waiter);
    });
  }

  applied(through: number): void {
    for (const { index, done } of this.waiters) if (index <= through) done(true);
  }

  /** Nobody gets an answer any more. */
  close(): void {
    for (const { done } of this.waiters) done(false);
    for (const key of [...this.readers.keys()]) this.answer(key, undefined);
  }
}
