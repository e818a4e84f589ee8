/** The few statistics a bench needs. All of them refuse an empty list: a figure of nothing is a bug. */
import assert from 'node:assert/strict';

/** Linear interpolation between the nearest ranks. `share` is in [0, 1]. */
export function quantile(values: readonly number[], share: number): number {
  assert.ok(values.length > 0, 'a quantile of no values');
  const sorted = [...values].sort((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const low = sorted[Math.floor(place)] ?? NaN;
  const high = sorted[Math.ceil(place)] ?? NaN;
  return low + (high - low) * (place - Math.floor(place));
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);
