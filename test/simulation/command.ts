/**
 * `npm run sim`: runs seeds of the simulation. `--seed N` one seed (`--trace` shows all of it), `--from N --seeds M` a range,
 * `--bug NAME` with a bug switched on. Closes with `N passed, N failed`.
 */
import { DRIVER_BUGS, type DriverBug } from './bugs';
import { simulate, type SeedResult } from './simulate';

function option(args: readonly string[], name: string): string | undefined {
  const at = args.indexOf(`--${name}`);
  return at === -1 ? undefined : args[at + 1];
}

function bugsOf(args: readonly string[]): DriverBug[] {
  const name = option(args, 'bug');
  const found = DRIVER_BUGS.find((bug) => bug === name);
  if (name !== undefined && found === undefined) throw new Error(`no bug ${name}; there are ${DRIVER_BUGS.join(', ')}`);
  return found === undefined ? [] : [found];
}

function report({ seed, failure, setup, lines }: SeedResult): void {
  for (const line of lines) console.log(line);
  if (failure === undefined) return;
  console.log(`FAILED  seed ${seed}: ${failure}`);
  console.log(`  ${JSON.stringify(setup)}`);
  console.log(`  again: npm run sim -- --seed ${seed} --trace`);
}

export function main(args: readonly string[]): number {
  const one = option(args, 'seed');
  const from = Number(one ?? option(args, 'from') ?? 1);
  const seeds = one === undefined ? Number(option(args, 'seeds') ?? 1_000) : 1;
  const [bugs, trace] = [bugsOf(args), args.includes('--trace')];
  const totals = new Map<string, number>();
  const began = performance.now();
  let failed = 0;
  let acknowledged = 0;
  let reads = 0;
  for (let seed = from; seed < from + seeds; seed += 1) {
    const result = simulate(seed, { bugs, trace });
    report(result);
    failed += result.failure === undefined ? 0 : 1;
    acknowledged += result.acknowledged;
    reads += result.reads;
    for (const [what, count] of result.counts) totals.set(what, (totals.get(what) ?? 0) + count);
  }
  const seconds = (performance.now() - began) / 1000;
  console.log(`faults: ${[...totals].map(([what, count]) => `${what} ${count}`).join(', ')}`);
  console.log(
    `${acknowledged} publishes acknowledged, ${reads} reads answered, ${(seeds / seconds).toFixed(0)} seeds/s`,
  );
  console.log(`\n${seeds - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}
