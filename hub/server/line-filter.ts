/**
 * What one reader gets of the log: the types it asks for, within what its token is granted (S12). Filters that let the same
 * through have the same key, so that listeners share frames.
 */
import type { ClientAccess } from '../../core/access';
import { QUOTE } from '../../core/characters';
import { ENTRY_TYPES, type EntryType } from '../../core/entry';
import { asciiAt, splitLine } from '../../core/line';
import type { TypeFilter } from '../../core/wire';
import type { LogLine } from '../store/log-reader';

/** One bit per entry type. */
export type FilterMask = number;

export interface LineFilter {
  readonly key: string;
  readonly mask: FilterMask;
  /** Absent = every origin, which is never looked for then. */
  readonly origins?: ReadonlySet<string>;
}

const BIT: Readonly<Record<EntryType, number>> = { decision: 1, learning: 2, convention: 4, task: 8 };
const ALL_TYPES: FilterMask = (1 << ENTRY_TYPES.length) - 1;

export const EVERYTHING: LineFilter = { key: String(ALL_TYPES), mask: ALL_TYPES };

function maskOf(types: TypeFilter): FilterMask {
  return types === undefined ? ALL_TYPES : types.reduce((mask, type) => mask | BIT[type], 0);
}

/** @param project whose own entries no limit of origins holds back */
export function filterOf(wanted: TypeFilter, access: ClientAccess = {}, project = ''): LineFilter {
  const mask = maskOf(wanted) & maskOf(access.types);
  if (access.origins === undefined) return { key: String(mask), mask };
  const origins = new Set([...access.origins, project].sort());
  return { key: `${mask} ${[...origins].join(' ')}`, mask, origins };
}

export const isEverything = (filter: LineFilter): boolean => filter.mask === ALL_TYPES && filter.origins === undefined;

const ORIGIN_OPEN_LENGTH = '"origin":"'.length;

/** Read from the bytes, only where somebody may not have every origin. */
function originOf(line: LogLine): string | undefined {
  const parts = splitLine(line.bytes);
  if (typeof parts === 'string') return undefined;
  const start = parts.tailStart + ORIGIN_OPEN_LENGTH;
  return asciiAt(line.bytes, start, line.bytes.indexOf(QUOTE, start));
}

function isOfOrigins(origins: ReadonlySet<string>, line: LogLine): boolean {
  const origin = originOf(line);
  return origin !== undefined && origins.has(origin);
}

/** Redactions pass every filter: whoever may hold the entry has to forget it. */
export function letsThrough({ mask, origins }: LineFilter, line: LogLine): boolean {
  if (line.type === 'redaction') return true;
  return (BIT[line.type] & mask) !== 0 && (origins === undefined || isOfOrigins(origins, line));
}

export function filtered(filter: LineFilter, lines: readonly LogLine[]): readonly LogLine[] {
  return isEverything(filter) ? lines : lines.filter((line) => letsThrough(filter, line));
}
