/**
 * Entries on their way to the hub: fsynced in `.context/hub/outbox.jsonl` before the first attempt, out of it only when the
 * hub has them (then in the ledger) or will never take them (then in the rejected list, with the reason). Every change is made
 * under one short lock, so any number of processes may share and drain at once.
 */
import type fs from 'node:fs';
import fsp from 'node:fs/promises';
import * as z from 'zod';
import type { PublishedEntry } from '../entry';
import { isWireCode, HubError, LOCAL_CODES, type ErrorCode } from '../errors';
import type { RejectedResult, SharedResult } from '../sync/drain';
import { publishedEntrySchema } from '../wire';
import { MAX_OUTBOX_BYTES, MAX_OUTBOX_ENTRIES } from '../limits';
import { appendLines, readLines, type ReadLines } from './append-file';
import { writeFileAtomic } from './atomic-file';
import { errnoOf, fileError } from './file-errors';
import { withLock } from './file-lock';
import { ensureHubFolder } from './gitignore';
import { PRIVATE_FILE_MODE } from './platform';
import type { ProjectPaths } from './project-directory';
import { appendToLedger, readLedger, seenRecord, sentRecord } from './share-ledger';
import type { StoredEntry } from '../entry';

/** A line is an entry, or says that an earlier one has left. */
const settledSchema = z.object({ settled: z.string() });

const rejectedSchema = z.object({
  entry: publishedEntrySchema,
  code: z.string(),
  message: z.string(),
  at: z.string(),
});

export interface RejectedEntry {
  readonly entry: PublishedEntry;
  readonly error: HubError;
  readonly at: string;
}

export interface Settlement {
  readonly shared: readonly SharedResult[];
  readonly rejected: readonly RejectedResult[];
}

interface Contents {
  readonly waiting: ReadonlyMap<string, PublishedEntry>;
  readonly lines: number;
  /** Lines that are neither: somebody else's doing. Kept, since nothing may go without a word. */
  readonly unreadable: readonly string[];
}

const EMPTY: Contents = { waiting: new Map(), lines: 0, unreadable: [] };
const LOCK_DEADLINE_MS = 4_000;

function fold({ values, unreadable }: ReadLines): Contents {
  const waiting = new Map<string, PublishedEntry>();
  const strange = [...unreadable];
  for (const value of values) {
    const settled = settledSchema.safeParse(value);
    if (settled.success) waiting.delete(settled.data.settled);
    const entry = publishedEntrySchema.safeParse(value);
    if (entry.success) waiting.set(entry.data.id, entry.data as PublishedEntry);
    else if (!settled.success) strange.push(JSON.stringify(value));
  }
  return { waiting, lines: values.length, unreadable: strange };
}

const same = (a: PublishedEntry | undefined, b: PublishedEntry): boolean => JSON.stringify(a) === JSON.stringify(b);

export interface OutboxLimits {
  readonly entries: number;
  readonly bytes: number;
}

const OUTBOX_LIMITS: OutboxLimits = { entries: MAX_OUTBOX_ENTRIES, bytes: MAX_OUTBOX_BYTES };
/** Fewer superfluous lines are not worth a rewrite. */
const LEDGER_SLACK_LINES = 256;

export class Outbox {
  readonly #paths: ProjectPaths;
  readonly #limits: OutboxLimits;
  #cache: { readonly stamp: string; readonly contents: Contents } | undefined;

  constructor(paths: ProjectPaths, limits: OutboxLimits = OUTBOX_LIMITS) {
    this.#paths = paths;
    this.#limits = limits;
  }

  /**
   * Adds entries to the end; durable when it resolves. One that waits under the same id already is replaced.
   * @throws HubError `cannot_create` when it is full; then none was added
   */
  async add(entries: readonly PublishedEntry[]): Promise<void> {
    await ensureHubFolder(this.#paths.hubDir);
    await this.#locked(async () => {
      const { waiting } = await this.#read();
      const fresh = entries.filter((entry) => !same(waiting.get(entry.id), entry));
      await this.#checkRoom(waiting.size, fresh);
      await appendLines(this.#paths.outbox, fresh);
    });
  }

