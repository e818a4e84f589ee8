/** Work that a full disk must not drop: tried again until there is room, or until the node stops. */
import { HubError } from '../../../core/errors';
import { FULL_DISK_RETRY_MS } from './limits';

export interface DiskRoomParts {
  readonly warn: (message: string) => void;
  /** The disk became full, or has room again. */
  readonly changed: () => void;
}

export class DiskRoom {
  private full: string | undefined;
  private stopping = false;
  private readonly wake = new Set<() => void>();

  constructor(private readonly parts: DiskRoomParts) {}

  /** Why nothing can be written now, in words. */
  get fault(): string | undefined {
    return this.full;
  }

  /** @throws whatever the work throws; `disk_full` only when the node stops */
  async until(work: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await work();
        if (this.full === undefined) return;
        this.full = undefined;
        this.parts.changed();
        return;
      } catch (error) {
        if (!(error instanceof HubError) || error.code !== 'disk_full') throw error;
        if (this.full === undefined) this.parts.warn(error.message);
        this.full = error.message;
        this.parts.changed();
        if (this.stopping) throw error;
        await this.wait();
      }
    }
  }

  private wait(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.wake.delete(done);
        resolve();
      };
      const timer = setTimeout(done, FULL_DISK_RETRY_MS);
      this.wake.add(done);
    });
  }

  /** From now on each work is tried once more, and then given up. */
  stop(): void {
    this.stopping = true;
    for (const done of [...this.wake]) done();
  }
}
