/** A position in one hub's log (PROTOCOL.md, section "Cursor"): the last entry scanned, and its digest as proof of history. */
import * as z from 'zod';
import { DIGEST_PATTERN } from './line';

export interface Cursor {
  /** 0 = before the first entry. */
  readonly sequence: number;
  /** Digest of the line at `sequence`; of the empty log at 0. */
  readonly digest: string;
}

export const cursorSchema = z.object({
  sequence: z.int().min(0),
  digest: z.string().regex(DIGEST_PATTERN),
});
