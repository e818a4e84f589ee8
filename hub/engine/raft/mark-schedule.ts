/** When the watermark is due: a moment after the last batch, and never too long after the first that it does not cover. */
import { MARK_IDLE_MS, MARK_MAX_AGE_MS } from './limits';

export class MarkSchedule {
  private timer: NodeJS.Timeout | undefined;
  private firstAt: number | undefined;
  private closed = false;

  constructor(private readonly mark: () => void) {}

  touch(): void {
    if (this.closed) return;
    const now = performance.now();
    this.firstAt ??= now;
    clearTimeout(this.timer);
    const delayMs = Math.max(0, Math.min(MARK_IDLE_MS, this.firstAt + MARK_MAX_AGE_MS - now));
    this.timer = setTimeout(() => {
      this.firstAt = undefined;
      this.mark();
    }, delayMs);
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }
}
