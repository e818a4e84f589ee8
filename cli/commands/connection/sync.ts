/** `ctx connection sync`: brings the mirror up to date once and sends what waits. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { HubError } from '../../../core/errors';
import { REQUEST_TIMEOUT_MS } from '../../../core/limits';
import { requireConnection } from '../../../core/node/connection-file';
import { readMirrorState } from '../../../core/node/mirror-state';
import { showProgress } from '../../../core/node/progress';
import { SyncClient, type SyncSnapshot } from '../../../core/node/sync-client';
import type { ProjectPaths } from '../../../core/node/project-directory';
import { jsonAnswer } from '../../output';
import { projectOf, type ConnectionContext } from './context';

interface Flags {
  readonly json?: boolean;
}

interface Synced {
  readonly received: number;
  readonly shared: number;
  readonly snapshot: SyncSnapshot;
}

/** Where another process keeps the mirror, it does the writing: wait for it, within reason. */
const OTHER_WRITER_MS = 5_000;

/** Runs a client until it is up to date. @throws HubError when it cannot be reached or refuses */
async function runUntilLive(paths: ProjectPaths, { io }: ConnectionContext): Promise<Synced> {
  let received = 0;
  let shared = 0;
  let client: SyncClient | undefined;
  const progress = showProgress(io, 'Receiving');
  try {
    const snapshot = await new Promise<SyncSnapshot>((resolve, reject) => {
      client = new SyncClient({
        projectDir: paths.root,
        env: io.env,
        roundMs: REQUEST_TIMEOUT_MS,
        log: (message) => {
          progress.end();
          io.stderr(`${message}\n`);
        },
        onEntries: (entries) => (received += entries.length),
        onShared: (outcome) => (shared += outcome.shared.length),
        onChange: (now) => {
          progress.update(now.cursor?.sequence ?? 0, now.head?.sequence ?? 0);
          if (now.phase === 'live' && now.outbox === 0) resolve(now);
          if (now.phase === 'waiting' || now.phase === 'stopped') {
            reject(now.lastError ?? new HubError('unreachable', 'The hub cannot be reached.'));
          }
        },
      });
      io.signal.addEventListener('abort', () => reject(new HubError('going_away', 'Interrupted.')), { once: true });
      client.start();
    });
    return { received, shared, snapshot };
  } finally {
    progress.end();
    await client?.close();
  }
}

async function waitForMirror(paths: ProjectPaths, sequence: number): Promise<void> {
  const end = performance.now() + OTHER_WRITER_MS;
  while (((await readMirrorState(paths))?.cursor?.sequence ?? 0) < sequence) {
    if (performance.now() > end) {
      throw new HubError(
        'locked',
        'Another process keeps the mirror and has not caught up. Try again, or end that process.',
      );
    }
    await delay(50);
  }
}

async function sync(flags: Flags, context: ConnectionContext): Promise<void> {
  const { io } = context;
  const paths = projectOf(context);
  const { types } = await requireConnection(paths, io.env);
  const { received, shared, snapshot } = await runUntilLive(paths, context);
  // It was told why; what waited was sent.
  if (snapshot.waitsForApproval === true) {
    throw new HubError(
      'forbidden',
      `Nothing was read: ${shared} sent, and the operator has not approved this client yet.`,
    );
  }
  const sequence = snapshot.cursor?.sequence ?? 0;
  // With nothing subscribed there is no mirror to wait for.
  if (types?.length !== 0) await waitForMirror(paths, sequence);
  if (flags.json === true) io.stdout(jsonAnswer('synced', { received, shared, sequence }));
  else io.stdout(`Up to date at #${sequence}: ${received} received, ${shared} sent\n`);
}

export function addSyncCommand(connection: Command, context: ConnectionContext): void {
  connection
    .command('sync')
    .description('bring the mirror in .context/hub up to date once')
    .option('--json', 'answer as JSON')
    .addHelpText('after', '\nExample:\n  $ ctx connection sync\n')
    .action((flags: Flags) => sync(flags, context));
}
