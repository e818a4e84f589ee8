/** Rows of the result: built from rounds, printed as a table for people, written as JSON for machines. */
import fs from 'node:fs';
import path from 'node:path';
import { compare, keepQuiet, type Comparison, type Finished } from './rounds';

export interface Goal {
  readonly kind: 'at least' | 'at most';
  /** A ratio when the row compares with another contender, else in the row's unit. */
  readonly value: number;
  /** Hoped for, not promised. */
  readonly stretch?: boolean;
}

export const atLeast = (value: number): Goal => ({ kind: 'at least', value });
export const atMost = (value: number): Goal => ({ kind: 'at most', value });
export const stretch = (goal: Goal): Goal => ({ ...goal, stretch: true });

export interface Row {
  readonly group: string;
  readonly name: string;
  /** The contender compared with; absent = a figure of the hub alone. */
  readonly against?: string;
  readonly unit: string;
  readonly ours?: number;
  readonly other?: number;
  /** Ours / other, median of the rounds, with its quartiles. */
  readonly ratio?: number;
  readonly spread?: readonly [number, number];
  readonly goal?: Goal;
  readonly reached?: boolean;
  /** What an acknowledgement means on either side. */
  readonly durability: string;
  readonly rounds?: { readonly kept: number; readonly discarded: number; readonly noisy: boolean };
  /** Why there is no figure, or what to know about it. */
  readonly note?: string;
}

export interface ComparisonSpec {
  readonly group: string;
  readonly name: string;
  readonly ours: string;
  readonly other: string;
  readonly measure?: 'rate' | 'time';
  readonly unit: string;
  readonly goal?: Goal;
  readonly durability: string;
  readonly note?: string;
}

const meets = (goal: Goal, value: number): boolean =>
  goal.kind === 'at least' ? value >= goal.value : value <= goal.value;

/** @param wanted how many quiet rounds were asked for */
export function comparisonRow(finished: Finished, wanted: number, spec: ComparisonSpec): Row {
  const { group, name, unit, goal, durability, note } = spec;
  const base = { group, name, against: spec.other, unit, durability, ...(goal && { goal }), ...(note && { note }) };
  const kept = keepQuiet(finished.rounds, wanted);
  const comparison = compare(kept.rounds, spec.ours, spec.other, spec.measure ?? 'rate');
  if (comparison === undefined) {
    const reasons = [spec.ours, spec.other].flatMap((who) => {
      const failure = finished.failures.get(who);
      return failure === undefined ? [] : [`${who}: ${failure}`];
    });
    return { ...base, note: reasons.join('; ') || 'not measured' };
  }
  return {
    ...base,
    ...figures(comparison),
    ...(goal && { reached: meets(goal, comparison.ratio) }),
    rounds: { kept: comparison.rounds, discarded: kept.discarded, noisy: kept.noisy },
  };
}

const figures = ({ ours, other, ratio, spread }: Comparison): Pick<Row, 'ours' | 'other' | 'ratio' | 'spread'> => ({
  ours,
  other,
  ratio,
  spread,
});

/** A figure without an opponent: memory, processor use, latency. */
export function figureRow(row: Omit<Row, 'reached'> & { readonly ours: number }): Row {
  return row.goal === undefined ? row : { ...row, reached: meets(row.goal, row.ours) };
}

/** A row that could not be measured, and why. */
export function missingRow(row: Pick<Row, 'group' | 'name' | 'goal' | 'against'> & { readonly note: string }): Row {
  return { unit: '', durability: '', ...row };
}

export function formatNumber(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString('en-US');
  return size >= 100
    ? value.toFixed(0)
    : size >= 10
      ? value.toFixed(1)
      : size >= 0.1
        ? value.toFixed(2)
        : value.toPrecision(2);
}

const withUnit = (value: number | undefined, unit: string): string =>
  value === undefined ? '–' : `${formatNumber(value)} ${unit}`.trim();

function formatGoal({ goal }: Row): string {
  if (goal === undefined) return '';
  return `${goal.stretch === true ? 'stretch ' : ''}${goal.kind === 'at least' ? '≥' : '≤'} ${formatNumber(goal.value)}`;
}

function formatRatio({ ratio, spread }: Row): string {
  if (ratio === undefined) return '–';
  return spread === undefined ? formatNumber(ratio) : `${formatNumber(ratio)} (${spread.map(formatNumber).join('–')})`;
}

function verdict({ reached, goal, rounds, ratio, ours }: Row): string {
  const noisy = rounds?.noisy === true ? ', noisy' : '';
  if (ratio === undefined && ours === undefined) return 'not measured';
  if (reached === undefined) return `no goal${noisy}`;
  return `${reached ? 'reached' : goal?.stretch === true ? 'not yet' : 'MISSED'}${noisy}`;
}

const HEADINGS = ['work', 'hub', 'against', 'its figure', 'ratio (quartiles)', 'goal', 'verdict'] as const;

/** One table a group, the durability and notes below it. */
export function formatTable(group: string, rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.name,
    withUnit(row.ours, row.unit),
    row.against ?? '',
    row.against === undefined ? '' : withUnit(row.other, row.unit),
    row.against === undefined ? '' : formatRatio(row),
    formatGoal(row),
    verdict(row),
  ]);
  const table = [[...HEADINGS], ...cells];
  const widths = HEADINGS.map((_, column) => Math.max(...table.map((line) => (line[column] ?? '').length)));
  const lines = table.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '));
  return [`== ${group}`, ...lines, ...footnotes(rows)].join('\n');
}

function footnotes(rows: readonly Row[]): string[] {
  const notes = rows.flatMap((row) => {
    const parts = [row.durability, row.note ?? '', roundsNote(row)].filter((part) => part !== '');
    return parts.length === 0
      ? []
      : [`  ${row.name}${row.against === undefined ? '' : ` / ${row.against}`}: ${parts.join('; ')}`];
  });
  return [...new Set(notes)];
}

function roundsNote({ rounds, against }: Row): string {
  if (rounds === undefined) return '';
  return against === undefined
    ? `${rounds.kept} samples`
    : `${rounds.kept} rounds kept, ${rounds.discarded} discarded as noisy`;
}

export function writeJson(file: string, machine: Record<string, string | number>, rows: readonly Row[]): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, `${JSON.stringify({ schemaVersion: 1, kind: 'bench', machine, rows }, null, 2)}\n`);
}
