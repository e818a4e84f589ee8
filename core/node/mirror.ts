/**
 * The mirror of other projects' entries in `.context/hub/` (PROTOCOL.md, section "Mirror"): appended by sequence, fsynced, then
 * recorded. One process at a time writes it, whoever holds its lock; what was not recorded is cut at the next start, and
 * files that somebody edited are built anew from the hub.
 */
import fsp from 'node:fs/promises';
import type { ClientAccess } from '../access';
import type { Cursor } from '../cursor';
import { ENTRY_TYPES, type EntryType, type StoredEntry } from '../entry';
import { HubError } from '../errors';
import { parseMirror } from '../mirror/format';
import { writeFileAtomic } from './atomic-file';
import { fileError } from './file-errors';
import { acquireLock, type FileLock } from './file-lock';
import { ensureHubFolder } from './gitignore';
import { archiveFile, archiveFiles } from './mirror-archive';
import { MirrorEdited, MirrorFileWriter } from './mirror-file';
import {
  emptyMirrorState,
  readMirrorState,
  writeMirrorState,
  type MirrorFiles,
  type MirrorState,
} from './mirror-state';
import { readPlainFile } from './plain-file';
import { projectPaths, type ProjectPaths } from './project-directory';

export const KEEP_ENTRIES = 1_000;
const KEEP_BYTES = 32 * 1024 * 1024;

export interface MirrorOptions {
  readonly hubId: string;
  /** Subscribed types. */
  readonly types: readonly EntryType[];
  /** Newest entries per type that stay out of the archive. */
  readonly keepEntries?: number | undefined;
  readonly onNotice: (message: string) => void;
}

type Writers = Map<EntryType, MirrorFileWriter>;

export class Mirror {
  readonly #paths: ProjectPaths;
  readonly #options: MirrorOptions;
  readonly #lock: FileLock;
  readonly #keepEntries: number;
  #state: MirrorState;
  #writers: Writers;
  /** What is on disk is not what `#state` says and goes before anything is written. */
  #stale: boolean;

  private constructor(paths: ProjectPaths, options: MirrorOptions, lock: FileLock, found: Found) {
    this.#paths = paths;
    this.#options = options;
    this.#lock = lock;
    this.#keepEntries = options.keepEntries ?? KEEP_ENTRIES;
    this.#state = found.state;
    this.#writers = found.writers;
    this.#stale = found.stale;
  }

