/**
 * A lock between processes of one machine: a small file that says who holds it. A lock whose holder is dead is taken over,
 * so a kill -9 never blocks anyone. Not for different machines on a shared drive, where it only waits its turn politely.
 *
 * Taking over is free of races: the right to remove the dead holder H's file belongs to whoever creates the *claim* named
 * after H's nonce, and only one process can create it. Should that claimant die as well, the right passes to the claim
 * named after *its* nonce, and so on. Nonces never come back, so a claim that comes too late claims nothing.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { HubError } from '../errors';
import { errnoOf, fileError } from './file-errors';
import { NO_WAIT, isProcessAlive, machineId, processStartTime } from './platform';

export interface FileLock {
  /** Gives the lock back. Safe to call twice. */
  readonly release: () => Promise<void>;
}

export interface LockOptions {
  /** How long to wait for another holder; 0 = try once. Default 10 s. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  /** For the message: "Another process works on <what>". Default: the lock file's path. */
  readonly what?: string;
  /**
   * Who holds it is on disk before it is held: a power cut leaves the name of a file that was not synced, and an empty one
   * keeps everybody waiting. For a lock that is held for long.
   */
  readonly survivesPowerCut?: boolean;
  /** How long a holder of another boot of this machine is watched before it counts as dead. Default 15 s. */
  readonly watchMs?: number;
}

interface Holder {
  readonly nonce: string;
  readonly pid: number;
  readonly started: string | undefined;
  readonly machine: string;
  /** The lock file as it was made: a copy of its folder has it at another place. */
  readonly place: string | undefined;
  /** Of the lock file, by the file system's clock. */
  readonly modifiedMs: number;
}

const DEFAULT_DEADLINE_MS = 10_000;
const MAX_WAIT_MS = 40;
/** A holder shows that it lives by touching its file; judged only where pid and start time cannot be. */
const TOUCH_INTERVAL_MS = 5_000;
const SILENCE_IS_DEATH_MS = 60_000;
/** Three touches that do not come, by this process's own clock. */
const DEFAULT_WATCH_MS = 3 * TOUCH_INTERVAL_MS;
const MAX_CLAIM_CHAIN = 16;

const NO_HARD_LINKS: ReadonlySet<string | undefined> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

function describeSelf(nonce: string, file: string): string {
  return JSON.stringify({
    nonce,
    place: path.resolve(file),
    pid: process.pid,
    started: processStartTime(process.pid),
    machine: machineId(),
  });
}

