/**
 * For the Raft engine: cuts the log back to the watermark at start. What lies behind it was applied from the Raft log, which
 * is applied again from there, so that batches end up the same on all nodes whatever a crash left of them.
 */
import { LF } from '../../core/characters';
import { idText, splitLine } from '../../core/line';
import { dataFiles } from './data-directory';
import type { Disk } from './disk';
import { readMeta } from './meta';
import { scanLines } from './scan-lines';

interface Behind {
  readonly file: string;
  /** Where the watermark is. */
  readonly from: number;
  /** The file's end. */
  readonly to: number;
}

async function findBehind(disk: Disk, folder: string): Promise<Behind | undefined> {
  const files = dataFiles(folder);
  const found = await readMeta(disk, files);
  const to = (await disk.facts(files.entries))?.size ?? 0;
  if (found.kind !== 'meta' || to <= found.meta.watermark.length) return undefined;
  return { file: files.entries, from: found.meta.watermark.length, to };
}

export interface BehindWatermark {
  readonly id: string;
  readonly sequence: number;
}

/** @returns the last entry that has a whole line behind the watermark: it was applied here */
export async function lastBehindWatermark(disk: Disk, folder: string): Promise<BehindWatermark | undefined> {
  const behind = await findBehind(disk, folder);
  if (behind === undefined) return undefined;
  const file = await disk.open(behind.file, 'read');
  let last: BehindWatermark | undefined;
  try {
    await scanLines(file, behind.from, behind.to, (stretch) => {
      if (stretch.kind !== 'lines') return true;
      const { bytes } = stretch;
      for (let start = 0; start < bytes.length; start = bytes.indexOf(LF, start) + 1) {
        const parts = splitLine(bytes, start, bytes.indexOf(LF, start));
        // A power cut may leave anything behind the watermark, and nothing after that counts.
        if (typeof parts === 'string') return true;
        last = { id: idText(bytes, parts), sequence: parts.sequence };
      }
      return false;
    });
  } finally {
    await file.close();
  }
  return last;
}

/** @returns how many bytes were cut */
export async function cutToWatermark(disk: Disk, folder: string): Promise<number> {
  const behind = await findBehind(disk, folder);
  if (behind === undefined) return 0;
  const file = await disk.open(behind.file, 'update');
  try {
    await file.truncate(behind.from);
    await file.sync();
  } finally {
    await file.close();
  }
  return behind.to - behind.from;
}
