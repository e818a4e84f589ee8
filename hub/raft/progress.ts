/**
 * What a leader knows of one follower's log, and how fast it may send. `probe`: one append at a time until the follower
 * accepts one; `replicate`: pipelined; `snapshot`: nothing until the snapshot is answered.
 */
import { InflightWindow } from './inflight-window';

export type ProgressMode = 'probe' | 'replicate' | 'snapshot';

export interface WindowLimits {
  readonly maxInflightMessages: number;
  readonly maxInflightBytes: number;
}

export class Progress {
  /** Highest index known to be equal on both sides ("matchIndex", thesis figure 3.1); never goes back in a term. */
  match = 0;
  /** What to send next ("nextIndex"); always above `match`. */
  next: number;
  mode: ProgressMode = 'probe';
  /** Heard from since the last check of the quorum (thesis §6.2). */
  recentlyActive = false;
  /** Index of the snapshot under way, else 0. */
  pendingSnapshot = 0;
  readonly window: InflightWindow;
  private flowPaused = false;
  /** Highest commit index told so far, as far as this follower can have used it. */
  private toldCommit = 0;

  constructor(next: number, limits: WindowLimits) {
    this.next = next;
    this.window = new InflightWindow(limits.maxInflightMessages, limits.maxInflightBytes);
  }

  get paused(): boolean {
    return this.mode === 'snapshot' || this.flowPaused;
  }

  becomeProbe(): void {
    // A snapshot that arrived lets the probe begin behind it.
    const next = this.mode === 'snapshot' ? Math.max(this.match, this.pendingSnapshot) + 1 : this.match + 1;
    this.enter('probe', next);
    this.regressToldCommit();
  }

  becomeReplicate(): void {
    this.enter('replicate', this.match + 1);
  }

  becomeSnapshot(index: number): void {
    this.enter('snapshot', index + 1);
    this.pendingSnapshot = index;
    this.toldCommit = index;
  }

  /** The snapshot did not arrive: probe from what is known, not from behind it. */
  snapshotFailed(): void {
    this.pendingSnapshot = 0;
    this.becomeProbe();
  }

  pause(): void {
    this.flowPaused = true;
  }

  resume(): void {
    this.flowPaused = false;
  }

  sentEntries(count: number, bytes: number): void {
    if (this.mode === 'probe') {
      if (count > 0) this.flowPaused = true;
      return;
    }
    if (count > 0) {
      // Optimistic: a loss is noticed by the next append's consistency check (thesis §10.2.1).
      this.next += count;
      this.window.add(this.next - 1, bytes);
    }
    this.flowPaused = this.window.full;
  }

  sentCommit(commit: number): void {
    this.toldCommit = commit;
  }

  /** Whether telling `commit` now could move the follower's commit index at all. */
  canUseCommit(commit: number): boolean {
    return commit > this.toldCommit && this.toldCommit < this.next - 1;
  }

  /** The follower holds everything up to `index`. Returns whether that was news. */
  acknowledge(index: number): boolean {
    if (index <= this.match) return false;
    this.match = index;
    this.next = Math.max(this.next, index + 1);
    this.flowPaused = false;
    return true;
  }

  /**
   * The follower refused the append behind `rejected`; `hint` is where the logs may meet. Returns whether that was news:
   * refusals arrive late and out of order, and must never bring `next` down to what already matched (thesis §3.5).
   */
  reject(rejected: number, hint: number): boolean {
    if (this.mode === 'replicate') {
      if (rejected <= this.match) return false;
      this.next = this.match + 1;
    } else {
      if (this.next - 1 !== rejected) return false;
      this.next = Math.max(Math.min(rejected, hint + 1), this.match + 1);
      this.flowPaused = false;
    }
    this.regressToldCommit();
    return true;
  }

  private enter(mode: ProgressMode, next: number): void {
    this.mode = mode;
    this.next = next;
    this.flowPaused = false;
    this.pendingSnapshot = 0;
    this.window.clear();
  }

  private regressToldCommit(): void {
    this.toldCommit = Math.min(this.toldCommit, this.next - 1);
  }
}
