/**
 * Slows down guessing (S16): after some failures per minute and address, each further failure is answered late. A valid
 * token is never asked about here, so nobody can lock another one out.
 */
import { AUTH_FAILURE_DELAY_MS, FREE_AUTH_FAILURES_PER_MINUTE } from '../limits';

const MINUTE_MS = 60_000;
const MAX_ADDRESSES = 10_000;

interface Window {
  start: number;
  failures: number;
}

export class AuthThrottle {
  private readonly windows = new Map<string, Window>();

  /** Notes a failure. @returns how many there were in this minute, this one included */
  fail(address: string, nowMs: number): number {
    const window = this.windows.get(address);
    if (window !== undefined && nowMs - window.start < MINUTE_MS) return ++window.failures;
    if (this.windows.size >= MAX_ADDRESSES) this.windows.clear();
    this.windows.set(address, { start: nowMs, failures: 1 });
    return 1;
  }

  /** How long to keep the answer back. */
  delayMs(failures: number): number {
    return failures > FREE_AUTH_FAILURES_PER_MINUTE ? AUTH_FAILURE_DELAY_MS : 0;
  }
}
