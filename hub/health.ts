/** What the hub knows of its own health, in words for the operator. */
import fsp from 'node:fs/promises';
import type { HubParts } from './hub-parts';

const CHECK_INTERVAL_MS = 10_000;
const LOW_DISK_BYTES = 64 * 1024 * 1024;
const LOW_DISK_SHARE = 0.02;

/** Problems by what they concern, so that each stands there once. */
export type Reported = Map<string, string>;

export interface HealthWatch {
  readonly problems: () => readonly string[];
  readonly close: () => void;
}

async function lowDisk(dataDir: string): Promise<string | undefined> {
  const { bavail, blocks, bsize } = await fsp.statfs(dataDir);
  const free = bavail * bsize;
  if (free >= LOW_DISK_BYTES && bavail >= blocks * LOW_DISK_SHARE) return undefined;
  return `The disk of ${dataDir} is nearly full: ${Math.floor(free / (1024 * 1024))} MiB free. Free space or grow it.`;
}

/** @param reported problems that come from elsewhere; the watch adds its own */
export function watchHealth(parts: HubParts, dataDir: string, reported: Reported): HealthWatch {
  const report = (what: string, problem: string | undefined): void => {
    if (problem === undefined) reported.delete(what);
    else reported.set(what, problem);
  };
  const check = (): void => {
    lowDisk(dataDir)
      .then((problem) => report('disk', problem))
      .then(() => parts.lookAfter?.())
      .catch((error: unknown) => report('disk', `The disk of ${dataDir} does not answer: ${String(error)}`));
  };
  check();
  const timer = setInterval(check, CHECK_INTERVAL_MS);
  timer.unref();
  return {
    problems: () => [...parts.problems(), ...reported.values()],
    close: () => clearInterval(timer),
  };
}
