/** How far long work is, where standard error is a terminal: one line that is written over, and gone at the end. */
import type { ProgramIo } from '../program';

export interface Progress {
  /** In any unit; nothing is shown while `all` is 0. */
  readonly update: (done: number, all: number) => void;
  readonly end: () => void;
}

const UPDATE_EVERY_MS = 100;
/** Shorter work shows nothing. */
const QUIET_MS = 500;

export function showProgress(io: Pick<ProgramIo, 'stderr' | 'stderrIsTty'>, what: string): Progress {
  const began = performance.now();
  let last = began + QUIET_MS - UPDATE_EVERY_MS;
  let shown = false;
  return {
    update: (done, all) => {
      const now = performance.now();
      if (!io.stderrIsTty || now - last < UPDATE_EVERY_MS || all === 0) return;
      last = now;
      shown = true;
      io.stderr(`\r${what}: ${Math.floor((100 * done) / all)} %\u001b[K`);
    },
    end: () => {
      if (shown) io.stderr('\r\u001b[K');
    },
  };
}
