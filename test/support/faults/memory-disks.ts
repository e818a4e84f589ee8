/** Small file systems in memory, one for each node of a cluster, that can be full. Root, Linux. */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { tempDir } from '../processes';
import { fill } from './fill';

export class MemoryDisks {
  private readonly home = tempDir('ctx-disks');
  private readonly mounted: string[] = [];

  constructor(private readonly megabytes: number) {}

  folder(name: string): string {
    const folder = path.join(this.home, name);
    if (!this.mounted.includes(folder)) {
      fs.mkdirSync(folder);
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${this.megabytes}m`, 'tmpfs', folder]);
      this.mounted.push(folder);
    }
    return folder;
  }

  fill(name: string): void {
    fill(path.join(this.folder(name), 'ballast'), this.folder(name), 0);
  }

  free(name: string): void {
    fs.rmSync(path.join(this.folder(name), 'ballast'));
  }

  remove(): void {
    for (const folder of this.mounted) spawnSync('umount', ['-l', folder]);
  }
}
