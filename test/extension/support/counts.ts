/** What a run of tests amounts to. */
import fs from 'node:fs';
import * as z from 'zod';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const NOTHING: Counts = { passed: 0, failed: 0, skipped: 0 };

export const plus = (a: Counts, b: Counts): Counts => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
});

const stats = z.object({ passes: z.int(), failures: z.int(), pending: z.int() });

/**
 * The counts that a suite in the host left behind. A pass needs the host's exit code 0 and a test that passed: a suite that
 * did not load looks green otherwise.
 */
export function readCounts(file: string, exitCode: number): Counts {
  if (!fs.existsSync(file)) throw new Error(`the host exited with ${exitCode} and left no counts: did the suite load?`);
  const { passes, failures, pending } = stats.parse(JSON.parse(fs.readFileSync(file, 'utf8')));
  if (passes === 0) throw new Error('no test passed');
  return judged({ passed: passes, failed: failures, skipped: pending }, 'the host', exitCode);
}

/** Tests that passed are no run that passed when its process ended badly. */
export function judged(counts: Counts, who: string, exitCode: number): Counts {
  if (exitCode === 0 || counts.failed > 0) return counts;
  console.log(`FAILED  ${who} exited with ${exitCode}, though its tests passed`);
  return { ...counts, failed: 1 };
}
