/** The hub's log: JSON lines by pino's serializer, written synchronously so that the last words before a crash are there. */
import { pino, type Logger } from 'pino';

/**
 * @param destination a file, or a descriptor such as 2 for standard error
 * @param failed told when a line could not be written: a full disk or a closed pipe must not end the hub
 */
export function openLog(destination: string | number, failed: (error: Error) => void): Logger {
  const stream = pino.destination({ dest: destination, sync: true, mode: 0o600 });
  stream.on('error', failed);
  return pino({ base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime }, stream);
}
