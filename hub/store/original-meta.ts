/** `meta.json` of the original hub: `{sequence_counter, created_at}`, without a format number. */
import * as z from 'zod';
import { parseJson } from './json-file';

const originalSchema = z.looseObject({
  format: z.undefined().optional(),
  sequence_counter: z.int().min(0),
  created_at: z.string().optional(),
});

export interface OriginalMeta {
  readonly sequenceCounter: number;
  readonly createdAt: string | undefined;
}

/** @returns undefined when the bytes are something else */
export function readOriginalMeta(bytes: Uint8Array): OriginalMeta | undefined {
  try {
    const parsed = originalSchema.safeParse(parseJson(bytes));
    if (!parsed.success) return undefined;
    return { sequenceCounter: parsed.data.sequence_counter, createdAt: parsed.data.created_at };
  } catch {
    return undefined; // No JSON: whoever reads it as ours says so.
  }
}

export function isOriginalMeta(bytes: Uint8Array): boolean {
  return readOriginalMeta(bytes) !== undefined;
}
