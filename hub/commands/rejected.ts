/** `ctx hub rejected` (FM-33): entries that this node had to discard; `--replay` publishes them again with their origin. */
import type { Command } from 'commander';
import * as z from 'zod';
import { ENTRY_TYPES, META_KEYS, titleOf } from '../../core/entry';
import { MAX_BATCH_ENTRIES } from '../../core/limits';
import { visibleLine } from '../../core/visible-text';
import { dataDirOf } from '../config';
import { readDiscarded, rejectedPath } from '../engine/raft/discarded';
import { askLocalHub } from '../../core/node/local-hub/local-control';
import { DATA_DIR_FLAG, jsonAnswer, type HubCommandContext } from './context';
import { count, requireDataDirectory } from './offline';
import { textTable } from './text-table';

interface Flags {
  readonly dataDir?: string;
  readonly replay?: boolean;
  readonly json?: boolean;
}

const rejectedSchema = z.object({
  id: z.string(),
  type: z.enum(ENTRY_TYPES),
  content: z.string(),
  origin: z.string(),
  client: z.string(),
  timestamp: z.string(),
  meta: z.object(Object.fromEntries(META_KEYS.map((key) => [key, z.string().optional()]))).optional(),
  supersedes: z.string().optional(),
  rejected_at: z.string(),
  reason: z.string(),
});
type Rejected = z.infer<typeof rejectedSchema>;

const REPLAY_TIMEOUT_MS = 30_000;
const answerSchema = z.object({ results: z.array(z.object({ kind: z.string(), reason: z.string().optional() })) });

async function readRejected(dataDir: string): Promise<readonly Rejected[]> {
  return (await readDiscarded(rejectedPath(dataDir))).map((line) => rejectedSchema.parse(line));
}

function asPublished({ id, type, content, origin, client, timestamp, meta, supersedes }: Rejected): object {
  return { id, type, content, origin, client, timestamp, meta, supersedes };
}

async function replay(entries: readonly Rejected[], dataDir: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = { stored: 0, duplicate: 0, refused: 0 };
  for (let at = 0; at < entries.length; at += MAX_BATCH_ENTRIES) {
    const batch = entries.slice(at, at + MAX_BATCH_ENTRIES).map(asPublished);
    const answer = answerSchema.parse(await askLocalHub(dataDir, 'import', { entries: batch }, REPLAY_TIMEOUT_MS));
    for (const { kind } of answer.results) counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

async function rejected(flags: Flags, { io }: HubCommandContext): Promise<void> {
  const dataDir = dataDirOf(flags.dataDir, io);
  requireDataDirectory(dataDir);
  const entries = await readRejected(dataDir);
  if (flags.replay === true) {
    const counts = await replay(entries, dataDir);
    const { stored = 0, duplicate = 0, refused = 0 } = counts;
    if (flags.json === true) io.stdout(jsonAnswer('rejected_replayed', counts));
    else
      io.stdout(
        `${count(stored, 'entry', 'entries')} published again; there already: ${duplicate}; refused: ${refused}.\n`,
      );
  } else if (flags.json === true) io.stdout(jsonAnswer('hub_rejected', { entries }));
  else if (entries.length === 0) io.stdout('Nothing was rejected on this node.\n');
  else {
    const rows = entries.map((each) => [
      each.id,
      each.origin,
      each.type,
      each.rejected_at,
      visibleLine(titleOf(each.content)),
    ]);
    io.stdout(textTable(['ID', 'ORIGIN', 'TYPE', 'REJECTED', 'TITLE'], rows));
  }
}

export function addRejectedCommand(hub: Command, context: HubCommandContext): void {
  hub
    .command('rejected')
    .description('entries that this node had to discard')
    .option(...DATA_DIR_FLAG)
    .option('--replay', 'publish them again, with the project they came from; safe to repeat')
    .option('--json', 'print one JSON line')
    .addHelpText('after', '\nExamples:\n  $ ctx hub rejected\n  $ ctx hub rejected --replay\n')
    .action((flags: Flags) => rejected(flags, context));
}
