/** How far long work is, on a terminal only: one line that is written over, and gone at the end. */
import type { ProgramIo } from '../../core/program';

export interface Progress {
  readonly update: (done: number, all: number) => void;
  readonly end: () => void;
}

const UPDATE_EVERY_MS = 100;
/** Shorter work shows nothing. */
const QUIET_MS = 500;

export function showProgress(io: ProgramIo, what: string): Progress {
  const began = performance.now();
  let last = began + QUIET_MS - UPDATE_EVERY_MS;
  let shown = false;
  return {
    update: (done, all) => {
      const now = performance.now();
      if (!io.stdoutIsTty || now - last < UPDATE_EVERY_MS || all === 0) return;
      last = now;
      shown = true;
      io.stderr(`\r${what}: ${Math.floor((100 * done) / all)} %\u001b[K`);
    },
    end: () => {
      if (shown) io.stderr('\r\u001b[K');
    },
  };
}
