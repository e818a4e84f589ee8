/** Segments of the Raft log: their names, and what is kept of each in memory. */
import path from 'node:path';

export const RAFT_LOG_FORMAT = 1;

export interface Segment {
  readonly number: number;
  /** Highest index of an entry in it; 0 = none. */
  lastIndex: number;
}

const NAME = /^(\d{8})\.log$/;

export const segmentPath = (folder: string, number: number): string =>
  path.join(folder, `${String(number).padStart(8, '0')}.log`);

export function segmentNumbers(names: readonly string[]): readonly number[] {
  return names
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}
