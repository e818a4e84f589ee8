/**
 * Entries that this node took in and has to discard, because the majority decided otherwise (FM-32): kept durably before the
 * discard, and moved to `entries.jsonl.rejected` once this node has caught up, without those that were committed after all.
 */
import fsp from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import type { StampedEntry } from '../../../core/entry';
import { HubError } from '../../../core/errors';
import { appendLines, readLines } from '../../../core/node/append-file';
import type { Entry } from '../../raft/entry';
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
export const pendingPath = (folder: string): string => path.join(raftFolder(folder), 'discarded.jsonl');
const REASON = 'taken in by a leader that lost its majority, and replaced by what the majority decided';

const lineSchema = z.looseObject({ id: z.string() });
type DiscardedLine = z.infer<typeof lineSchema>;

/** A torn last line was never promised: its entry is still in the Raft log, or among those that wait for their verdict. */
export async function readDiscarded(file: string): Promise<readonly DiscardedLine[]> {
  const { values } = await readLines(file);
  return values.flatMap((value) => {
    const line = lineSchema.safeParse(value);
    return line.success ? [line.data] : [];
  });
}

export class Discarded {
  private timer: NodeJS.Timeout | undefined;
  private closed = false;
  private settling: Promise<void> = Promise.resolve();
  /** What touches the files happens one after the other. */
  private turn: Promise<unknown> = Promise.resolve();
  /** How often something was kept: a verdict is only about what was there when this node had caught up. */
  private kept = 0;
  private faultNow: string | undefined;

  constructor(private readonly parts: DiscardedParts) {}

  /** Why what was discarded cannot be noted as rejected now, in words. */
  get fault(): string | undefined {
    return this.faultNow;
  }

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
    this.kept++;
    const stamp = { rejected_at: at.toISOString(), reason: REASON };
    const lines = lost.map((each) => ({ ...each, ...stamp }));
    await this.inTurn(() => appendLines(pendingPath(this.parts.folder), lines));
    this.later();
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.turn.then(work);
    this.turn = turn.catch(() => undefined); // Whoever asked for the work is told.
    return turn;
  }

  private later(): void {
    if (this.closed) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.settling = this.settle().catch((error: unknown) => this.failed(error));
    }, DISCARD_SETTLE_MS);
  }

  /** A full disk loses nothing: it is tried again. */
  private failed(error: unknown): void {
    if (!(error instanceof HubError) || error.code !== 'disk_full') return this.parts.crash(error);
    const fault = `Discarded entries wait to be noted as rejected: ${error.message}`;
    if (fault !== this.faultNow) this.parts.warn(fault);
    this.faultNow = fault;
    this.later();
  }

  private async settle(): Promise<void> {
    const { folder, caughtUp } = this.parts;
    const { kept } = this;
    if ((await readDiscarded(pendingPath(folder))).length === 0) return;
    const isCaughtUp = await caughtUp();
    await this.inTurn(async () => {
      if (isCaughtUp && this.kept === kept) await this.judge();
      else this.later();
    });
  }

  private async judge(): Promise<void> {
    const { folder, known, warn } = this.parts;
    const pending = pendingPath(folder);
    const lines = await readDiscarded(pending);
    const committed = await known(lines.map(({ id }) => id));
    const noted = new Set((await readDiscarded(rejectedPath(folder))).map(({ id }) => id));
    const rejected = [...new Map(lines.map((line) => [line.id, line])).values()].filter(
      ({ id }) => !committed.has(id) && !noted.has(id),
    );
    if (rejected.length > 0) {
      await appendLines(rejectedPath(folder), rejected);
      warn(
        `${rejected.length} entries that were never committed are in ${rejectedPath(folder)}. See: ctx hub rejected`,
      );
    }
    await fsp.rm(pending, { force: true });
    this.faultNow = undefined;
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.settling;
  }
}
