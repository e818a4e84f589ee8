/** Gathers a burst of changes: the first one is told at once, those that follow within the pause together after it. */

export interface Gatherer {
  readonly changed: () => void;
  readonly close: () => void;
}

export function gather(pauseMs: number, tell: () => void): Gatherer {
  let pause: NodeJS.Timeout | undefined;
  let again = false;
  const rest = (): void => {
    pause = setTimeout(() => {
      pause = undefined;
      if (!again) return;
      again = false;
      tell();
      rest();
    }, pauseMs);
  };
  return {
    changed: () => {
      if (pause !== undefined) {
        again = true;
        return;
      }
      tell();
      rest();
    },
    close: () => clearTimeout(pause),
  };
}
