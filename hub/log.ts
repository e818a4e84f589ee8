/** The hub's log: JSON lines by pino's serializer, written synchronously so that the last words before a crash are there. */
import { pino, type Logger } from 'pino';

/** @param destination a file, or a descriptor such as 2 for standard error */
export function openLog(destination: string | number, level = 'info'): Logger {
  return pino(
    { level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: destination, sync: true, mode: 0o600 }),
  );
}
