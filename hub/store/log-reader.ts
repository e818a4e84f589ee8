/** How the feed reads the log: ranges of encoded lines, and a wake-up per committed batch. */
import type { Cursor } from '../../core/cursor';
import type { EntryType } from '../../core/entry';

/** A line as it is on disk and on the wire, without its line feed. */
export interface LogLine {
  readonly sequence: number;
  readonly type: EntryType | 'redaction';
  readonly digest: string;
  readonly bytes: Uint8Array;
}

export interface LogReader {
  /** End of the committed log. */
  readonly head: () => Cursor;
  readonly hubId: string;
  /**
   * Committed lines after `sequence`, in order, at least one when there is one, at most about `maxBytes`.
   * @throws HubError `store_failed` for a range that is damaged
   */
  readonly readAfter: (sequence: number, maxBytes: number) => Promise<readonly LogLine[]>;
  /**
   * Whether the cursor is of this log's history.
   * @returns false when it is ahead of the log, or its digest is not that of its line
   */
  readonly knows: (cursor: Cursor) => Promise<boolean>;
  /** Called after each committed batch with its lines. @returns a function that ends the subscription */
  readonly onCommit: (listener: (lines: readonly LogLine[]) => void) => () => void;
}
