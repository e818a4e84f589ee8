/**
 * A disk in memory that fails on demand: durable, cached and lost bytes are kept apart, names are durable only after their
 * folder was synced, and at any one operation it can crash, tear, run full or return an I/O error. Same port as production.
 */
import path from 'node:path';
import type { Disk, DiskFile, FileFacts, OpenMode } from '../../hub/store/disk';

/** What a power cut does to bytes and names that were not synced; `kill` is the end of the process alone. */
export type Crash = 'kill' | 'lost' | 'torn' | 'nul' | 'kept';
export type Fault = 'eio' | 'enospc' | 'short';

/** The process that used the disk is dead: nothing it does has an effect any more. */
export class Dead extends Error {
  override readonly name = 'Dead';
}

const SECTOR = 512;

export function errno(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}

/** Deterministic numbers in [0, 1) (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function resized(bytes: Uint8Array, length: number): Uint8Array {
  const result = new Uint8Array(length);
  result.set(bytes.subarray(0, length));
  return result;
}

type Pending =
  | { readonly kind: 'write'; readonly bytes: Uint8Array; readonly position: number }
  | { readonly kind: 'truncate'; readonly length: number };

/** All of a change, or of a write only the sectors that `made` lets through; the rest stays as it was, or NUL where new. */
function applied(bytes: Uint8Array, change: Pending, made: (sector: number) => boolean = () => true): Uint8Array {
  if (change.kind === 'truncate') return resized(bytes, change.length);
  const end = change.position + change.bytes.length;
  const result = resized(bytes, Math.max(bytes.length, end));
  for (let at = change.position; at < end;) {
    const next = Math.min(end, (Math.floor(at / SECTOR) + 1) * SECTOR);
    if (made(Math.floor(at / SECTOR))) {
      result.set(change.bytes.subarray(at - change.position, next - change.position), at);
    }
    at = next;
  }
  return result;
}

/** Bytes of one file: what the process sees, what is on the platter, and the changes that are on their way there. */
class Inode {
  cached: Uint8Array = new Uint8Array(0);
  durable: Uint8Array = new Uint8Array(0);
  private pending: Pending[] = [];

  change(change: Pending): void {
    this.pending.push(change);
    this.cached = applied(this.cached, change);
  }

  /** Brings what is still on its way to the platter, and the file's length; what a failed sync lost reads as NUL there. */
  sync(): void {
    this.durable = resized(
      this.pending.reduce((bytes, change) => applied(bytes, change), this.durable),
      this.cached.length,
    );
    this.pending = [];
  }

  /** A failed sync: the pages count as clean, their bytes never reach the platter. */
  losePending(): void {
    this.pending = [];
  }

  cut(crash: Crash, random: () => number): void {
    if (crash === 'kill') return;
    const { pending } = this;
    if (crash === 'kept') this.sync();
    if (crash === 'torn') this.tear(Math.floor(random() * (pending.length + 1)), random);
    if (crash === 'nul') {
      // Every length made it; of the bytes only some did.
      for (const change of pending) this.durable = applied(this.durable, change, () => random() < 0.3);
    }
    this.cached = this.durable;
    this.pending = [];
  }

  /** The disk writes back in order by itself: the first `whole` changes, and a part of the next. */
  private tear(whole: number, random: () => number): void {
    for (const change of this.pending.slice(0, whole)) this.durable = applied(this.durable, change);
    const next = this.pending[whole];
    if (next?.kind !== 'write') return;
    const length = Math.floor(random() * (next.bytes.length + 1));
    const firstLost = Math.floor(random() * (next.bytes.length / SECTOR + 2)) + Math.floor(next.position / SECTOR);
    const part: Pending = { ...next, bytes: next.bytes.subarray(0, length) };
    this.durable = applied(this.durable, part, (sector) => sector < firstLost || random() < 0.3);
  }
}

type Node = Inode | 'folder';
interface NameChange {
  readonly folder: string;
  readonly apply: (names: Map<string, Node>) => void;
}

export interface Plan {
  /** Number of the operation, from 0, at which it happens. */
  readonly at: number;
  readonly what: Crash | Fault;
}

/** Operations that can fail; reads cannot change anything and have only `eio`. */
export type OperationKind =
  'open' | 'read' | 'write' | 'sync' | 'truncate' | 'rename' | 'remove' | 'mkdir' | 'syncFolder';

