/**
 * `entries.jsonl` while the hub runs: appends batches all-or-nothing, and reads ranges. Knows bytes, not entries. After a
 * failed fsync nobody knows what is on disk, so nothing more is appended until the next start looks (FM-21).
 */
import { HubError } from '../../core/errors';
import { isDiskFull, type DiskFile } from './disk';
import { readFully, writeFully } from './whole-file';

function because(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export class LogFile {
  private fault: string | undefined;
  /** Bytes were appended lazily since the last sync. */
  private unsynced = false;

  /** @param end length of the file, which holds whole acknowledged batches */
  constructor(
    private readonly file: DiskFile,
    readonly path: string,
    private end: number,
  ) {}

  /** Bytes that are durable. */
  get length(): number {
    return this.end;
  }

  /** Why nothing can be appended any more; undefined = all is well. */
  get failure(): string | undefined {
    return this.fault;
  }

  /**
   * Resolves when the batch is durable; `lazily`: when it was handed to the system, to be made durable by {@link flush}.
   * @throws HubError `disk_full` or `store_failed` with outcome `refused`: the file is durably as before; `store_failed`
   *   with outcome `unknown`: the store has failed
   */
  async append(batch: Uint8Array, lazily = false): Promise<void> {
    // Unknown, not refused: it may be a second try of what the failed write has left on disk.
    if (this.fault !== undefined) throw new HubError('store_failed', this.fault, { outcome: 'unknown' });
    await this.checkPlace();
    try {
      await writeFully(this.file, batch, this.end);
    } catch (error) {
      await this.rollBack(error);
      throw isDiskFull(error)
        ? new HubError(
            'disk_full',
            `The hub's disk is full (${because(error)}): nothing was stored. Free space there.`,
            {
              cause: error,
            },
          )
        : new HubError(
            'store_failed',
            `The hub could not write ${this.path} (${because(error)}): nothing was stored.`,
            {
              cause: error,
            },
          );
    }
    this.unsynced = true;
    if (!lazily) await this.flush();
    this.end += batch.length;
  }

  /** Makes everything appended so far durable. @throws HubError `store_failed` with outcome `unknown` */
  async flush(): Promise<void> {
    if (!this.unsynced) return;
    if (this.fault !== undefined) throw new HubError('store_failed', this.fault, { outcome: 'unknown' });
    try {
      await this.file.sync();
    } catch (error) {
      throw this.fail('fdatasync failed', error);
    }
    this.unsynced = false;
  }

  /**
   * What is written into a file that nobody finds again is lost at the next stop, so it must not be acknowledged.
   * @throws HubError `store_failed` with outcome `unknown` when others have removed, moved, replaced or cut the file
   */
  async checkPlace(): Promise<void> {
    const what = await this.displaced().catch((error: unknown) => {
      throw this.fail('whether it is still in its place cannot be seen', error);
    });
    if (what === undefined) return;
    this.fault =
      `${this.path} ${what} while the hub has it open. Writing has stopped. Before the hub is stopped, put the file ` +
      'back, or keep what it still serves: ctx connection listen --journal <file>, and later ctx hub import <file>.';
    throw new HubError('store_failed', this.fault, { outcome: 'unknown' });
  }

  private async displaced(): Promise<string | undefined> {
    if (!(await this.file.isAt(this.path))) return 'was removed, moved or replaced';
    const size = await this.file.size();
    return size < this.end ? `was cut to ${size} bytes where ${this.end} were written` : undefined;
  }

  /** A refusal is a promise that the batch never appears, so the cut must be durable before it is given. */
  private async rollBack(reason: unknown): Promise<void> {
    try {
      await this.file.truncate(this.end);
      await this.file.sync();
    } catch (error) {
      throw this.fail(`a failed write (${because(reason)}) could not be taken back`, error);
    }
  }

  /** Marks the store failed: what is on disk is only known again after a restart has read it. */
  fail(what: string, cause: unknown): HubError {
    this.fault = `${this.path}: ${what} (${because(cause)}). Writing has stopped. Check the disk, then restart the hub.`;
    return new HubError('store_failed', this.fault, { cause, outcome: 'unknown' });
  }

  /** @throws HubError `store_failed` when the bytes cannot be read */
  async read(from: number, to: number): Promise<Uint8Array> {
    let bytes: Uint8Array;
    try {
      bytes = await readFully(this.file, from, to - from);
    } catch (error) {
      throw new HubError('store_failed', `${this.path} cannot be read at byte ${from}: ${because(error)}`, {
        cause: error,
      });
    }
    if (bytes.length === to - from) return bytes;
    throw new HubError('store_failed', `${this.path} ends at byte ${from + bytes.length}, before byte ${to}.`);
  }

  close(): Promise<void> {
    return this.file.close();
  }
}
