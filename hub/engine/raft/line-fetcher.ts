/** Reads lines of the log that this node lacks from other nodes: what one sends wrongly is asked of the next. */
import type { Cursor } from '../../../core/cursor';
import { HubError } from '../../../core/errors';
import type { Peers } from '../../peers/peers';
import type { PlannedLine } from '../../state/hub-state';
import { FETCH_RETRY_MS } from './limits';
import { checkedLines } from './log-range';

/** Lines that this node lacks, from whoever has them as they must be. */
export function lineFetcher(
  peers: () => Peers,
  order: () => readonly number[],
  warn: (message: string) => void,
  isClosed: () => boolean,
): (after: Cursor, last: number) => Promise<readonly PlannedLine[]> {
  return async (after, last) => {
    for (let round = 0; !isClosed(); round++) {
      for (const node of order()) {
        try {
          const { parts } = await peers().request(node, 'lines', { after: after.sequence, last });
          if (parts.length > 0) return checkedLines(parts, after);
        } catch (error) {
          if (!(error instanceof HubError)) throw error;
          if (round % 25 === 0)
            warn(`Entries after ${after.sequence} could not be read from node ${node}: ${error.message}`);
        }
      }
      await new Promise((resolve) => setTimeout(resolve, FETCH_RETRY_MS));
    }
    throw new HubError('going_away', 'The node is stopping.');
  };
}
