/** A file system of a test's own, ext4 on a loop device: can be full, and can lose its power. Needs root, on Linux. */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const SOURCE = path.resolve('test/support/faults/power-cut.c');

/** In memory where that is possible: it is the file system on top that loses what it has not synced. */
const place = (): string =>
  fs.mkdtempSync(path.join(fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir(), 'ctx-loop-'));

function run(program: string, ...args: readonly string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

export class LoopDisk {
  /** Where it is mounted. */
  readonly folder: string;
  private readonly home = place();
  private readonly image = path.join(this.home, 'disk.img');
  private readonly cutter = path.join(this.home, 'power-cut');
  private mounted = false;

  constructor(megabytes: number) {
    this.folder = path.join(this.home, 'mount');
    fs.mkdirSync(this.folder);
    fs.writeFileSync(this.image, '');
    fs.truncateSync(this.image, megabytes * 1024 * 1024);
    run('cc', '-O1', '-o', this.cutter, SOURCE);
    run('mkfs.ext4', '-q', '-m', '0', this.image);
    this.mount();
  }

  mount(): void {
    run('mount', '-o', 'loop', this.image, this.folder);
    this.mounted = true;
  }

  /** No process may write at that moment: what is acknowledged while the power goes proves nothing. */
  cutPower(): void {
    run(this.cutter, this.folder);
  }

  unmount(): void {
    run('umount', this.folder);
    this.mounted = false;
  }

  remove(): void {
    if (this.mounted) spawnSync('umount', ['-l', this.folder]);
    fs.rmSync(this.home, { recursive: true, force: true });
  }
}

/** Tries it out. @returns why it cannot be done here; undefined = it can */
export function loopDiskImpossible(): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root (mount)';
  for (const program of ['mkfs.ext4', 'cc']) {
    if (spawnSync(program, ['-V']).error !== undefined) return `needs ${program}`;
  }
  let disk: LoopDisk | undefined;
  try {
    disk = new LoopDisk(8);
    fs.writeFileSync(path.join(disk.folder, 'probe'), 'never synced');
    disk.cutPower();
    disk.unmount();
    disk.mount();
    return undefined;
  } catch (error) {
    return `loop devices or the shutdown of a file system are not to be had here: ${String(error).split('\n')[0] ?? ''}`;
  } finally {
    disk?.remove();
  }
}
