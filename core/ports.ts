/** The outside world as the pure folders see it: the smallest function types that will do. */

export interface Clock {
  /** Wall clock, ms since 1970 UTC. For stamps only; never for deciding how long something took. */
  readonly now: () => number;
  /** Monotonic, ms from an arbitrary start. */
  readonly monotonic: () => number;
}

/** Uniform in [0, 1). */
export type Random = () => number;
