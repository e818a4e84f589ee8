/**
 * A journal: every entry of a hub as a full line of JSON, appended and fsynced as it comes (FM-37). What `ctx hub import` reads. Goes on where
 * it ended, whatever ended it; one process at a time writes it.
 */
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import readline from 'node:readline';
import * as z from 'zod';
import { accessKey, toldAccessSchema, type ClientAccess } from '../access';
import type { Cursor } from '../cursor';
import type { StoredEntry } from '../entry';
import { HubError } from '../errors';
import { appendLines } from './append-file';
import { writeFileAtomic } from './atomic-file';
import { errnoOf, fileError } from './file-errors';
import { acquireLock, type FileLock } from './file-lock';
import type { JournalSink } from './intake';
import { openPlainFile } from './plain-file';
import { PRIVATE_FILE_MODE } from './platform';

const CHUNK_BYTES = 64 * 1024;
const LF = 0x0a;

const lineSchema = z.looseObject({ id: z.string(), sequence: z.int().min(1), digest: z.string() });
const cursorSchema = z.object({ sequence: z.int().min(0), digest: z.string() });
/**
 * Beside the journal when its last line is not where the reading stands: types were held back, or the hub was restored or lets
 * read something else (`byId`), so that entries come again which the file has.
 */
const placeSchema = z.object({
  bytes: z.int().min(0),
  cursor: cursorSchema,
  byId: z.boolean(),
  access: toldAccessSchema.optional(),
});
type Place = z.infer<typeof placeSchema>;

function notAJournal(file: string, cause?: unknown): HubError {
  return new HubError('bad_data', `${file} is no journal: its last line is no entry. Name another file.`, { cause });
}

/** The last whole line and the length up to its end; a torn one after it was never confirmed and is cut by the next append. */
async function lastLine(file: string): Promise<{ readonly line: string; readonly bytes: number } | undefined> {
  const { handle, stats } = await openPlainFile(file, fs.constants.O_RDONLY);
  try {
    const { size } = stats;
    let end = -1;
    const parts: Buffer[] = [];
    for (let to = size; to > 0; to = Math.max(0, to - CHUNK_BYTES)) {
      const from = Math.max(0, to - CHUNK_BYTES);
      const { buffer } = await handle.read(Buffer.alloc(to - from), 0, to - from, from);
      if (end === -1) {
        const at = buffer.lastIndexOf(LF);
        if (at === -1) continue;
        end = from + at + 1;
        parts.unshift(buffer.subarray(0, at));
      } else parts.unshift(buffer);
      const before = parts[0]?.lastIndexOf(LF) ?? -1;
      if (before === -1) continue;
      parts[0] = (parts[0] ?? Buffer.alloc(0)).subarray(before + 1);
      break;
    }
    return end === -1 ? undefined : { line: Buffer.concat(parts).toString('utf8'), bytes: end };
  } finally {
    await handle.close();
  }
}

function cursorOf(line: string, file: string): Cursor {
  try {
    const { sequence, digest } = lineSchema.parse(JSON.parse(line));
    return { sequence, digest };
  } catch (error) {
    throw notAJournal(file, error);
  }
}

async function readPlace(file: string): Promise<Place | undefined> {
  try {
    const place = placeSchema.safeParse(JSON.parse(await fsp.readFile(file, 'utf8')));
    return place.success ? place.data : undefined;
  } catch {
    return undefined; // None, or damaged: then the last line counts, and what comes again is recognised.
  }
}

export class Journal implements JournalSink {
  readonly #file: string;
  readonly #placeFile: string;
  readonly #lock: FileLock;
  #cursor: Cursor | undefined;
  /** Set after a start from the beginning: ids that are in the file. Otherwise sequences tell. */
  #known: Set<string> | undefined;
  #access: ClientAccess | undefined;

  private constructor(file: string, placeFile: string, lock: FileLock, cursor: Cursor | undefined) {
    this.#file = file;
    this.#placeFile = placeFile;
    this.#lock = lock;
    this.#cursor = cursor;
  }

  /** @throws HubError `locked` while another process writes it, `bad_data` when the file is something else */
  static async open(file: string): Promise<Journal> {
    const placeFile = `${file}.place`;
    let lock: FileLock | undefined;
    try {
      lock = await acquireLock(`${file}.lock`, { deadlineMs: 0, what: `the journal ${file}` });
      const last = await lastLine(file).catch((error: unknown) => {
        if (errnoOf(error) === 'ENOENT') return undefined;
        throw error;
      });
      const place = await readPlace(placeFile);
      const byLine = last === undefined ? undefined : cursorOf(last.line, file);
      // A kill between the two writes leaves the line ahead of the place.
      const journal = new Journal(file, placeFile, lock, place?.bytes === (last?.bytes ?? 0) ? place.cursor : byLine);
      journal.#access = place?.access;
      if (place?.byId === true) journal.#known = await journal.#ids();
      return journal;
    } catch (error) {
      await lock?.release();
      throw fileError(error, 'open', file);
    }
  }

  get cursor(): Cursor | undefined {
    return this.#cursor;
  }

  get access(): ClientAccess | undefined {
    return this.#access;
  }

  /** Durable when it resolves. */
  async take(entries: readonly StoredEntry[], cursor: Cursor): Promise<void> {
    const after = this.#cursor?.sequence ?? 0;
    const fresh = entries.filter(({ id, sequence }) => sequence > after && this.#known?.has(id) !== true);
    await appendLines(this.#file, fresh);
    for (const { id } of fresh) this.#known?.add(id);
    if (cursor.sequence > after) this.#cursor = cursor;
    const last = fresh.at(-1);
    const saysItself = last?.sequence === cursor.sequence && last.digest === cursor.digest;
    if (cursor.sequence > after && (!saysItself || this.#known !== undefined || accessKey(this.#access) !== ''))
      await this.#writePlace(cursor);
  }

  async startOver(access: ClientAccess | undefined): Promise<void> {
    this.#access = access;
    this.#known = await this.#ids();
    this.#cursor = undefined;
  }

  async close(): Promise<void> {
    await this.#lock.release();
  }

  async #writePlace(cursor: Cursor): Promise<void> {
    const stats = await fsp.stat(this.#file).catch(() => undefined);
    const place: Place = { bytes: stats?.size ?? 0, cursor, byId: this.#known !== undefined, access: this.#access };
    await writeFileAtomic(this.#placeFile, JSON.stringify(place), { mode: PRIVATE_FILE_MODE, lockHeld: true });
  }

  async #ids(): Promise<Set<string>> {
    const ids = new Set<string>();
    if (!fs.existsSync(this.#file)) return ids;
    const lines = readline.createInterface({ input: fs.createReadStream(this.#file), crlfDelay: Infinity });
    for await (const line of lines) {
      // The id stands at the start of every line that ctx writes; content is not parsed for it.
      const id = /^\{"id":"([A-Za-z0-9._:-]{1,128})"/.exec(line)?.[1];
      if (id !== undefined) ids.add(id);
    }
    return ids;
  }
}