/** Creates `file` with its content in one step. @returns false when it exists. */
async function createExclusive(file: string, content: string, nonce: string, sync = false): Promise<boolean> {
  const temporary = `${file}.${nonce}.new`;
  try {
    await fsp.writeFile(temporary, content, { flag: 'wx', mode: 0o644, flush: sync });
    await fsp.link(temporary, file);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    if (!NO_HARD_LINKS.has(errnoOf(error))) throw error;
  } finally {
    await fsp.rm(temporary, { force: true });
  }
  // No hard links here (FAT): the content comes a moment later, which readers take for a holder that is just arriving.
  try {
    await fsp.writeFile(file, content, { flag: 'wx', mode: 0o644 });
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function parseHolder(text: string, modifiedMs: number): Holder {
  try {
    const value = JSON.parse(text) as Partial<Record<keyof Holder, unknown>>;
    const { nonce, pid, started, machine, place } = value;
    if (typeof nonce === 'string' && /^[0-9a-f]{1,64}$/.test(nonce) && typeof pid === 'number') {
      return {
        nonce,
        pid,
        started: typeof started === 'string' ? started : undefined,
        machine: typeof machine === 'string' ? machine : '',
        place: typeof place === 'string' ? place : undefined,
        modifiedMs,
      };
    }
  } catch {
    // Falls through: half written or not ours.
  }
  // Nobody to ask: only silence tells that it is dead. The time stands in for a nonce.
  return {
    nonce: Math.trunc(modifiedMs).toString(16),
    pid: 0,
    started: undefined,
    machine: '',
    place: undefined,
    modifiedMs,
  };
}

async function readHolder(file: string): Promise<Holder | undefined> {
  try {
    const handle = await fsp.open(file, constants.O_RDONLY | NO_WAIT);
    try {
      const { mtimeMs } = await handle.stat();
      return parseHolder(await handle.readFile('utf8'), mtimeMs);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** By the file system's clock; asked for only when nothing else can tell. */
type FileClock = () => Promise<number>;

async function isDead(holder: Holder, clock: FileClock): Promise<boolean> {
  if (holder.machine === machineId()) {
    if (!isProcessAlive(holder.pid)) return true;
    const started = processStartTime(holder.pid);
    if (started !== undefined && holder.started !== undefined) return started !== holder.started;
  }
  return (await clock()) - holder.modifiedMs > SILENCE_IS_DEATH_MS;
}

/** The clock that stamps files here may not be this machine's (network drives): ask it. */
async function fileSystemNow(file: string, nonce: string): Promise<number> {
  const probe = `${file}.${nonce}.now`;
  try {
    await fsp.writeFile(probe, '');
    return (await fsp.stat(probe)).mtimeMs;
  } finally {
    await fsp.rm(probe, { force: true });
  }
}

/**
 * Watches a lock of another boot of this machine. After a reboot its holder is gone, but two machines may have one name: only
 * one that is never seen to touch its file, by a clock that does not jump, is dead.
 */
class SilenceWatch {
  private watched: { readonly nonce: string; readonly modifiedMs: number; readonly since: number } | undefined;
  private lives = false;

  constructor(private readonly watchMs: number) {}

  /** When the holder will be known to be dead, if it stays silent; `undefined` = that is not to be found out this way. */
  silentAt(holder: Holder): number | undefined {
    const [host] = machineId().split('/');
    if (this.lives || holder.machine === machineId() || holder.machine.split('/')[0] !== host) return undefined;
    const { nonce, modifiedMs } = holder;
    if (this.watched?.nonce === nonce && this.watched.modifiedMs !== modifiedMs) {
      this.lives = true;
      return undefined;
    }
    if (this.watched?.nonce !== nonce) this.watched = { nonce, modifiedMs, since: performance.now() };
    return this.watched.since + this.watchMs;
  }
}

/** Removes a dead holder's file if the right to do so can be had. @returns whether that file is gone */
async function removeDead(file: string, dead: Holder, clock: FileClock): Promise<boolean> {
  const claims: string[] = [];
  let last = dead;
  for (let length = 0; length < MAX_CLAIM_CHAIN; length++) {
    const claim = `${file}.${last.nonce}.claim`;
    claims.push(claim);
    const nonce = randomBytes(8).toString('hex');
    if (await createExclusive(claim, describeSelf(nonce, claim), nonce)) {
      const now = await readHolder(file);
      if (now?.nonce === dead.nonce) await fsp.rm(file, { force: true });
      for (const each of claims) await fsp.rm(each, { force: true });
      return true;
    }
    const claimant = await readHolder(claim);
    if (claimant === undefined || !(await isDead(claimant, clock))) return false;
    last = claimant;
  }
  return false;
}

/** What processes that were killed half-way left beside the lock. Nobody waits for it; it only lies around. */
async function sweep(file: string, nowMs: number): Promise<void> {
  const dir = path.dirname(file);
  const left = (await fsp.readdir(dir)).filter((name) => name.startsWith(`${path.basename(file)}.`));
  for (const name of left) {
    const each = path.join(dir, name);
    const stats = await fsp.stat(each).catch(() => undefined);
    if (stats !== undefined && nowMs - stats.mtimeMs > SILENCE_IS_DEATH_MS) await fsp.rm(each, { force: true });
  }
}

async function takeOver(file: string, holder: Holder, nonce: string, isSilent: boolean): Promise<boolean> {
  const clock = (): Promise<number> => fileSystemNow(file, nonce);
  if (!(isSilent || (await isDead(holder, clock))) || !(await removeDead(file, holder, clock))) return false;
  await sweep(file, await clock());
  return true;
}

function keepAlive(file: string): NodeJS.Timeout {
  const touch = (): void => {
    const now = new Date();
    // Failing to touch is harmless on this machine, where pid and start time speak for us.
    fsp.utimes(file, now, now).catch(() => undefined);
  };
  return setInterval(touch, TOUCH_INTERVAL_MS).unref();
}

function held(file: string, nonce: string): FileLock {
  const timer = keepAlive(file);
  let released: Promise<void> | undefined;
  const giveBack = async (): Promise<void> => {
    clearInterval(timer);
    const holder = await readHolder(file);
    if (holder?.nonce === nonce) await fsp.rm(file, { force: true });
  };
  return { release: () => (released ??= giveBack()) };
}

/** @returns where the lock is that its holder made, when `file` came here with a copy of that folder */
export async function copiedFrom(file: string): Promise<string | undefined> {
  const holder = await readHolder(file).catch(() => undefined);
  if (holder?.place === undefined || holder.place === path.resolve(file)) return undefined;
  const original = await readHolder(holder.place).catch(() => undefined);
  if (original?.nonce !== holder.nonce) return undefined;
  const [one, other] = await Promise.all([fsp.stat(file), fsp.stat(holder.place)]);
  // Else it is the same folder by another name.
  return one.ino === other.ino && one.dev === other.dev ? undefined : holder.place;
}

function lockedError(file: string, holder: Holder | undefined, options: LockOptions): HubError {
  const who = holder === undefined || holder.pid === 0 ? 'Another process' : `Process ${holder.pid}`;
  const what = options.what ?? file;
  return new HubError('locked', `${who} is working on ${what} (lock ${file}). Wait until it is done and try again.`);
}

/**
 * Takes the lock `file`, creating its folder when missing.
 * @throws HubError `locked` after the deadline, `cannot_create` or `io_failed` when the lock file cannot be made
 */
export async function acquireLock(file: string, options: LockOptions = {}): Promise<FileLock> {
  const deadline = performance.now() + (options.deadlineMs ?? DEFAULT_DEADLINE_MS);
  const nonce = randomBytes(8).toString('hex');
  const watch = new SilenceWatch(options.watchMs ?? DEFAULT_WATCH_MS);
  try {
    await fsp.mkdir(path.dirname(file), { recursive: true });
    for (;;) {
      options.signal?.throwIfAborted();
      if (await createExclusive(file, describeSelf(nonce, file), nonce, options.survivesPowerCut))
        return held(file, nonce);
      const holder = await readHolder(file);
      if (holder === undefined) continue;
      const silentAt = watch.silentAt(holder) ?? Infinity;
      if (await takeOver(file, holder, nonce, performance.now() >= silentAt)) continue;
      const end = silentAt === Infinity ? deadline : Math.max(deadline, silentAt);
      if (performance.now() >= end) throw lockedError(file, holder, options);
      await delay(1 + Math.random() * MAX_WAIT_MS);
    }
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    throw fileError(error, 'lock', file);
  }
}

/** Runs `work` under the lock and gives it back whatever happens. */
export async function withLock<T>(file: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const lock = await acquireLock(file, options);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}
