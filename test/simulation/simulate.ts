/** One seed from beginning to end: a safety phase with all its faults, then healing, and everything must come together. */
import type { DriverBug } from './bugs';
import { chooseSetup, type SimulationSetup } from './configuration';
import { injectFault } from './faults';
import { InvariantViolation } from './history';
import { Random } from './random';
import { World } from './world';

const LIVENESS_MS = 20_000;

export interface SeedResult {
  readonly seed: number;
  readonly setup: SimulationSetup;
  readonly failure: string | undefined;
  readonly acknowledged: number;
  readonly reads: number;
  readonly counts: ReadonlyMap<string, number>;
  readonly lines: readonly string[];
}

export interface SimulateOptions {
  readonly bugs?: readonly DriverBug[];
  readonly trace?: boolean;
}

export function simulate(seed: number, { bugs = [], trace = false }: SimulateOptions = {}): SeedResult {
  // Its own numbers, so that a change of the run does not change the choice.
  const setup = chooseSetup(new Random(seed ^ 0x5f3759df));
  const world = new World(seed, setup, new Set(bugs), trace);
  const failure = failureOf(() => live(world));
  const { acknowledged, reads } = world.history;
  return { seed, setup, failure, acknowledged, reads, counts: world.counts, lines: world.lines };
}

/** Any exception is a finding: an invariant of the checkers or one of the core. */
export function failureOf(run: () => void): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

function live(world: World): void {
  const { setup } = world;
  repeat(world, setup.publishEveryMs, () => world.publish());
  repeat(world, setup.readEveryMs, () => world.read());
  repeat(world, setup.faultEveryMs, () => injectFault(world));
  world.run(setup.safetyMs);
  recover(world);
}

function repeat(world: World, everyMs: number, act: () => void): void {
  if (everyMs === Infinity) return;
  const end = world.now + world.setup.safetyMs;
  const next = (): void => {
    if (world.now >= end) return;
    act();
    world.after(world.random.between(Math.ceil(everyMs / 2), everyMs * 2), next);
  };
  world.after(everyMs, next);
}

/** The liveness phase (I10): faults stop, all members agree, and a publish succeeds. */
export function recover(world: World): void {
  world.heal();
  let id = '';
  const healed = world.runUntil(() => {
    const sequence = world.history.publishes.get(id)?.sequence;
    const open = (world.history.publishes.get(id)?.open ?? 0) > 0;
    if (sequence === undefined && !open) id = world.publish(world.leader());
    return world.converged(id);
  }, LIVENESS_MS);
  if (!healed) throw new InvariantViolation(`I10: not in agreement ${LIVENESS_MS / 1000} s after healing`);
  // Whatever was under way ends: what is unknown then stays unknown.
  world.run(3_000);
  const together = world.runUntil(() => world.converged(id), LIVENESS_MS);
  if (!together) throw new InvariantViolation('I10: agreement was lost again without any fault');
  const judged = world.runUntil(() => world.everyone.every(({ isJudged }) => isJudged), LIVENESS_MS);
  if (!judged) throw new InvariantViolation(`I9: no verdict on what was discarded in ${LIVENESS_MS / 1000} s`);
  world.checkFinal();
}
