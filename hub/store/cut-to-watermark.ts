/**
 * For the Raft engine: cuts the log back to the watermark at start. What lies behind it was applied from the Raft log, which
 * is applied again from there, so that batches end up the same on all nodes whatever a crash left of them.
 */
import { dataFiles } from './data-directory';
import type { Disk } from './disk';
import { readMeta } from './meta';

/** @returns how many bytes were cut */
export async function cutToWatermark(disk: Disk, folder: string): Promise<number> {
  const files = dataFiles(folder);
  const found = await readMeta(disk, files);
  const size = (await disk.facts(files.entries))?.size ?? 0;
  if (found.kind !== 'meta' || size <= found.meta.watermark.length) return 0;
  const file = await disk.open(files.entries, 'update');
  try {
    await file.truncate(found.meta.watermark.length);
    await file.sync();
  } finally {
    await file.close();
  }
  return size - found.meta.watermark.length;
}
