/** Proposes entries that bring their origin and client along: what `ctx hub import` does on either side of local control. */
import * as z from 'zod';
import { ENTRY_TYPES, type StampedEntry } from '../core/entry';
import { metaSchema, stampSchema } from '../core/entry-schema';
import { MAX_BATCH_ENTRIES } from '../core/limits';
import type { LogEngine } from './engine/log-engine';

export interface ImportedEntry {
  readonly kind: 'stored' | 'duplicate' | 'refused';
  readonly reason?: string | undefined;
}

/** Parameters of the control action `import`. */
export const importSchema = z.object({
  entries: z
    .array(
      z.strictObject({
        id: z.string(),
        type: z.enum(ENTRY_TYPES),
        content: z.string(),
        origin: stampSchema,
        client: stampSchema,
        timestamp: z.string(),
        meta: metaSchema.optional(),
        supersedes: z.string().optional(),
      }),
    )
    .max(MAX_BATCH_ENTRIES),
});

/** @throws HubError when the whole batch failed */
export async function importEntries(
  engine: LogEngine,
  entries: readonly StampedEntry[],
): Promise<readonly ImportedEntry[]> {
  const result = await engine.propose({ kind: 'publish', entries });
  if (result.kind === 'refused') throw result.error;
  if (result.kind !== 'published') throw new Error(`an import was answered ${result.kind}`);
  return result.entries.map((each) =>
    each.kind === 'refused' ? { kind: 'refused', reason: each.error.message } : { kind: each.kind },
  );
}
