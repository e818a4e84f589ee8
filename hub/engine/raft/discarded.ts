/**
 * Entries that this node took in and has to discard, because the majority decided otherwise (FM-32): kept durably before the
 * discard, and moved to `entries.jsonl.rejected` once this node has caught up, without those that were committed after all.
 */
import fsp from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import type { StampedEntry } from '../../../core/entry';
import { HubError } from '../../../core/errors';
import { PRIVATE_FILE_MODE, syncDirectory } from '../../../core/node/platform';
import type { Entry } from '../../raft/entry';
import { isDiskFull } from '../../store/disk';
import { decodeBatch } from './command-batch';
import { DISCARD_SETTLE_MS } from './limits';
import { raftFolder } from './node-file';

export interface DiscardedParts {
  readonly folder: string;
  /** Whether this node holds everything that is committed. */
  readonly caughtUp: () => Promise<boolean>;
  /** Which of these ids the log holds. */
  readonly known: (ids: readonly string[]) => Promise<ReadonlySet<string>>;
  readonly warn: (message: string) => void;
  readonly crash: (error: unknown) => void;
}

export const rejectedPath = (folder: string): string => path.join(folder, 'entries.jsonl.rejected');
const pendingPath = (folder: string): string => path.join(raftFolder(folder), 'discarded.jsonl');
const REASON = 'taken in by a leader that lost its majority, and replaced by what the majority decided';

const lineSchema = z.looseObject({ id: z.string() });

async function appendDurably(file: string, lines: readonly object[]): Promise<void> {
  const handle = await fsp.open(file, 'a', PRIVATE_FILE_MODE);
  try {
    await handle.appendFile(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await syncDirectory(path.dirname(file));
}

/** A torn last line was never promised: its entry is still in the Raft log then. */
export function parseLines(text: string): readonly (Readonly<Record<string, unknown>> & { readonly id: string })[] {
  return text
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => {
      try {
        return [lineSchema.parse(JSON.parse(line))];
      } catch {
        return [];
      }
    });
}

async function readText(file: string): Promise<string> {
  try {
    return await fsp.readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

export class Discarded {
  private timer: NodeJS.Timeout | undefined;
  private lastAt = 0;
  private closed = false;
  private settling: Promise<void> = Promise.resolve();

  constructor(private readonly parts: DiscardedParts) {}

  /** At a start: what the last life did not get to. */
  resume(): void {
    this.later();
  }

  /** Durable when it resolves: only then may the entries go. */
  async keep(entries: readonly Entry[], at: Date): Promise<void> {
    const lost = entries.flatMap((entry): readonly StampedEntry[] =>
      entry.kind !== 'data'
        ? []
        : decodeBatch(entry.data).commands.flatMap((command) => (command.kind === 'publish' ? command.entries : [])),
    );
    if (lost.length === 0) return;
    const stamp = { rejected_at: at.toISOString(), reason: REASON };
    const file = pendingPath(this.parts.folder);
    try {
      await appendDurably(
        file,
        lost.map((each) => ({ ...each, ...stamp })),
      );
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      throw new HubError('disk_full', `The disk of ${file} is full. Free space there.`, { cause: error });
    }
    this.lastAt = performance.now();
    this.later();
  }

  private later(): void {
    if (this.closed) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.settling = this.settle().catch((error: unknown) => {
        if (!this.closed) this.parts.crash(error);
      });
    }, DISCARD_SETTLE_MS);
  }

  private async settle(): Promise<void> {
    const { folder, caughtUp, known, warn } = this.parts;
    const pending = pendingPath(folder);
    const lines = parseLines(await readText(pending));
    if (lines.length === 0) return;
    const quiet = performance.now() - this.lastAt >= DISCARD_SETTLE_MS / 2;
    if (!quiet || !(await caughtUp())) {
      this.later();
      return;
    }
    const committed = await known(lines.map(({ id }) => id));
    const noted = new Set(parseLines(await readText(rejectedPath(folder))).map(({ id }) => id));
    const rejected = [...new Map(lines.map((line) => [line.id, line])).values()].filter(
      ({ id }) => !committed.has(id) && !noted.has(id),
    );
    if (rejected.length > 0) {
      await appendDurably(rejectedPath(folder), rejected);
      warn(
        `${rejected.length} entries that were never committed are in ${rejectedPath(folder)}. See: ctx hub rejected`,
      );
    }
    await fsp.rm(pending, { force: true });
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.settling;
  }
}
