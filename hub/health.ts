/** What the hub knows of its own health, in words for the operator. */
import fsp from 'node:fs/promises';
import type { HubParts } from './hub-parts';

const CHECK_INTERVAL_MS = 10_000;
const LOW_DISK_BYTES = 64 * 1024 * 1024;
const LOW_DISK_SHARE = 0.02;

export interface HealthWatch {
  readonly problems: () => readonly string[];
  /** For problems that come from elsewhere: `undefined` takes the problem back. */
  readonly report: (what: string, problem: string | undefined) => void;
  readonly close: () => void;
}

async function lowDisk(dataDir: string): Promise<string | undefined> {
  const { bavail, blocks, bsize } = await fsp.statfs(dataDir);
  const free = bavail * bsize;
  if (free >= LOW_DISK_BYTES && bavail >= blocks * LOW_DISK_SHARE) return undefined;
  return `The disk of ${dataDir} is nearly full: ${Math.floor(free / (1024 * 1024))} MiB free. Free space or grow it.`;
}

export function watchHealth(parts: HubParts, dataDir: string): HealthWatch {
  const reported = new Map<string, string>();
  const report = (what: string, problem: string | undefined): void => {
    if (problem === undefined) reported.delete(what);
    else reported.set(what, problem);
  };
  const check = (): void => {
    lowDisk(dataDir)
      .then((problem) => report('disk', problem))
      .catch((error: unknown) => report('disk', `The disk of ${dataDir} does not answer: ${String(error)}`));
  };
  check();
  const timer = setInterval(check, CHECK_INTERVAL_MS);
  timer.unref();
  return {
    problems: () => [...parts.problems(), ...reported.values()],
    report,
    close: () => clearInterval(timer),
  };
}
