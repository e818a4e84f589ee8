/** The hub's store while it runs: makes batches durable and reads the log. An engine drives it, one append at a time. */
import { LF } from '../../core/characters';
import type { Cursor } from '../../core/cursor';
import { HubError } from '../../core/errors';
import { emptyLogDigest } from '../../core/line';
import type { ClientTable } from '../state/client-table';
import type { KnownEntry, PlannedLine } from '../state/hub-state';
import { dropCheckpoint, writeCheckpoint } from './checkpoint';
import { refuseOverEdit, writeClients } from './clients-file';
import type { DataFiles } from './data-directory';
import { isDiskFull, type Disk } from './disk';
import type { LogEnd } from './examine-log';
import type { IdTable } from './id-table';
import type { LineTable } from './line-table';
import type { LogFile } from './log-file';
import type { LogRanges } from './log-ranges';
import type { LogLine } from './log-reader';
import { writeMeta, type Meta, type Watermark } from './meta';
import { sha256 } from './sha256';
import type { VerifyingBehind } from './verify-behind';
import { ReplaceError } from './whole-file';

export interface StoreParts {
  readonly disk: Disk;
  readonly files: DataFiles;
  readonly meta: Meta;
  readonly log: LogFile;
  readonly lines: LineTable;
  readonly ids: IdTable;
  readonly ranges: LogRanges;
  readonly end: LogEnd;
  readonly clients: ClientTable;
  readonly warn: (message: string) => void;
  readonly checkpointLength: number;
  readonly behind: VerifyingBehind | undefined;
}

/** A checkpoint is written while the hub runs when the log has grown this much since the last. */
const CHECKPOINT_EVERY_BYTES = 64 * 1024 * 1024;

export class Store {
  private readonly log: LogFile;
  private readonly ranges: LogRanges;
  private meta: Meta;
  /** Moves in one step, after a batch is durable. */
  private lastLine: Watermark;
  /** Of the log when the checkpoint was written. */
  private checkpointLength: number;
  private clients: ClientTable;

  constructor(private readonly parts: StoreParts) {
    this.log = parts.log;
    this.ranges = parts.ranges;
    this.meta = parts.meta;
    this.checkpointLength = parts.checkpointLength;
    this.clients = parts.clients;
    const { sequence, digest, length } = parts.end;
    this.lastLine = { sequence, digest, length };
  }

  get files(): DataFiles {
    return this.parts.files;
  }

  get hubId(): string {
    return this.meta.hub_id;
  }

  /** End of the log. */
  get head(): Cursor {
    const { sequence, digest } = this.lastLine;
    return { sequence, digest };
  }

  get durableEnd(): Watermark {
    return this.lastLine;
  }

  /** A log whose last entries were lost goes on behind that gap: their sequences are never used again. */
  get nextSequence(): number {
    const next = this.lastLine.sequence + 1;
    return (this.meta.gaps.find((gap) => gap.first === next)?.last ?? next - 1) + 1;
  }

  get failure(): string | undefined {
    return this.log.failure;
  }

  /** The clients as of the start. */
  get initialClients(): ClientTable {
    return this.clients;
  }

  /** What an operator should act on; empty = all is well. */
  get problems(): readonly string[] {
    const { failure } = this;
    return failure === undefined ? this.ranges.damage : [failure, ...this.ranges.damage];
  }

  /**
   * Makes a batch of lines durable; `lazily`: only with the next watermark, for an engine whose own log is durable.
   * @returns them as readers get them
   * @throws HubError see {@link LogFile.append}
   */
  async append(planned: readonly PlannedLine[], lazily = false): Promise<readonly LogLine[]> {
    await this.noteOpen();
    const batch = Buffer.from(`${planned.map((line) => line.text).join('\n')}\n`);
    await this.log.append(batch, lazily);
    let at = 0;
    const lines = planned.map(({ sequence, type, digest }) => {
      const end = batch.indexOf(LF, at);
      const bytes = batch.subarray(at, end);
      at = end + 1;
      return { sequence, type, digest, bytes };
    });
    this.ranges.append(
      batch,
      planned.map((line) => line.id),
      lines.map((line) => line.bytes.length + 1),
    );
    const last = planned[planned.length - 1];
    if (last !== undefined) this.lastLine = { sequence: last.sequence, digest: last.digest, length: this.log.length };
    return lines;
  }

  /** From the first append on, meta.json must not claim that the log ends at the watermark. */
  private async noteOpen(): Promise<void> {
    if (this.meta.closed && this.failure === undefined) await this.replaceMeta({ ...this.meta, closed: false });
  }

