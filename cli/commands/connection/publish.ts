/** `ctx connection publish`: everything that waits, or what is named. Safe to repeat: the hub knows an entry by its id. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { HubError } from '../../../core/errors';
import { requireConnection } from '../../../core/node/connection-file';
import { drainOutbox } from '../../../core/node/drain';
import { Outbox } from '../../../core/node/outbox';
import { showProgress } from '../../../core/node/progress';
import type { ProjectPaths } from '../../../core/node/project-directory';
import { openAny } from '../../../core/node/open-any';
import { shareEntries } from '../../../core/node/share';
import { REQUEST_TIMEOUT_MS } from '../../../core/limits';
import type { BatchOutcome, RejectedResult } from '../../../core/sync/drain';
import { jsonAnswer, plural } from '../../output';
import { projectOf, type ConnectionContext } from './context';
import { entriesFromFile, entryById, entryFromArguments } from './publish-source';
import { reportShares, shareExitCode, shareJson } from './share-report';

interface Flags {
  readonly pending?: boolean;
  readonly id?: string;
  readonly replace?: boolean;
  readonly from?: string;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  $ ctx connection publish                                everything that waits in the outbox
  $ ctx connection publish learning "Retries need jitter"
  $ ctx connection publish --id 0199f3a2-…                again, after a refusal, or after a change: then as a new version
`;

/** A hub that asks for no pause to speak of is not asked in a loop; nobody waits at a terminal for one that asks for hours. */
const MIN_PAUSE_MS = 250;
const MAX_PAUSE_MS = 60_000;

interface Tally {
  shared: number;
  readonly refused: RejectedResult[];
}

/** Goes on when the hub asks to slow down a little; any other fault ends it. @returns that fault */
async function drainAll(
  paths: ProjectPaths,
  outbox: Outbox,
  waiting: number,
  tally: Tally,
  context: ConnectionContext,
): Promise<HubError | undefined> {
  const { io } = context;
  const connection = await requireConnection(paths, io.env);
  const session = await openAny(connection, REQUEST_TIMEOUT_MS, io.signal);
  const progress = showProgress(io, 'Publishing');
  const onBatch = (outcome: BatchOutcome): void => {
    tally.shared += outcome.shared.length;
    tally.refused.push(...outcome.rejected);
    progress.update(tally.shared + tally.refused.length, waiting);
  };
  try {
    for (;;) {
      const end = await drainOutbox({ session, outbox, paths, signal: io.signal, onBatch });
      if (end.kind === 'empty') return undefined;
      const { error, afterMs = MIN_PAUSE_MS } = end;
      if (error.code !== 'rate_limited' || afterMs > MAX_PAUSE_MS) return error;
      progress.end();
      io.stderr(`The hub asks to slow down; ${tally.shared} shared so far.\n`);
      await delay(Math.max(afterMs, MIN_PAUSE_MS), undefined, { signal: io.signal });
    }
  } finally {
    progress.end();
    await session.close();
  }
}

async function publishPending(flags: Flags, context: ConnectionContext): Promise<number> {
  const { io } = context;
  const paths = projectOf(context);
  const outbox = new Outbox(paths);
  const before = await outbox.count();
  if (before === 0) {
    await requireConnection(paths, io.env);
    if (flags.json === true) io.stdout(jsonAnswer('published', { shared: 0, refused: [], waiting: 0 }));
    else io.stdout('Nothing is waiting\n');
    return 0;
  }
  const tally: Tally = { shared: 0, refused: [] };
  const fault = await drainAll(paths, outbox, before, tally, context).catch((error: unknown) => {
    if (error instanceof HubError) return error;
    throw error;
  });
  const waiting = await outbox.count();
  if (fault !== undefined) {
    io.stderr(
      `ctx: ${plural(waiting, 'entry waits', 'entries wait')} in the outbox (${fault.code}): ${fault.message}\n`,
    );
    return fault.facts.exit;
  }
  return reportPending(tally, waiting, flags, context);
}

function reportPending({ shared, refused }: Tally, waiting: number, flags: Flags, { io }: ConnectionContext): number {
  if (flags.json === true) {
    const named = refused.map(({ entry, error }) => ({ id: entry.id, code: error.code, reason: error.message }));
    io.stdout(jsonAnswer('published', { shared, refused: named, waiting }));
  } else io.stdout(`Shared ${plural(shared, 'entry', 'entries')}\n`);
  for (const { entry, error } of refused) {
    io.stderr(`ctx: entry ${entry.id} was refused (${error.code}): ${error.message}\n`);
  }
  return refused[0]?.error.facts.exit ?? 0;
}

async function publish(
  type: string | undefined,
  content: string | undefined,
  flags: Flags,
  context: ConnectionContext,
): Promise<number> {
  const { io } = context;
  const ways = [type !== undefined, flags.id !== undefined, flags.from !== undefined, flags.pending === true];
  if (ways.filter(Boolean).length > 1)
    throw new HubError('usage', 'Give either <type> <content>, --id, --from or --pending.');
  if (type === undefined && flags.id === undefined && flags.from === undefined) return publishPending(flags, context);
  const paths = projectOf(context);
  const connection = await requireConnection(paths, io.env);
  if (flags.from !== undefined) return publishFile(flags.from, paths, connection.project, flags, context);
  if (type !== undefined && content === undefined)
    throw new HubError('usage', 'The content is missing: publish <type> <content>.');
  const entry =
    flags.id === undefined
      ? await entryFromArguments(type ?? '', content ?? '', io)
      : await entryById(flags.id, flags.replace === true, paths, connection.project);
  const outcomes = await shareEntries(paths.root, [entry], { env: io.env, signal: io.signal });
  if (flags.json === true) {
    io.stdout(jsonAnswer('shared', { entries: outcomes.map(shareJson) }));
    return shareExitCode(outcomes);
  }
  return reportShares(outcomes, io);
}

async function publishFile(
  file: string,
  paths: ProjectPaths,
  project: string,
  flags: Flags,
  context: ConnectionContext,
): Promise<number> {
  const { entries, foreign } = await entriesFromFile(file, project, context.io.cwd);
  if (foreign > 0) context.io.stderr(`${plural(foreign, 'entry is', 'entries are')} of other projects and left out.\n`);
  await new Outbox(paths).add(entries);
  return publishPending(flags, context);
}

export function addPublishCommand(connection: Command, context: ConnectionContext): void {
  connection
    .command('publish')
    .description('send what waits in the outbox, or an entry that is named')
    .argument('[type]', 'decision, learning, convention or task')
    .argument('[content]', 'a title line, or Markdown; - = standard input')
    .option('--pending', 'everything that waits (the default)')
    .option('--id <id>', 'the entry with this id')
    .option('--replace', 'with --id: as the newest version, also when another machine shared other text')
    .option('--from <file>', 'own entries of a file of JSON lines, such as entries.jsonl.rejected')
    .option('--json', 'answer as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (type: string | undefined, content: string | undefined, flags: Flags) => {
      context.exit.code = await publish(type, content, flags, context);
    });
}
