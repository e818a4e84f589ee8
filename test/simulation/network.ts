/** A simulated network: delay, loss, duplicates, reordering, and any pair cut in either direction. */
import type { Message } from '../../hub/raft/message';
import type { Faults } from './configuration';
import type { Random } from './random';

const DELAY_MS = [1, 8] as const;
const LATE_MS = 900;

export class SimulatedNetwork {
  private readonly cut = new Set<string>();
  /** Directed scenarios hold back what they like. */
  passes: (message: Message) => boolean = () => true;
  calm = false;

  constructor(
    private readonly random: Random,
    private readonly faults: Faults,
  ) {}

  block(from: number, to: number): void {
    this.cut.add(`${from} ${to}`);
  }

  blockBoth(a: number, b: number): void {
    this.block(a, b);
    this.block(b, a);
  }

  heal(): void {
    this.cut.clear();
    this.passes = () => true;
  }

  isCut(from: number, to: number): boolean {
    return this.cut.has(`${from} ${to}`);
  }

  /** After how many ms the message arrives; once, twice or never. */
  arrivals(message: Message): number[] {
    const { random, faults } = this;
    const delay = (): number => random.between(...DELAY_MS);
    if (!this.passes(message) || this.isCut(message.from, message.to)) return [];
    if (this.calm) return [delay()];
    if (faults.loss && random.chance(0.1)) return [];
    const late = faults.reordering && random.chance(0.05);
    const first = late ? random.between(1, LATE_MS) : delay();
    return faults.duplicates && random.chance(0.05) ? [first, first + random.between(0, LATE_MS)] : [first];
  }
}
