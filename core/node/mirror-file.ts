/**
 * One file of the mirror: appended at its recorded end and fsynced, checked against what was recorded of it, and cut down to its
 * newest entries when it has grown. Whoever uses it holds the mirror lock.
 */
import { createHash, type Hash } from 'node:crypto';
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import type { EntryType, StoredEntry } from '../entry';
import { HubError } from '../errors';
import { parseMirror, renderEntry, renderHeader } from '../mirror/format';
import { writeFileAtomic } from './atomic-file';
import { errnoOf, fileError } from './file-errors';
import { readPlainFile, writeAtEnd } from './plain-file';
import { NO_FOLLOW, syncDirectory } from './platform';
import type { MirrorFile } from './mirror-state';

/** Somebody else wrote to the file: its bytes are not what was recorded. */
export class MirrorEdited extends Error {
  constructor(readonly file: string) {
    super(`${file} was changed by something other than ctx`);
  }
}

/** A stamp that any other writer changes. */
const stampOf = (stats: fs.Stats): string => `${stats.ino}/${stats.size}/${stats.mtimeMs}`;

const READ_WRITE = fs.constants.O_RDWR | NO_FOLLOW;

/** Where an entry stands in the file. */
interface Place {
  readonly id: string;
  readonly sequence: number;
  /** Byte offset of its first. */
  readonly start: number;
}

/** A file's bytes with what stands in them. */
interface Contents {
  readonly bytes: Buffer;
  readonly places: readonly Place[];
}

const EMPTY: Contents = { bytes: Buffer.alloc(0), places: [] };
const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

export class MirrorFileWriter {
  readonly #file: string;
  readonly #type: EntryType;
  readonly #hash: Hash;
  #bytes: number;
  readonly #places: Place[];
  /** Ids in the file, each once (FM-64). */
  readonly #ids: Set<string>;
  #stamp: string | undefined;

  private constructor(file: string, type: EntryType, { bytes, places }: Contents, stamp: string | undefined) {
    this.#file = file;
    this.#type = type;
    this.#hash = createHash('sha256').update(bytes);
    this.#bytes = bytes.length;
    this.#places = [...places];
    this.#ids = new Set(places.map(({ id }) => id));
    this.#stamp = stamp;
  }

  static empty(file: string, type: EntryType): MirrorFileWriter {
    return new MirrorFileWriter(file, type, EMPTY, undefined);
  }

  /**
   * Opens a file that was recorded as one of `recorded`. Bytes beyond are cut: they were never recorded.
   * @throws MirrorEdited when it is none of them
   */
  static async verified(file: string, type: EntryType, recorded: readonly MirrorFile[]): Promise<MirrorFileWriter> {
    const content = await readIfThere(file);
    for (const { bytes, sha256 } of recorded) {
      const known = content.subarray(0, bytes);
      if (known.length < bytes || hashOf(known) !== sha256) continue;
      const places = bytes === 0 ? [] : placesIn(type, known);
      if (places === undefined) break;
      if (content.length > bytes) await cut(file, bytes);
      const stats = bytes === 0 ? undefined : await fsp.stat(file);
      const stamp = stats === undefined ? undefined : stampOf(stats);
      return new MirrorFileWriter(file, type, { bytes: known, places }, stamp);
    }
    throw new MirrorEdited(file);
  }

  get record(): MirrorFile {
    return { bytes: this.#bytes, sha256: this.#hash.copy().digest('hex'), entries: this.#places.length };
  }

  /** Appends entries that the file does not have; durable when it resolves. @throws MirrorEdited */
  async append(entries: readonly StoredEntry[]): Promise<void> {
    const fresh = entries.filter((entry) => !this.#ids.has(entry.id));
    if (fresh.length === 0) return;
    const parts = this.#bytes === 0 ? [Buffer.from(renderHeader(this.#type))] : [];
    let end = this.#bytes + (parts[0]?.length ?? 0);
    const places = fresh.map((entry) => {
      const part = Buffer.from(renderEntry(entry));
      parts.push(part);
      const start = end;
      end += part.length;
      return { id: entry.id, sequence: entry.sequence, start };
    });
    const text = Buffer.concat(parts);
    await this.#write(text);
    this.#hash.update(text);
    this.#bytes = end;
    for (const place of places) {
      this.#places.push(place);
      this.#ids.add(place.id);
    }
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

  /** What a failed write left behind is ours, not somebody's edit. */
  async #writeAtEnd(handle: fsp.FileHandle, text: Buffer): Promise<void> {
    try {
      await writeAtEnd(handle, text, this.#bytes);
    } finally {
      this.#stamp = stampOf(await handle.stat());
    }
  }

  /** Whether it has grown so far beyond what it keeps that cutting it down pays: what stays is written once more. */
  isOvergrown(keepEntries: number, keepBytes: number): boolean {
    return this.#places.length > keepEntries + Math.ceil(keepEntries / 2) || this.#bytes > 2 * keepBytes;
  }

  /**
   * Splits off all but the newest entries. Nothing is written yet.
   * @throws MirrorEdited when the file cannot be read back
   */
  async planCut(keepEntries: number, keepBytes: number): Promise<MirrorCut> {
    const bytes = (await readIfThere(this.#file)).subarray(0, this.#bytes);
    if (hashOf(bytes) !== this.record.sha256) throw new MirrorEdited(this.#file);
    let from = Math.max(0, this.#places.length - keepEntries);
    const startOf = (index: number): number => this.#places[index]?.start ?? this.#bytes;
    while (from < this.#places.length - 1 && this.#bytes - startOf(from) > keepBytes) from++;
    const at = startOf(from);
    const header = Buffer.from(renderHeader(this.#type));
    const places = this.#places.slice(from).map((place) => ({ ...place, start: place.start - at + header.length }));
    const newer = { bytes: Buffer.concat([header, bytes.subarray(at)]), places };
    return { firstSequence: this.#places[0]?.sequence ?? 0, older: bytes.subarray(0, at), newer };
  }

  static recordOf({ newer: { bytes, places } }: MirrorCut): MirrorFile {
    return { bytes: bytes.length, sha256: hashOf(bytes), entries: places.length };
  }

  /** Carries out a cut whose outcome has been recorded. */
  async applyCut({ newer }: MirrorCut): Promise<MirrorFileWriter> {
    await writeFileAtomic(this.#file, newer.bytes, { lockHeld: true });
    const stats = await fsp.stat(this.#file);
    return new MirrorFileWriter(this.#file, this.#type, newer, stampOf(stats));
  }
}

export interface MirrorCut {
  readonly firstSequence: number;
  /** For the archive, header included. */
  readonly older: Buffer;
  /** What stays, header included. */
  readonly newer: Contents;
}

/** Where its entries begin; `undefined` when it is not all of our form. */
function placesIn(type: EntryType, bytes: Buffer): Place[] | undefined {
  const text = bytes.toString('utf8');
  const { blocks, wellFormedTo } = parseMirror(type, text);
  if (wellFormedTo < text.length) return undefined;
  let at = 0;
  let start = 0;
  return blocks.map((block) => {
    start += Buffer.byteLength(text.slice(at, block.start));
    at = block.start;
    return { id: block.entry.id, sequence: block.entry.sequence, start };
  });
}

/** What is no file at all (a link, a pipe, a folder) is somebody's edit like any other. @throws MirrorEdited */
async function readIfThere(file: string): Promise<Buffer> {
  try {
    return (await readPlainFile(file))?.bytes ?? Buffer.alloc(0);
  } catch (error) {
    if (error instanceof HubError && error.code !== 'io_failed') throw new MirrorEdited(file);
    throw error;
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
