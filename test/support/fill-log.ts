/**
 * Fills a data directory with entries as a hub would: by the hub's own engine, on a disk that syncs nothing, so that a million takes
 * seconds. The files are synced once at the end. No hub may run on it.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import type { StampedEntry } from '../../core/entry';
import { openFileEngine } from '../../hub/engine/file';
import type { Disk, DiskFile } from '../../hub/store/disk';
import { nodeDisk } from '../../hub/store/node-disk';

const PER_COMMAND = 64;
const COMMANDS_UNDER_WAY = 16;

const unsynced = (file: DiskFile): DiskFile => ({
  read: (into, position) => file.read(into, position),
  write: (bytes, position) => file.write(bytes, position),
  truncate: (length) => file.truncate(length),
  size: () => file.size(),
  isAt: (path) => file.isAt(path),
  close: () => file.close(),
  sync: () => Promise.resolve(),
});

const unsyncedDisk: Disk = {
  ...nodeDisk,
  open: async (path, mode) => unsynced(await nodeDisk.open(path, mode)),
};

/** Entries `first` … `last`, each as `entry` says. */
export async function fillLog(
  folder: string,
  first: number,
  last: number,
  entry: (number: number) => StampedEntry,
): Promise<void> {
  fs.chmodSync(folder, 0o700);
  const warn = (message: string): never => {
    throw new Error(message);
  };
  const { engine } = await openFileEngine({ folder, warn, disk: unsyncedDisk });
  let next = first;
  const lane = async (): Promise<void> => {
    while (next <= last) {
      const from = next;
      next = Math.min(from + PER_COMMAND, last + 1);
      const entries = Array.from({ length: next - from }, (_, i) => entry(from + i));
      await engine.propose({ kind: 'publish', entries });
    }
  };
  await Promise.all(Array.from({ length: COMMANDS_UNDER_WAY }, lane));
  await engine.close();
  execFileSync('sync');
}