  private replaceMeta(meta: Meta): Promise<void> {
    return this.replacing('meta.json', async () => {
      await writeMeta(this.parts.disk, this.files, meta);
      this.meta = meta;
    });
  }

  /** @param keepsEdits refuse to write over an edit by hand; in a cluster its log decides, and the edit goes */
  replaceClients(table: ClientTable, keepsEdits = false): Promise<void> {
    if (this.failure !== undefined) {
      return Promise.reject(new HubError('store_failed', this.failure, { outcome: 'unknown' }));
    }
    return this.replacing('clients.json', async () => {
      if (keepsEdits) await refuseOverEdit(this.parts.disk, this.files);
      await writeClients(this.parts.disk, this.files, table);
    });
  }

  private async replacing(name: string, replace: () => Promise<void>): Promise<void> {
    try {
      await replace();
    } catch (error) {
      if (!(error instanceof ReplaceError)) throw error;
      if (error.stage === 'after') throw this.log.fail(`${name} may or may not have been replaced`, error.cause);
      const isFull = isDiskFull(error);
      const next = isFull ? "Free space on the hub's disk." : "Look at the hub's disk and its permissions.";
      throw new HubError(isFull ? 'disk_full' : 'store_failed', `Nothing was changed: ${error.message}. ${next}`, {
        cause: error,
      });
    }
  }

  /** Nobody may write for a long time: a log that was taken away is noticed all the same. */
  async lookAfter(): Promise<void> {
    if (this.failure !== undefined) return;
    await this.log.checkPlace().catch((error: unknown) => {
      if (!(error instanceof HubError)) throw error;
      this.parts.warn(error.message);
    });
  }

  /** Nothing says any more how far a Raft log was applied: there is none here, or a new one begins. */
  async forgetRaftLog(): Promise<void> {
    const { raft, ...meta } = this.meta;
    if (raft !== undefined) await this.replaceMeta(meta);
    const { appliedIndex, ...clients } = this.clients;
    if (appliedIndex === undefined) return;
    await this.replaceClients(clients);
    this.clients = clients;
  }

  /**
   * Moves the floor that recovery never cuts below up to the end of the log.
   * @param raft what the Raft engine wants to find beside it again
   */
  async markWater(closed: boolean, raft: unknown = this.meta.raft): Promise<void> {
    if (this.failure !== undefined) return;
    await this.log.checkPlace();
    await this.log.flush();
    const watermark = this.durableEnd;
    const moved = watermark.length !== this.meta.watermark.length || closed !== this.meta.closed;
    if (moved || raft !== this.meta.raft) {
      await this.replaceMeta({ ...this.meta, closed, watermark, ...(raft === undefined ? {} : { raft }) });
    }
    const grown = this.log.length - this.checkpointLength;
    if (grown >= CHECKPOINT_EVERY_BYTES || (closed && grown > 0) || this.ranges.damage.length > 0) {
      await this.writeCheckpoint();
    }
  }

  /** A cache: that it could not be written is told, and costs the next start some time. */
  private async writeCheckpoint(): Promise<void> {
    const { disk, lines, ids, warn } = this.parts;
    try {
      // A damaged log must be read whole at the next start, which then refuses it by name.
      if (this.ranges.damage.length > 0) await dropCheckpoint(disk, this.files);
      else {
        const end = { ...this.lastLine, lines: lines.count };
        await writeCheckpoint(disk, this.files, this.hubId, { lines, ids, end });
      }
      this.checkpointLength = this.log.length;
    } catch (error) {
      if (!(error instanceof ReplaceError)) throw error;
      warn(`${this.files.index} was not written, the next start will take longer: ${error.message}`);
    }
  }

  known(ids: readonly string[]): Promise<ReadonlyMap<string, KnownEntry | HubError>> | undefined {
    return this.ranges.known(ids);
  }

  readAfter(sequence: number, maxBytes: number): Promise<readonly LogLine[]> {
    return this.ranges.readAfter(sequence, maxBytes);
  }

  async knows(cursor: Cursor): Promise<boolean> {
    if (cursor.sequence === 0) return cursor.digest === emptyLogDigest(this.hubId, sha256);
    if (cursor.sequence === this.lastLine.sequence) return cursor.digest === this.lastLine.digest;
    return (await this.ranges.digestAt(cursor.sequence)) === cursor.digest;
  }

  /** Closes the files; after a clean stop the watermark is the end of the log. */
  async close(): Promise<void> {
    await this.parts.behind?.stop();
    try {
      await this.markWater(true);
    } finally {
      await this.log.close();
    }
  }
}
