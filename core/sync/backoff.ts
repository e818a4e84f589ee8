/** How long to wait before the next attempt: exponential with full jitter, so that a crowd does not come back at once. */
import type { Random } from '../ports';

/** Upper bound of the first wait. */
export const FIRST_BACKOFF_MS = 500;
export const MAX_BACKOFF_MS = 30_000;
/** A session that held this long makes the next wait a first one again. */
export const HEALTHY_AFTER_MS = 10_000;

/** Upper bound of the wait after `failures` failures in a row (0 = the first). */
export function backoffBoundMs(failures: number): number {
  return Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(failures, 16));
}

/** Uniform between 0 and the bound. */
export function backoffMs(failures: number, random: Random): number {
  return Math.floor(random() * backoffBoundMs(failures));
}
