/**
 * The one place for differences between operating systems: file modes, fsync of directories, rename over open files,
 * signals, and who a process is. Knows nothing of what the files are for.
 */
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import os from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

/** Modes of everything that holds a secret; Windows ignores them and relies on the user folder's own protection. */
export const PRIVATE_DIR_MODE = 0o700;
export const PRIVATE_FILE_MODE = 0o600;

export const isWindows = process.platform === 'win32';

/** For open(2): a link in the last part of the path is an error (ELOOP); a pipe or device is not waited for. Not on Windows. */
export const NO_FOLLOW = (fs.constants.O_NOFOLLOW as number | undefined) ?? 0;
export const NO_WAIT = (fs.constants.O_NONBLOCK as number | undefined) ?? 0;

const errorCode = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** Makes a new name or a rename in `dir` survive a power cut. Windows has no such call and needs none. */
export async function syncDirectory(dir: string): Promise<void> {
  if (isWindows) return;
  const handle = await fsp.open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const BUSY_ON_WINDOWS: ReadonlySet<string | undefined> = new Set(['EPERM', 'EACCES', 'EBUSY']);
const MAX_RENAME_TRIES = 10;

/**
 * Puts `from` in the place of `to` in one step. Windows refuses while a scanner or editor holds `to` open: tries again.
 * @param check runs right before the step, with nothing of ours in between; what it throws stops it
 */
export async function replaceFile(from: string, to: string, check?: () => void): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      check?.();
      fs.renameSync(from, to);
      return;
    } catch (error) {
      if (!isWindows || tries === MAX_RENAME_TRIES || !BUSY_ON_WINDOWS.has(errorCode(error))) throw error;
      await delay(tries * 20);
    }
  }
}

/** Creates `dir` and its parents for this user alone; an existing one is narrowed to that. */
export async function makePrivateDir(dir: string): Promise<void> {
  await fsp.mkdir(dir, { recursive: true, mode: PRIVATE_DIR_MODE });
  if (!isWindows) await fsp.chmod(dir, PRIVATE_DIR_MODE);
}

/** Whether others than the owner may read or write it. Always false on Windows, where modes say nothing. */
export function isOpenToOthers(mode: number): boolean {
  return !isWindows && (mode & 0o077) !== 0;
}

/** Whether the file is marked read-only, which root would otherwise not notice. */
export function isMarkedReadOnly(mode: number): boolean {
  return (mode & 0o222) === 0;
}

/** Whether a process with this id runs, ours or another user's. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
  // Killed, but not yet collected by its parent: in containers whose first process collects late or never.
  const state = procStat(pid)?.[0];
  return state !== 'Z' && state !== 'X';
}

let bootId: string | undefined;

/** Changes with each boot and each host (or container); tells whether a pid written down earlier can be ours to judge. */
export function machineId(): string {
  if (bootId === undefined) {
    try {
      bootId = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    } catch {
      bootId = 'no-boot-id'; // Not Linux: the host name alone must do.
    }
  }
  return `${os.hostname()}/${bootId}`;
}

/** When a process began, as text to compare, so that a reused pid is not mistaken; `undefined` where not known cheaply. */
export function processStartTime(pid: number): string | undefined {
  return procStat(pid)?.[19];
}

/** The fields of `/proc/<pid>/stat` (proc(5)) from the third, the state, on; `undefined` where there are none. */
function procStat(pid: number): string[] | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may hold anything: count from the last parenthesis.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined; // Gone, or /proc is hidden from us.
  }
}
