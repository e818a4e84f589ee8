/**
 * Fills a data directory with entries as a hub would: by the hub's own engine, on a disk that syncs nothing, so that a million
 * takes seconds. The files are synced once at the end.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { openFileEngine } from '../../hub/engine/file';
import type { Disk, DiskFile } from '../../hub/store/disk';
import { nodeDisk } from '../../hub/store/node-disk';
import { payload } from './payload';

const PER_COMMAND = 64;
const COMMANDS_UNDER_WAY = 16;

const unsynced = (file: DiskFile): DiskFile => ({
  read: (into, position) => file.read(into, position),
  write: (bytes, position) => file.write(bytes, position),
  truncate: (length) => file.truncate(length),
  size: () => file.size(),
  close: () => file.close(),
  sync: () => Promise.resolve(),
});

const unsyncedDisk: Disk = {
  ...nodeDisk,
  open: async (path, mode) => unsynced(await nodeDisk.open(path, mode)),
};

const entry = (number: number): { id: string; type: 'decision'; content: string; timestamp: string } => ({
  id: `0193f0a0-0000-7000-9000-${number.toString(16).padStart(12, '0')}`,
  type: 'decision',
  content: payload(number),
  timestamp: '2026-01-01T00:00:00Z',
});

export async function makeLog(folder: string, entries: number): Promise<void> {
  fs.chmodSync(folder, 0o700);
  const warn = (message: string): never => {
    throw new Error(message);
  };
  const { engine } = await openFileEngine({ folder, warn, disk: unsyncedDisk });
  let next = 1;
  const lane = async (): Promise<void> => {
    while (next <= entries) {
      const count = Math.min(PER_COMMAND, entries - next + 1);
      const first = next;
      next += count;
      const stamped = Array.from({ length: count }, (_, i) => ({
        ...entry(first + i),
        origin: 'bench',
        client: 'bench@maker',
      }));
      await engine.propose({ kind: 'publish', entries: stamped });
    }
  };
  await Promise.all(Array.from({ length: COMMANDS_UNDER_WAY }, lane));
  await engine.close();
  execFileSync('sync');
}