  async #checkRoom(waiting: number, fresh: readonly PublishedEntry[]): Promise<void> {
    const size = Number((await statOf(this.#paths.outbox))?.size ?? 0n);
    const bytes = fresh.reduce((sum, entry) => sum + JSON.stringify(entry).length, size);
    const { entries: maxEntries, bytes: maxBytes } = this.#limits;
    if (fresh.length === 0 || (waiting + fresh.length <= maxEntries && bytes <= maxBytes)) return;
    const what = `The outbox ${this.#paths.outbox} is full: ${waiting} entries wait already`;
    throw new HubError('cannot_create', `${what}. Send them first: ctx connection publish.`);
  }

  /** Under the lock, a ledger that says most things twice is written anew. */
  async compactLedger(): Promise<void> {
    if ((await statOf(this.#paths.ledger)) === undefined) return;
    await this.#locked(async () => {
      const { values } = await readLines(this.#paths.ledger);
      const ledger = await readLedger(this.#paths);
      if (values.length < ledger.size * 2 + LEDGER_SLACK_LINES) return;
      await this.#write(this.#paths.ledger, toLines([...ledger.values()]));
    });
  }

  /** In the order of their adding. */
  async waiting(): Promise<readonly PublishedEntry[]> {
    return [...(await this.#read()).waiting.values()];
  }

  async count(): Promise<number> {
    return (await this.#read()).waiting.size;
  }

  /** Lines of the file that are no entry and no mark of ours, as they stand there. */
  async unreadable(): Promise<readonly string[]> {
    return (await this.#read()).unreadable;
  }

  /**
   * Takes out what the hub has answered for. The ledger and the rejected list are durable first: a kill in between sends an
   * entry once more, which the hub recognises.
   */
  async settle({ shared, rejected }: Settlement): Promise<void> {
    if (shared.length === 0 && rejected.length === 0) return;
    await this.#locked(async () => {
      const at = new Date().toISOString();
      await appendToLedger(
        this.#paths,
        shared.map(({ entry, sequence }) => sentRecord(entry, sequence)),
      );
      await appendLines(
        this.#paths.rejected,
        rejected.map(({ entry, error }) => ({ entry, code: error.code, message: error.message, at })),
      );
      await this.#remove([...shared, ...rejected].map(({ entry }) => entry));
      await this.#dropRejected(new Set(shared.map(({ entry }) => entry.id)));
    });
  }

  /** Entries of our project that came down the stream, whoever sent them. */
  async noteSeen(entries: readonly StoredEntry[]): Promise<void> {
    if (entries.length === 0) return;
    await this.#locked(() => appendToLedger(this.#paths, entries.map(seenRecord)));
  }

  /**
   * The hub's history is not the one we knew: everything that this machine ever sent waits again. What the hub still has
   * it will answer as duplicate. @returns how many
   */
  async refillFromLedger(): Promise<number> {
    return this.#locked(async () => {
      const ledger = await readLedger(this.#paths);
      const { waiting } = await this.#read();
      const sent = [...ledger.values()].flatMap(({ entry }) => (entry === undefined ? [] : [entry]));
      const back = sent.filter((entry) => !waiting.has(entry.id));
      await appendLines(this.#paths.outbox, back);
      if (ledger.size > 0) await this.#write(this.#paths.ledger, '');
      return back.length;
    });
  }

  /** The last refusal of each entry that is not waiting again. */
  async rejected(): Promise<readonly RejectedEntry[]> {
    const { waiting } = await this.#read();
    const latest = new Map<string, RejectedEntry>();
    for (const value of (await readLines(this.#paths.rejected)).values) {
      const parsed = rejectedSchema.safeParse(value);
      if (!parsed.success) continue;
      const { code, message, at } = parsed.data;
      const entry = parsed.data.entry as PublishedEntry;
      latest.set(entry.id, { entry, error: new HubError(knownCode(code), message), at });
    }
    return [...latest.values()].filter(({ entry }) => !waiting.has(entry.id));
  }

  /** Drops ids from the rejected list: they have been shared after all, or the user has let go of them. */
  async forgetRejected(ids: ReadonlySet<string>): Promise<void> {
    await this.#locked(() => this.#dropRejected(ids));
  }

  async #dropRejected(ids: ReadonlySet<string>): Promise<void> {
    if ((await stampOf(this.#paths.rejected)) === undefined) return;
    const { values } = await readLines(this.#paths.rejected);
    const kept = values.filter((value) => {
      const parsed = rejectedSchema.safeParse(value);
      return !parsed.success || !ids.has(parsed.data.entry.id);
    });
    if (kept.length < values.length) await this.#write(this.#paths.rejected, toLines(kept));
  }

  async #remove(gone: readonly PublishedEntry[]): Promise<void> {
    const { waiting, lines, unreadable } = await this.#read();
    // An entry that was replaced while its older self was under way still waits.
    const settled = gone.filter((entry) => same(waiting.get(entry.id), entry));
    const rest = new Map(waiting);
    for (const { id } of settled) rest.delete(id);
    // Short marks as long as most lines are alive, else a new file: work stays in proportion to what is sent.
    if (rest.size * 2 < lines + settled.length)
      await this.#write(
        this.#paths.outbox,
        toLines([...rest.values()]) + unreadable.map((line) => `${line}\n`).join(''),
      );
    else
      await appendLines(
        this.#paths.outbox,
        settled.map(({ id }) => ({ settled: id })),
      );
  }

  async #write(file: string, text: string): Promise<void> {
    await writeFileAtomic(file, text, { mode: PRIVATE_FILE_MODE, lockHeld: true });
  }

  async #read(): Promise<Contents> {
    const stamp = await stampOf(this.#paths.outbox);
    if (stamp === undefined) return EMPTY;
    if (this.#cache?.stamp === stamp) return this.#cache.contents;
    const contents = fold(await readLines(this.#paths.outbox));
    this.#cache = { stamp, contents };
    return contents;
  }

  #locked<T>(work: () => Promise<T>): Promise<T> {
    return withLock(this.#paths.outboxLock, { deadlineMs: LOCK_DEADLINE_MS, what: 'the outbox' }, work);
  }
}

function knownCode(code: string): ErrorCode {
  if (isWireCode(code)) return code;
  return LOCAL_CODES.find((each) => each === code) ?? 'internal';
}

function toLines(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('');
}

/** Changes whenever the file does: replaced, grown or cut. */
async function stampOf(file: string): Promise<string | undefined> {
  const stats = await statOf(file);
  return stats === undefined ? undefined : `${stats.ino}/${stats.size}/${stats.mtimeNs}`;
}

async function statOf(file: string): Promise<fs.BigIntStats | undefined> {
  try {
    return await fsp.stat(file, { bigint: true });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw fileError(error, 'read', file);
  }
}
