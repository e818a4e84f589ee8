/**
 * How much a token may publish (S20): a token bucket of entries, and bytes per day. Decides only; the clock is handed in
 * as monotonic ms.
 */
import type { ServerLimits } from '../limits';

interface Account {
  entries: number;
  filledAt: number;
  bytes: number;
  dayStart: number;
}

const DAY_MS = 24 * 60 * 60 * 1_000;
/** Full accounts say nothing: they are dropped when the table gets this long. */
const MAX_ACCOUNTS = 10_000;

export class PublishRate {
  private readonly accounts = new Map<string, Account>();

  constructor(private readonly limits: ServerLimits) {}

  /** Takes the entries from the account when it holds them. @returns 0, or after how many ms to try again */
  take(id: string, entries: number, bytes: number, nowMs: number): number {
    const { publishBurst, publishPerSecond, publishBytesPerDay } = this.limits;
    if (publishBurst === 0) return 0;
    const account = this.account(id, nowMs);
    const filled = account.entries + ((nowMs - account.filledAt) / 1_000) * publishPerSecond;
    account.entries = Math.min(publishBurst, filled);
    account.filledAt = nowMs;
    if (nowMs - account.dayStart >= DAY_MS) Object.assign(account, { bytes: 0, dayStart: nowMs });
    // A batch larger than the burst may pass when the account is full.
    const needed = Math.min(entries, publishBurst);
    if (account.entries < needed) {
      return Math.max(1, Math.ceil(((needed - account.entries) / Math.max(publishPerSecond, 0.001)) * 1_000));
    }
    if (account.bytes + bytes > publishBytesPerDay) return account.dayStart + DAY_MS - nowMs;
    account.entries -= entries;
    account.bytes += bytes;
    return 0;
  }

  private account(id: string, nowMs: number): Account {
    const known = this.accounts.get(id);
    if (known !== undefined) return known;
    if (this.accounts.size >= MAX_ACCOUNTS) this.accounts.clear();
    const fresh = { entries: this.limits.publishBurst, filledAt: nowMs, bytes: 0, dayStart: nowMs };
    this.accounts.set(id, fresh);
    return fresh;
  }
}