  /** @returns `undefined` when another process keeps this mirror */
  static async open(paths: ProjectPaths, options: MirrorOptions): Promise<Mirror | undefined> {
    await ensureHubFolder(paths.hubDir);
    await refuseLink(paths.hubDir);
    const lock = await tryLock(paths.mirrorLock);
    if (lock === undefined) return undefined;
    try {
      return new Mirror(paths, options, lock, await findMirror(paths, options));
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  get cursor(): Cursor | undefined {
    return this.#state.cursor ?? undefined;
  }

  /** What the hub let this client read when it was written. */
  get access(): ClientAccess | undefined {
    return this.#state.access;
  }

  /** Subscribed types that are not complete up to the cursor. */
  get missingTypes(): readonly EntryType[] {
    return this.#options.types.filter((type) => !this.#state.types.includes(type));
  }

  /** Where the back-fill of the missing types stands. */
  get backfillCursor(): Cursor | undefined {
    return this.#state.backfill?.cursor ?? undefined;
  }

  /** Once the hub is reached: what is stale or no longer subscribed goes, what was subscribed later is asked for. */
  async prepare(): Promise<void> {
    if (this.#stale) await this.startOver();
    const wanted = this.#options.types;
    const types = this.#state.cursor === null ? wanted : this.#state.types.filter((type) => wanted.includes(type));
    const missing = wanted.filter((type) => !types.includes(type));
    const resumed = this.#state.backfill?.types.join() === missing.join() ? this.#state.backfill : undefined;
    const begun = missing.length === 0 ? undefined : { types: missing, cursor: null };
    for (const type of this.#writers.keys()) {
      const kept = types.includes(type) || (resumed !== undefined && missing.includes(type));
      if (!kept) await this.#forget(type);
    }
    await this.#record({ ...this.#state, types, backfill: resumed ?? begun });
  }

  /** Forgets everything: the next entry is the hub's first, of those that this access lets through. */
  async startOver(access = this.access): Promise<void> {
    for (const type of ENTRY_TYPES) await this.#forget(type);
    await this.#record(emptyMirrorState(this.#options.hubId, this.#options.types, access));
    this.#stale = false;
  }

  /**
   * Writes entries of other projects (checked, in order, none before the cursor) and moves the cursor; durable when it
   * resolves.
   * @throws MirrorEdited when a file was changed meanwhile; HubError when it cannot be written
   */
  async take(entries: readonly StoredEntry[], cursor: Cursor): Promise<void> {
    await this.#append(entries.filter(({ type }) => this.#state.types.includes(type)));
    await this.#record({ ...this.#state, cursor });
    await this.#archive();
  }

  /** Writes a page of the missing types. The last page makes them ordinary ones. */
  async takeBackfill(entries: readonly StoredEntry[], cursor: Cursor, last: boolean): Promise<void> {
    const types = this.missingTypes;
    await this.#append(entries.filter(({ type }) => types.includes(type)));
    const done = { types: [...this.#state.types, ...types], backfill: undefined };
    await this.#record({ ...this.#state, ...(last ? done : { backfill: { types, cursor } }) });
    await this.#archive();
  }

  async close(): Promise<void> {
    await this.#lock.release();
  }

  async #append(entries: readonly StoredEntry[]): Promise<void> {
    for (const type of ENTRY_TYPES) {
      const ofType = entries.filter((entry) => entry.type === type);
      if (ofType.length > 0) await this.#writer(type).append(ofType);
    }
  }

  #writer(type: EntryType): MirrorFileWriter {
    const known = this.#writers.get(type);
    if (known !== undefined) return known;
    const fresh = MirrorFileWriter.empty(this.#paths.mirror[type], type);
    this.#writers.set(type, fresh);
    return fresh;
  }

  async #record(state: MirrorState): Promise<void> {
    const files: MirrorFiles = Object.fromEntries([...this.#writers].map(([type, writer]) => [type, writer.record]));
    this.#state = { ...state, files };
    await writeMirrorState(this.#paths, this.#state);
  }

  /** Archive first, then what the file becomes is recorded, then it becomes that: no kill in between loses anything. */
  async #archive(): Promise<void> {
    for (const [type, writer] of this.#writers) {
      if (!writer.isOvergrown(this.#keepEntries, KEEP_BYTES)) continue;
      const plan = await writer.planCut(this.#keepEntries, KEEP_BYTES);
      await fsp.mkdir(this.#paths.archiveDir, { recursive: true });
      await writeFileAtomic(archiveFile(this.#paths, type, plan.firstSequence), plan.older, { lockHeld: true });
      await this.#record({ ...this.#state, next: { [type]: MirrorFileWriter.recordOf(plan) } });
      this.#writers.set(type, await writer.applyCut(plan));
      await this.#record({ ...this.#state, next: undefined });
    }
  }

  async #forget(type: EntryType): Promise<void> {
    this.#writers.delete(type);
    for (const file of [this.#paths.mirror[type], ...(await archiveFiles(this.#paths, type))]) {
      await fsp.rm(file, { force: true }).catch((error: unknown) => {
        throw fileError(error, 'remove', file);
      });
    }
  }
}

interface Found {
  readonly state: MirrorState;
  readonly writers: Writers;
  readonly stale: boolean;
}

async function findMirror(paths: ProjectPaths, options: MirrorOptions): Promise<Found> {
  const fresh = (stale: boolean): Found => ({
    state: emptyMirrorState(options.hubId, options.types),
    writers: new Map(),
    stale,
  });
  const state = await readMirrorState(paths);
  if (state === undefined) return fresh(true);
  if (state.hub_id !== options.hubId) {
    options.onNotice('The mirror in .context/hub is of another hub; it is built anew.');
    return fresh(true);
  }
  try {
    const writers: Writers = new Map();
    for (const type of ENTRY_TYPES) {
      const recorded = [state.files[type], state.next?.[type]].filter((each) => each !== undefined);
      if (recorded.length === 0) continue;
      writers.set(type, await MirrorFileWriter.verified(paths.mirror[type], type, recorded));
    }
    return { state, writers, stale: false };
  } catch (error) {
    if (!(error instanceof MirrorEdited)) throw error;
    options.onNotice(`${error.message}; it is managed by ctx and built anew from the hub.`);
    return fresh(true);
  }
}

async function tryLock(file: string): Promise<FileLock | undefined> {
  try {
    return await acquireLock(file, { deadlineMs: 0, what: 'the mirror' });
  } catch (error) {
    if (error instanceof HubError && error.code === 'locked') return undefined;
    throw error;
  }
}

/** A link planted by a repository would make us write elsewhere (S25). */
async function refuseLink(dir: string): Promise<void> {
  const stats = await fsp.lstat(dir);
  if (!stats.isSymbolicLink()) return;
  throw new HubError('config', `${dir} is a symbolic link. Remove it: ctx writes only inside the project.`);
}

/**
 * The mirrored entries without the archive, by sequence, for showing them when the hub is not there. Takes no lock: what is being
 * written at this moment is left out.
 */
export async function readMirror(projectDir: string): Promise<readonly StoredEntry[]> {
  const paths = projectPaths(projectDir);
  const state = await readMirrorState(paths);
  const found = await Promise.all(
    ENTRY_TYPES.map(async (type) => {
      const bytes = Math.max(state?.files[type]?.bytes ?? 0, state?.next?.[type]?.bytes ?? 0);
      const content = (await readPlainFile(paths.mirror[type]))?.bytes.toString('utf8', 0, bytes) ?? '';
      return parseMirror(type, content).blocks.map(({ entry }) => entry);
    }),
  );
  return found.flat().sort((a, b) => a.sequence - b.sequence);
}
