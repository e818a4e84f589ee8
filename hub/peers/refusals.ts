/**
 * What is said of peers that were refused. Whoever is refused dials again twice a second for as long as it runs: each reason of each address
 * is said at once, and then once a minute at most, with how often it came meanwhile.
 */

const SAY_AGAIN_MS = 60_000;
/** What comes from more addresses than this in a minute is counted together. */
const MAX_KEPT = 64;
const OTHERS = 'other addresses';

interface Said {
  at: number;
  /** Of those that were not said since. */
  more: number;
}

export class Refusals {
  private readonly said = new Map<string, Said>();

  /** @param now monotonic, ms */
  constructor(
    private readonly say: (message: string) => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  note(address: string, why: string): void {
    const now = this.now();
    const from = this.has(address, why, now) ? address : OTHERS;
    const key = `${from} ${why}`;
    const before = this.said.get(key);
    if (before !== undefined && now - before.at < SAY_AGAIN_MS) {
      before.more++;
      return;
    }
    this.said.set(key, { at: now, more: 0 });
    const times =
      before === undefined || before.more === 0 ? '' : ` (and ${before.more} times since that was said last)`;
    this.say(`A peer at ${from} was refused: ${why}${times}`);
  }

  /** Whether this one is kept on its own; makes room first. */
  private has(address: string, why: string, now: number): boolean {
    if (this.said.has(`${address} ${why}`) || this.said.size < MAX_KEPT) return true;
    for (const [key, { at }] of this.said) if (now - at >= SAY_AGAIN_MS) this.said.delete(key);
    return this.said.size < MAX_KEPT;
  }
}
