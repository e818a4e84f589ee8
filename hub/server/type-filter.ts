/** The types a listener wants as a small number, so that listeners with the same filter share frames. */
import { ENTRY_TYPES, type EntryType } from '../../core/entry';
import type { TypeFilter } from '../../core/wire';
import type { LogLine } from '../store/log-reader';

/** One bit per entry type. */
export type FilterMask = number;

const BIT: Readonly<Record<EntryType, number>> = { decision: 1, learning: 2, convention: 4, task: 8 };
export const EVERYTHING: FilterMask = (1 << ENTRY_TYPES.length) - 1;

export function maskOf(types: TypeFilter): FilterMask {
  return types === undefined ? EVERYTHING : types.reduce((mask, type) => mask | BIT[type], 0);
}

/** Redactions pass every filter: whoever may hold the entry has to forget it. */
export function letsThrough(mask: FilterMask, line: LogLine): boolean {
  return line.type === 'redaction' || (BIT[line.type] & mask) !== 0;
}

export function filtered(mask: FilterMask, lines: readonly LogLine[]): readonly LogLine[] {
  return mask === EVERYTHING ? lines : lines.filter((line) => letsThrough(mask, line));
}