export class SimulatedDisk implements Disk {
  private names = new Map<string, Node>([['/', 'folder']]);
  private durableNames = new Map<string, Node>(this.names);
  private changes: NameChange[] = [];
  private dead = false;
  private generation = 0;
  /** Every operation so far, by kind. */
  readonly operations: OperationKind[] = [];
  /** Which planned fault really happened. */
  readonly happened: Plan[] = [];
  private full = false;

  constructor(
    private plan: Plan | undefined,
    private readonly random: () => number,
  ) {}

  /** Starts a new process on what the last one, or the power cut, left behind. */
  restart(plan?: Plan): void {
    this.dead = false;
    this.full = false;
    this.generation++;
    this.plan = plan;
  }

  /** The fault comes while this process runs on. */
  failAt(plan: Plan): void {
    this.plan = plan;
  }

  /** The next operation, whatever it is, fails like this. */
  failNext(what: Fault): void {
    this.plan = { at: this.operations.length, what };
  }

  get isDead(): boolean {
    return this.dead;
  }

  freeSpace(): void {
    this.full = false;
  }

  get isFull(): boolean {
    return this.full;
  }

  /** Ends the process here, with or without the machine. */
  crash(kind: Crash): void {
    this.dead = true;
    if (kind === 'kill') return;
    const kept =
      kind === 'kept'
        ? this.changes.length
        : kind === 'torn'
          ? Math.floor(this.random() * (this.changes.length + 1))
          : 0;
    for (const change of this.changes.slice(0, kept)) change.apply(this.durableNames);
    this.changes = [];
    const nodes = new Set([...this.names.values(), ...this.durableNames.values()]);
    for (const node of nodes) if (node instanceof Inode) node.cut(kind, this.random);
    this.names = new Map(this.durableNames);
  }

  /** What is there, for tests: bytes as the process sees them. */
  peek(file: string): Uint8Array | undefined {
    const node = this.names.get(file);
    return node instanceof Inode ? node.cached : undefined;
  }

  /** Puts bytes there, durable, as somebody else would. */
  poke(file: string, bytes: Uint8Array | 'folder'): void {
    if (bytes === 'folder') {
      this.names.set(file, 'folder');
      this.durableNames.set(file, 'folder');
      return;
    }
    const inode = new Inode();
    inode.cached = Uint8Array.from(bytes);
    inode.durable = inode.cached;
    this.names.set(file, inode);
    this.durableNames.set(file, inode);
  }

  get files(): readonly string[] {
    return [...this.names].filter(([, node]) => node instanceof Inode).map(([name]) => name);
  }

  /** Counts an operation and makes the planned fault happen. @returns the fault that the caller must act out */
  private step(kind: OperationKind): Fault | undefined {
    if (this.dead) throw new Dead();
    const { plan } = this;
    const here = plan?.at === this.operations.length;
    this.operations.push(kind);
    if (this.full && needsSpace(kind)) throw errno('ENOSPC');
    if (!here) return undefined;
    const { what } = plan;
    if (what === 'eio' || what === 'enospc' || what === 'short') return this.faulty(kind, what, plan);
    // What the operation itself has done by then is up to its kind.
    this.happened.push(plan);
    this.dying = what;
    return undefined;
  }

  private faulty(kind: OperationKind, what: Fault, plan: Plan): Fault | undefined {
    if (what === 'short' && kind !== 'write') return undefined;
    if (what === 'enospc' && !needsSpace(kind)) return undefined;
    this.happened.push(plan);
    if (what === 'enospc') this.full = true;
    if (what === 'enospc' && kind !== 'write') throw errno('ENOSPC');
    if (what === 'eio' && kind !== 'sync') throw errno('EIO');
    return what;
  }

  private dying: Crash | undefined;

  /** After the operation's effect reached the cache: the planned crash, if it is now. */
  private settle(): void {
    if (this.dying === undefined) return;
    const kind = this.dying;
    this.dying = undefined;
    this.crash(kind);
    throw new Dead();
  }

  private change(folder: string, apply: (names: Map<string, Node>) => void): void {
    apply(this.names);
    this.changes.push({ folder, apply });
  }

