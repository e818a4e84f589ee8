/**
 * One file of the mirror: appended at its recorded end and fsynced, checked against what was recorded of it, and cut down to its
 * newest entries when it has grown. Whoever uses it holds the mirror lock.
 */
import { createHash, type Hash } from 'node:crypto';
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import type { EntryType, StoredEntry } from '../entry';
import { parseMirror, renderEntry, renderHeader } from '../mirror/format';
import { writeFileAtomic } from './atomic-file';
import { errnoOf, fileError } from './file-errors';
import { syncDirectory } from './platform';
import type { MirrorFile } from './mirror-state';

/** Somebody else wrote to the file: its bytes are not what was recorded. */
export class MirrorEdited extends Error {
  constructor(readonly file: string) {
    super(`${file} was changed by something other than ctx`);
  }
}

/** A stamp that any other writer changes. */
const stampOf = (stats: fs.Stats): string => `${stats.ino}/${stats.size}/${stats.mtimeMs}`;

const NO_FOLLOW = fs.constants.O_NOFOLLOW as number | undefined;
const READ_WRITE = fs.constants.O_RDWR | (NO_FOLLOW ?? 0);

export class MirrorFileWriter {
  readonly #file: string;
  readonly #type: EntryType;
  #hash: Hash;
  #bytes: number;
  #entries: number;
  /** Ids in the file, each once (FM-64). */
  readonly #ids: Set<string>;
  #stamp: string | undefined;

  private constructor(
    file: string,
    type: EntryType,
    content: Buffer,
    ids: readonly string[],
    stamp: string | undefined,
  ) {
    this.#file = file;
    this.#type = type;
    this.#hash = createHash('sha256').update(content);
    this.#bytes = content.length;
    this.#entries = ids.length;
    this.#ids = new Set(ids);
    this.#stamp = stamp;
  }

  static empty(file: string, type: EntryType): MirrorFileWriter {
    return new MirrorFileWriter(file, type, Buffer.alloc(0), [], undefined);
  }

  /**
   * Opens a file that was recorded as one of `recorded`. Bytes beyond are cut: they were never recorded.
   * @throws MirrorEdited when it is none of them
   */
  static async verified(file: string, type: EntryType, recorded: readonly MirrorFile[]): Promise<MirrorFileWriter> {
    const content = await readIfThere(file);
    for (const { bytes, sha256 } of recorded) {
      const known = content.subarray(0, bytes);
      if (known.length < bytes || createHash('sha256').update(known).digest('hex') !== sha256) continue;
      const { blocks, wellFormedTo } = parseMirror(type, known.toString('utf8'));
      if (bytes > 0 && Buffer.byteLength(known.toString('utf8').slice(0, wellFormedTo)) < bytes) break;
      if (content.length > bytes) await cut(file, bytes);
      const ids = blocks.map(({ entry }) => entry.id);
      const stats = bytes === 0 ? undefined : await fsp.stat(file);
      return new MirrorFileWriter(file, type, known, ids, stats === undefined ? undefined : stampOf(stats));
    }
    throw new MirrorEdited(file);
  }

  get record(): MirrorFile {
    return { bytes: this.#bytes, sha256: this.#hash.copy().digest('hex'), entries: this.#entries };
  }

  /** Appends entries that the file does not have; durable when it resolves. @throws MirrorEdited */
  async append(entries: readonly StoredEntry[]): Promise<void> {
    const fresh = entries.filter((entry) => !this.#ids.has(entry.id));
    if (fresh.length === 0) return;
    const header = this.#bytes === 0 ? renderHeader(this.#type) : '';
    const text = Buffer.from(header + fresh.map(renderEntry).join(''));
    await this.#write(text);
    this.#hash.update(text);
    this.#bytes += text.length;
    this.#entries += fresh.length;
    for (const { id } of fresh) this.#ids.add(id);
  }

  async #write(text: Buffer): Promise<void> {
    const isNew = this.#stamp === undefined;
    try {
      const handle = await fsp.open(this.#file, isNew ? READ_WRITE | fs.constants.O_CREAT : READ_WRITE, 0o644);
      try {
        if (isNew) await handle.truncate(0);
        else if (stampOf(await handle.stat()) !== this.#stamp) throw new MirrorEdited(this.#file);
        await this.#writeAtEnd(handle, text);
      } finally {
        await handle.close();
      }
      if (isNew) await syncDirectory(path.dirname(this.#file));
    } catch (error) {
      if (error instanceof MirrorEdited) throw error;
      if (!isNew && errnoOf(error) === 'ENOENT') throw new MirrorEdited(this.#file);
      throw fileError(error, 'write', this.#file);
    }
  }

  /** What a failed write left behind is ours: it is taken back, not mistaken for somebody's edit. */
  async #writeAtEnd(handle: fsp.FileHandle, text: Buffer): Promise<void> {
    try {
      await handle.write(text, 0, text.length, this.#bytes);
      await handle.datasync();
    } catch (error) {
      await handle.truncate(this.#bytes).catch(() => undefined); // Then the next start cuts it.
      throw error;
    } finally {
      this.#stamp = stampOf(await handle.stat());
    }
  }

  /** Whether it has grown so far beyond what it keeps that cutting it down pays. */
  isOvergrown(keepEntries: number, keepBytes: number): boolean {
    return this.#entries > keepEntries + Math.ceil(keepEntries / 4) || this.#bytes > 2 * keepBytes;
  }

  /**
   * Splits off all but the newest entries. Nothing is written yet.
   * @throws MirrorEdited when the file cannot be read back
   */
  async planCut(keepEntries: number, keepBytes: number): Promise<MirrorCut> {
    const content = (await readIfThere(this.#file)).subarray(0, this.#bytes);
    const text = content.toString('utf8');
    const { blocks, wellFormedTo } = parseMirror(this.#type, text);
    if (wellFormedTo < text.length) throw new MirrorEdited(this.#file);
    let from = Math.max(0, blocks.length - keepEntries);
    while (from < blocks.length - 1 && text.length - (blocks[from]?.start ?? 0) > keepBytes) from++;
    const first = blocks[0]?.entry.sequence ?? 0;
    const at = blocks[from]?.start ?? text.length;
    const header = renderHeader(this.#type);
    const ids = blocks.slice(from).map(({ entry }) => entry.id);
    return { firstSequence: first, older: text.slice(0, at), newer: header + text.slice(at), ids };
  }

  static recordOf({ newer, ids }: MirrorCut): MirrorFile {
    const bytes = Buffer.from(newer);
    return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex'), entries: ids.length };
  }

  /** Carries out a cut whose outcome has been recorded. */
  async applyCut({ newer, ids }: MirrorCut): Promise<MirrorFileWriter> {
    await writeFileAtomic(this.#file, newer, { lockHeld: true });
    const stats = await fsp.stat(this.#file);
    return new MirrorFileWriter(this.#file, this.#type, Buffer.from(newer), ids, stampOf(stats));
  }
}

export interface MirrorCut {
  readonly firstSequence: number;
  /** For the archive, header included. */
  readonly older: string;
  /** What stays, header included. */
  readonly newer: string;
  readonly ids: readonly string[];
}

async function readIfThere(file: string): Promise<Buffer> {
  try {
    return await fsp.readFile(file);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return Buffer.alloc(0);
    throw fileError(error, 'read', file);
  }
}

async function cut(file: string, bytes: number): Promise<void> {
  try {
    const handle = await fsp.open(file, READ_WRITE);
    try {
      await handle.truncate(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fileError(error, 'write', file);
  }
}
