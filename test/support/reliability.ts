/** Figures of the reliability plan that a suite found out, for `reliability.json`: counts and measured times, never verdicts. */
import fs from 'node:fs';
import path from 'node:path';

export type Figures = Readonly<Record<string, number | string>>;

/** The name of a stage is that of its file in $CTX_RELIABILITY, which `.ci/run` sums up; else nothing is written. */
export function noteFigures(stage: string, figures: Figures): void {
  const folder = process.env['CTX_RELIABILITY'];
  if (folder === undefined) return;
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, `${stage}.json`), `${JSON.stringify(figures, undefined, 2)}\n`);
}

/** Nearest rank. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? NaN;
}
