/** `ctx connection listen`: stays connected, mirrors what arrives, sends what waits. Ends with a signal (exit 0) or a refusal. */
import path from 'node:path';
import type { Command } from 'commander';
import type { StoredEntry } from '../../../core/entry';
import type { HubError } from '../../../core/errors';
import { requireConnection } from '../../../core/node/connection-file';
import { Journal } from '../../../core/node/journal';
import type { ProjectPaths } from '../../../core/node/project-directory';
import { SyncClient, type SyncSnapshot } from '../../../core/node/sync-client';
import { projectOf, type ConnectionContext } from './context';
import { entryJson, entryLine } from './entry-text';

interface Flags {
  readonly json?: boolean;
  readonly journal?: string;
}

const EXAMPLES = `
Examples:
  $ ctx connection listen
  $ ctx connection listen --json | jq 'select(.type == "decision")'
  $ ctx connection listen --journal /srv/ctx/journal.jsonl      every entry as a line, for "ctx hub import"
`;

/** Says each change of the connection once. */
class PhaseReport {
  readonly #say: (message: string) => void;
  #said = '';

  constructor(say: (message: string) => void) {
    this.#say = say;
  }

  note({ phase, address, cursor, retryInMs, lastError, waitsForApproval }: SyncSnapshot): void {
    const place = waitsForApproval === true ? '' : `, up to date at #${cursor?.sequence ?? 0}`;
    if (phase === 'live') this.#once(`Connected to ${address ?? '?'}${place}.`, 'live');
    if (phase === 'waiting') {
      this.#once(
        `${lastError?.message ?? 'The connection was lost.'} Next attempt in ${retryInMs ?? 0} ms.`,
        'waiting',
      );
    }
  }

  /** Live again is news only after something else was said; each attempt that fails is news. */
  #once(message: string, what: string): void {
    if (what === 'live' && this.#said === 'live') return;
    this.#said = what;
    this.#say(message);
  }
}

/** @returns the exit code */
async function listen(flags: Flags, context: ConnectionContext): Promise<number> {
  const paths = projectOf(context);
  await requireConnection(paths, context.io.env);
  const journal =
    flags.journal === undefined ? undefined : await Journal.open(path.resolve(context.io.cwd, flags.journal));
  try {
    return await listenUntilStopped(paths, journal, flags, context);
  } finally {
    await journal?.close();
  }
}

async function listenUntilStopped(
  paths: ProjectPaths,
  journal: Journal | undefined,
  flags: Flags,
  context: ConnectionContext,
): Promise<number> {
  const { io } = context;
  const say = (message: string): void => io.stderr(`${message}\n`);
  const report = new PhaseReport(say);
  const write = flags.json === true ? entryJson : entryLine;
  const ended = new Promise<HubError | undefined>((resolve) => {
    const client = new SyncClient({
      projectDir: paths.root,
      env: io.env,
      journal,
      log: say,
      onChange: (snapshot) => {
        report.note(snapshot);
        if (snapshot.phase === 'stopped') void client.close().then(() => resolve(snapshot.lastError));
      },
      onEntries: (entries: readonly StoredEntry[]) => io.stdout(entries.map(write).join('')),
    });
    const stop = (): void => void client.close().then(() => resolve(undefined));
    if (io.signal.aborted) stop();
    io.signal.addEventListener('abort', stop, { once: true });
    client.start();
  });
  const error = await ended;
  if (io.signal.aborted || error === undefined) return 0;
  io.stderr(`ctx: ${error.message}\n`);
  return error.facts.exit;
}

export function addListenCommand(connection: Command, context: ConnectionContext): void {
  connection
    .command('listen')
    .description('stay connected: mirror what arrives into .context/hub, send what waits')
    .option('--json', 'one JSON line per entry')
    .option('--journal <file>', 'keep every entry, of any type and project, as a line in this file too')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: Flags) => {
      context.exit.code = await listen(flags, context);
    });
}
