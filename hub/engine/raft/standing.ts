/**
 * When a follower stands for election after the leader's connection closed: soon, at random, and again a little later as long as
 * nobody leads, because two that stand at once may split the votes. Waiting for an election time would then take seconds (P10).
 */
import { CLOSED_LEADER_MAX_MS, CLOSED_LEADER_MIN_MS, CLOSED_LEADER_TRIES } from './limits';

export interface StandingParts {
  readonly isLeaderless: () => boolean;
  readonly stand: () => void;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export class Standing {
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly parts: StandingParts) {}

  begin(): void {
    this.stop();
    this.wait(0);
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  /** Each wait is twice as long as the one before: a slow election must not be disturbed again and again. */
  private wait(tries: number): void {
    const delayMs = CLOSED_LEADER_MIN_MS + this.parts.random() * (CLOSED_LEADER_MAX_MS - CLOSED_LEADER_MIN_MS);
    this.timer = setTimeout(
      () => {
        if (!this.parts.isLeaderless()) return;
        this.parts.stand();
        if (tries + 1 < CLOSED_LEADER_TRIES) this.wait(tries + 1);
      },
      delayMs * 2 ** tries,
    );
  }
}
