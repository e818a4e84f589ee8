/** Any disk, made to fail on command: full, a sync that fails once, or gone altogether. */
import type { Disk, DiskFile } from '../../../hub/store/disk';
import { errno } from '../../support/simulated-disk';
import type { LabFaults } from './engine-lab';

export interface FaultyDisk extends LabFaults {
  readonly disk: Disk;
  /** From now on nothing reaches the disk: every change fails. */
  readonly die: () => void;
  readonly revive: () => void;
}

interface Switches {
  full: boolean;
  failSync: boolean;
  dead: boolean;
}

function faultyFile(file: DiskFile, on: Switches): DiskFile {
  const alive = (): void => {
    if (on.dead) throw errno('EIO');
  };
  return {
    ...file,
    write: async (bytes, position) => {
      alive();
      if (!on.full) return file.write(bytes, position);
      // A full disk takes a part first.
      const half = bytes.subarray(0, Math.floor(bytes.length / 2));
      if (half.length < 100) throw errno('ENOSPC');
      return file.write(half, position);
    },
    sync: async () => {
      alive();
      if (!on.failSync) return file.sync();
      on.failSync = false;
      throw errno('EIO');
    },
    truncate: async (length) => {
      alive();
      return file.truncate(length);
    },
  };
}

export function faultyDisk(disk: Disk): FaultyDisk {
  const on: Switches = { full: false, failSync: false, dead: false };
  return {
    disk: {
      ...disk,
      open: async (path, mode) => {
        if (on.dead && mode !== 'read') throw errno('EIO');
        if (on.full && mode === 'create') throw errno('ENOSPC');
        return faultyFile(await disk.open(path, mode), on);
      },
      facts: (path) => disk.facts(path),
      list: (folder) => disk.list(folder),
      makeFolder: (path) => disk.makeFolder(path),
      rename: async (from, to) => {
        if (on.dead) throw errno('EIO');
        return disk.rename(from, to);
      },
    },
    fillDisk: () => (on.full = true),
    freeSpace: () => (on.full = false),
    failNextSync: () => (on.failSync = true),
    die: () => (on.dead = true),
    revive: () => (on.dead = false),
  };
}
