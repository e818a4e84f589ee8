/**
 * Contenders take turns in short slices, so that what else the machine does hits all of them alike; what counts is the
 * median of the per-round ratios. Rounds in which other processes kept the machine busy are discarded. Knows nothing of
 * what a contender does.
 */
import { median, quantile } from './statistics';

/** Work done in a slice, and what it cost: wall-clock seconds, or CPU seconds of the server. */
export interface Sample {
  readonly count: number;
  readonly seconds: number;
}

export interface Contender {
  readonly name: string;
  readonly slice: (sliceMs: number) => Promise<Sample>;
}

export interface Round {
  /** Samples by contender; one that failed in this round is missing. */
  readonly samples: ReadonlyMap<string, Sample>;
  /** Cores that processes outside the bench kept busy, on average over the round; `undefined` = cannot be known here. */
  readonly foreignCores: number | undefined;
}

export interface RoundsOptions {
  readonly rounds: number;
  readonly sliceMs: number;
  /** How many rounds may be run in all to get `rounds` quiet ones. */
  readonly maxRounds: number;
  /** Starts watching the machine; the function it returns tells how many cores others used since. */
  readonly watchMachine: () => () => number | undefined;
}

export interface Finished {
  readonly rounds: readonly Round[];
  /** Why a contender was taken out of the race, by name. */
  readonly failures: ReadonlyMap<string, string>;
}

/** Others may use this much of one core before a round counts as noisy. */
export const QUIET_CORES = 0.15;

export const isQuiet = (round: Round): boolean => round.foreignCores === undefined || round.foreignCores <= QUIET_CORES;

/** Runs rounds until enough of them were quiet. The order rotates, so that nobody always runs after the same neighbour. */
export async function runRounds(contenders: readonly Contender[], options: RoundsOptions): Promise<Finished> {
  const rounds: Round[] = [];
  const failures = new Map<string, string>();
  for (const contender of contenders) await warmUp(contender, options.sliceMs, failures);
  while (rounds.length < options.maxRounds && rounds.filter(isQuiet).length < options.rounds) {
    const turn = rounds.length % contenders.length;
    const order = [...contenders.slice(turn), ...contenders.slice(0, turn)];
    const stopWatching = options.watchMachine();
    const samples = new Map<string, Sample>();
    for (const contender of order.filter(({ name }) => !failures.has(name))) {
      const sample = await attempt(contender, options.sliceMs, failures);
      if (sample !== undefined) samples.set(contender.name, sample);
    }
    rounds.push({ samples, foreignCores: stopWatching() });
  }
  return { rounds, failures };
}

async function warmUp(contender: Contender, sliceMs: number, failures: Map<string, string>): Promise<void> {
  await attempt(contender, sliceMs, failures);
}

async function attempt(
  contender: Contender,
  sliceMs: number,
  failures: Map<string, string>,
): Promise<Sample | undefined> {
  try {
    const sample = await contender.slice(sliceMs);
    if (sample.count > 0 && sample.seconds > 0) return sample;
    failures.set(contender.name, 'did no work within its slice');
  } catch (error) {
    failures.set(contender.name, error instanceof Error ? error.message : String(error));
  }
  return undefined;
}

export interface Kept {
  readonly rounds: readonly Round[];
  readonly discarded: number;
  /** True when too few rounds were quiet, so that the least noisy ones had to do. */
  readonly noisy: boolean;
}

/** The quiet rounds; when there are fewer than `wanted`, the least noisy ones, and the result says so. */
export function keepQuiet(rounds: readonly Round[], wanted: number): Kept {
  const quiet = rounds.filter(isQuiet);
  if (quiet.length >= wanted) return { rounds: quiet, discarded: rounds.length - quiet.length, noisy: false };
  const noise = (round: Round): number => round.foreignCores ?? 0;
  const calmest = [...rounds].sort((a, b) => noise(a) - noise(b)).slice(0, wanted);
  return {
    rounds: calmest,
    discarded: rounds.length - calmest.length,
    noisy: calmest.some((round) => !isQuiet(round)),
  };
}

const rate = (sample: Sample): number => sample.count / sample.seconds;

export interface Comparison {
  /** Median of ours / other, per round: of rates, or of times when `measure` is `time`. */
  readonly ratio: number;
  /** Quartiles of the per-round ratios: how sure the median is. */
  readonly spread: readonly [number, number];
  /** Median rates (count per second). */
  readonly ours: number;
  readonly other: number;
  readonly rounds: number;
}

/** @returns `undefined` when no round holds both contenders */
export function compare(
  rounds: readonly Round[],
  ours: string,
  other: string,
  measure: 'rate' | 'time',
): Comparison | undefined {
  const pairs = rounds.flatMap(({ samples }) => {
    const [a, b] = [samples.get(ours), samples.get(other)];
    return a === undefined || b === undefined ? [] : [{ ours: rate(a), other: rate(b) }];
  });
  if (pairs.length === 0) return undefined;
  const ratios = pairs.map((pair) => (measure === 'rate' ? pair.ours / pair.other : pair.other / pair.ours));
  return {
    ratio: median(ratios),
    spread: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
    ours: median(pairs.map((pair) => pair.ours)),
    other: median(pairs.map((pair) => pair.other)),
    rounds: pairs.length,
  };
}
