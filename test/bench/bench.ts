/** What every group of the bench is given. */
import type { Peers } from './peers/peers';
import type { Place } from './place';
import type { Row } from './report';
import { runRounds, type Contender, type Finished } from './rounds';
import { runningPids } from './children';
import { watchMachine } from './machine';

export interface Bench {
  readonly quick: boolean;
  readonly place: Place;
  readonly peers: Peers;
  /** Progress, for people. */
  readonly say: (text: string) => void;
}

export type Group = (bench: Bench) => Promise<readonly Row[]>;

export const SLICE_MS = 250;

/** Quiet rounds asked for. */
export const roundsWanted = (bench: Bench): number => (bench.quick ? 4 : 15);

export function race(bench: Bench, contenders: readonly Contender[], rounds = roundsWanted(bench)): Promise<Finished> {
  const maxRounds = bench.quick ? rounds : rounds * 3;
  const watch = (): (() => number | undefined) => watchMachine(runningPids);
  return runRounds(contenders, { rounds, maxRounds, sliceMs: SLICE_MS, watchMachine: watch });
}

/** Opens things one by one and closes all that were opened, whatever happens. */
export class Closer {
  readonly #close: (() => Promise<void> | void)[] = [];

  add<T extends { readonly close: () => Promise<void> | void }>(opened: T): T {
    this.#close.push(() => opened.close());
    return opened;
  }

  async closeAll(): Promise<void> {
    for (const close of this.#close.reverse()) await close();
  }
}
