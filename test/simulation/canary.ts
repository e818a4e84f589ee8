/** Looks for a failure with a bug switched on: directed scenarios first, then random seeds. */
import type { DriverBug } from './bugs';
import { playScenario, SCENARIOS } from './scenarios';
import { failureOf, simulate } from './simulate';

export { DRIVER_BUGS } from './bugs';

const OFF_COURSE = 'did not come to where it should';

/** What caught the bug; `undefined` = nothing did. */
export function huntFor(bug: DriverBug | undefined, seeds: number): string | undefined {
  const bugs = bug === undefined ? [] : [bug];
  for (const scenario of SCENARIOS) {
    const failure = failureOf(() => playScenario(scenario, bugs));
    if (failure !== undefined && !failure.includes(OFF_COURSE)) return `scenario "${scenario.name}": ${failure}`;
  }
  for (let seed = 1; seed <= seeds; seed += 1) {
    const { failure } = simulate(seed, { bugs });
    if (failure !== undefined) return `seed ${seed}: ${failure}`;
  }
  return undefined;
}
