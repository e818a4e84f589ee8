/** `.sync-state.json`: how far the mirror is written, and what its files looked like then. */
import * as z from 'zod';
import { toldAccessSchema, type ClientAccess } from '../access';
import { cursorSchema, type Cursor } from '../cursor';
import { ENTRY_TYPES, type EntryType } from '../entry';
import { writeFileAtomic } from './atomic-file';
import { readPlainFile } from './plain-file';
import type { ProjectPaths } from './project-directory';

const FORMAT = 1;

const fileSchema = z.object({
  bytes: z.int().min(0),
  /** Of those bytes, hex. */
  sha256: z.string(),
  entries: z.int().min(0),
});

const filesSchema = z.partialRecord(z.enum(ENTRY_TYPES), fileSchema);

const stateSchema = z.object({
  format: z.literal(FORMAT),
  hub_id: z.string(),
  /** Null = nothing yet. */
  cursor: cursorSchema.nullable(),
  /** Complete up to the cursor for these types, and no others. */
  types: z.array(z.enum(ENTRY_TYPES)),
  /** What the hub let this client read then; absent = everything. */
  access: toldAccessSchema.optional(),
  files: filesSchema,
  /** What a file is being replaced by: after a kill it is either this or what `files` says. */
  next: filesSchema.optional(),
  /** Types subscribed later, on their way from the start up to the cursor. */
  backfill: z.object({ types: z.array(z.enum(ENTRY_TYPES)), cursor: cursorSchema.nullable() }).optional(),
});

export type MirrorFile = Readonly<z.infer<typeof fileSchema>>;
export type MirrorFiles = Readonly<Partial<Record<EntryType, MirrorFile>>>;

export interface MirrorState {
  readonly format: typeof FORMAT;
  readonly hub_id: string;
  readonly cursor: Cursor | null;
  readonly types: readonly EntryType[];
  readonly access?: ClientAccess | undefined;
  readonly files: MirrorFiles;
  readonly next?: MirrorFiles | undefined;
  readonly backfill?: { readonly types: readonly EntryType[]; readonly cursor: Cursor | null } | undefined;
}

export function emptyMirrorState(hubId: string, types: readonly EntryType[], access?: ClientAccess): MirrorState {
  return { format: FORMAT, hub_id: hubId, cursor: null, types, access, files: {} };
}

/** @returns `undefined` when there is none, or none that this version can use: the mirror is then built anew */
export async function readMirrorState(paths: ProjectPaths): Promise<MirrorState | undefined> {
  const text = (await readPlainFile(paths.syncState))?.bytes.toString('utf8');
  if (text === undefined) return undefined;
  try {
    const parsed = stateSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined; // No JSON: as good as none.
  }
}

/** Under the mirror lock. Durable when it resolves. */
export async function writeMirrorState(paths: ProjectPaths, state: MirrorState): Promise<void> {
  await writeFileAtomic(paths.syncState, `${JSON.stringify(state)}\n`, { lockHeld: true });
}
