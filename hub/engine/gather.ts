/** How commands that wait are gathered into batches: the same in every engine. */
import type { Command } from '../state/commands';

/** A batch takes no more once it holds this many; its bytes are bounded by the engine. */
const MAX_BATCH_COMMANDS = 1_024;
/** Sessions bound what each of them has under way; this bounds their sum, before more is refused with `rate_limited`. */
export const MAX_WAITING_BYTES = 64 * 1024 * 1024;
export const BUSY_RETRY_MS = 200;

export interface Gathered {
  readonly command: Command;
  /** See {@link sizeOf}. */
  readonly bytes: number;
}

/** About what the command will add to the log, in UTF-16 units. */
export function sizeOf(command: Command): number {
  if (command.kind !== 'publish') return 0;
  return command.entries.reduce((sum, entry) => sum + entry.content.length, 0);
}

const goesToLog = ({ command }: Gathered): boolean => command.kind === 'publish';

/**
 * Takes the next batch out of the queue. Client changes and log lines are never in one: each batch is one durable step.
 * @param maxBytes a single command may be larger
 */
export function takeBatch<T extends Gathered>(queue: T[], maxBytes: number): readonly T[] {
  const first = queue[0];
  if (first === undefined) return [];
  let bytes = 0;
  let count = 0;
  while (count < queue.length && count < MAX_BATCH_COMMANDS) {
    const next = queue[count];
    if (next === undefined || goesToLog(next) !== goesToLog(first)) break;
    if (count > 0 && bytes + next.bytes > maxBytes) break;
    bytes += next.bytes;
    count++;
  }
  return queue.splice(0, count);
}
