/** Processes whose wall clock jumps on command, each on its own: a small preloaded library, built with the machine's C compiler. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const SOURCE = path.resolve('test/support/faults/clock.c');

export class WrongClocks {
  private readonly library: string;

  constructor(private readonly folder: string) {
    this.library = path.join(folder, 'clock.so');
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', this.library, SOURCE]);
  }

  private file(name: string): string {
    return path.join(this.folder, `clock-${name}`);
  }

  /** For a process whose clock has this name. */
  env(name: string): Record<string, string> {
    return { LD_PRELOAD: this.library, CTX_CLOCK: this.file(name) };
  }

  /** From now on it is wrong by so much. */
  set(name: string, seconds: number): void {
    // In one step: a half-written number must not be read.
    fs.writeFileSync(`${this.file(name)}.new`, `${seconds}\n`);
    fs.renameSync(`${this.file(name)}.new`, this.file(name));
  }
}