  open = async (file: string, mode: OpenMode): Promise<DiskFile> => {
    await Promise.resolve();
    let node = this.names.get(file);
    if (mode === 'create') {
      this.step('open');
      if (node !== undefined) throw errno('EEXIST');
      const inode = new Inode();
      node = inode;
      this.change(path.dirname(file), (names) => names.set(file, inode));
      this.settle();
    } else {
      if (this.dead) throw new Dead();
    }
    if (node === undefined) throw errno('ENOENT');
    if (node === 'folder') throw errno('EISDIR');
    return this.handle(node);
  };

  private handle(inode: Inode): DiskFile {
    const { generation } = this;
    const alive = (): void => {
      if (generation !== this.generation) throw new Dead();
    };
    return {
      read: async (into, position) => {
        await Promise.resolve();
        alive();
        if (this.dead) throw new Dead();
        const bytes = inode.cached.subarray(position, position + into.length);
        into.set(bytes);
        return bytes.length;
      },
      write: async (bytes, position) => {
        await Promise.resolve();
        alive();
        const fault = this.step('write');
        const done = fault === undefined ? bytes.length : Math.floor(bytes.length / 2);
        if (fault === 'enospc' && done === 0) throw errno('ENOSPC');
        inode.change({ kind: 'write', bytes: Uint8Array.from(bytes.subarray(0, done)), position });
        this.settle();
        return done;
      },
      sync: async () => {
        await Promise.resolve();
        alive();
        const fault = this.step('sync');
        if (fault === 'eio') {
          inode.losePending();
          throw errno('EIO');
        }
        // A crash during a sync finds its bytes not yet, partly or wholly written: just like before it.
        if (this.dying === undefined) inode.sync();
        this.settle();
      },
      truncate: async (length) => {
        await Promise.resolve();
        alive();
        this.step('truncate');
        inode.change({ kind: 'truncate', length });
        this.settle();
      },
      size: async () => {
        await Promise.resolve();
        alive();
        return inode.cached.length;
      },
      isAt: async (path) => {
        await Promise.resolve();
        alive();
        return this.names.get(path) === inode;
      },
      close: () => Promise.resolve(),
    };
  }

  facts = async (file: string): Promise<FileFacts | undefined> => {
    await Promise.resolve();
    if (this.dead) throw new Dead();
    const node = this.names.get(file);
    if (node === undefined) return undefined;
    const uid = process.getuid?.() ?? 0;
    return node === 'folder'
      ? { kind: 'folder', size: 0, mode: 0o700, uid }
      : { kind: 'file', size: node.cached.length, mode: 0o600, uid };
  };

  list = async (folder: string): Promise<readonly string[]> => {
    await Promise.resolve();
    if (this.dead) throw new Dead();
    return [...this.names.keys()]
      .filter((name) => name !== '/' && path.dirname(name) === folder)
      .map((name) => path.basename(name));
  };

  makeFolder = async (folder: string): Promise<void> => {
    await Promise.resolve();
    this.step('mkdir');
    if (this.names.has(folder)) throw errno('EEXIST');
    this.change(path.dirname(folder), (names) => names.set(folder, 'folder'));
    this.settle();
  };

  protect = (): Promise<void> => Promise.resolve();

  rename = async (from: string, to: string): Promise<void> => {
    await Promise.resolve();
    this.step('rename');
    const node = this.names.get(from);
    if (node === undefined) throw errno('ENOENT');
    this.change(path.dirname(to), (names) => {
      // What is in a folder goes with it.
      for (const [name, each] of [...names]) {
        if (name !== from && !name.startsWith(`${from}/`)) continue;
        names.delete(name);
        names.set(to + name.slice(from.length), each);
      }
      names.set(to, node);
    });
    this.settle();
  };

  remove = async (file: string): Promise<void> => {
    await Promise.resolve();
    if (!this.names.has(file)) {
      if (this.dead) throw new Dead();
      throw errno('ENOENT');
    }
    this.step('remove');
    this.change(path.dirname(file), (names) => names.delete(file));
    this.settle();
  };

  syncFolder = async (folder: string): Promise<void> => {
    await Promise.resolve();
    const fault = this.step('syncFolder');
    if (fault !== undefined) throw errno('EIO');
    const mine = (change: NameChange): boolean => change.folder === folder;
    if (this.dying === undefined) {
      for (const change of this.changes.filter(mine)) change.apply(this.durableNames);
      this.changes = this.changes.filter((change) => !mine(change));
    }
    this.settle();
  };
}

function needsSpace(kind: OperationKind): boolean {
  return kind === 'open' || kind === 'write' || kind === 'rename' || kind === 'mkdir';
}
