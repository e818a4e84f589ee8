/** Real processes whose disk fails on command: a small preloaded library, built with the machine's C compiler. */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const SOURCE = path.resolve('test/support/faults/disk-faults.c');

export interface DiskFaults {
  /** For the process whose disk shall fail. */
  readonly env: Record<string, string>;
  /** From now on; see the library's source for the commands. */
  readonly command: (command: string) => void;
  /** Whether a fault that happens once has happened. */
  readonly happened: () => boolean;
  readonly clear: () => void;
}

/** @returns why it cannot be done here; undefined = it can */
export function diskFaultsImpossible(): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux (LD_PRELOAD)';
  return spawnSync('cc', ['--version']).error === undefined ? undefined : 'needs a C compiler (cc)';
}

export function diskFaults(folder: string): DiskFaults {
  const library = path.join(folder, 'disk-faults.so');
  const commandFile = path.join(folder, 'disk-faults.command');
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, SOURCE, '-ldl']);
  return {
    env: { LD_PRELOAD: library, CTX_DISK_FAULTS: commandFile },
    command: (command) => {
      // In one step: a half-written command must not be read.
      fs.writeFileSync(`${commandFile}.new`, `${command}\n`);
      fs.renameSync(`${commandFile}.new`, commandFile);
    },
    happened: () => !fs.existsSync(commandFile),
    clear: () => fs.rmSync(commandFile, { force: true }),
  };
}
