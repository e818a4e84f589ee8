/** `ctx connection status`: where this project stands with its hub, and what hinders it (FM-60, FM-63). */
import type { Command } from 'commander';
import { limitsText, waitingText } from '../../../core/access';
import type { Cursor } from '../../../core/cursor';
import { HubError } from '../../../core/errors';
import type { HubSession } from '../../../core/node/hub-session';
import { clientIdOf, requireConnection, type Connection } from '../../../core/node/connection-file';
import { readMirrorState } from '../../../core/node/mirror-state';
import { Outbox, type RejectedEntry } from '../../../core/node/outbox';
import type { ProjectPaths } from '../../../core/node/project-directory';
import { openAny } from '../../../core/node/open-any';
import { REQUEST_TIMEOUT_MS } from '../../../core/limits';
import type { Hello } from '../../../core/wire';
import { jsonAnswer, plural, shown } from '../../output';
import { projectOf, type ConnectionContext } from './context';

interface Flags {
  readonly json?: boolean;
}

interface LocalSide {
  readonly connection: Connection;
  readonly cursor: Cursor | undefined;
  readonly outbox: number;
  /** Lines of the outbox file that are no entry. */
  readonly unreadable: number;
  readonly rejected: readonly RejectedEntry[];
}

/** `unknown` while the hub tells this client nothing. */
type History = 'same' | 'another' | 'unknown';

type HubSide =
  | { readonly kind: 'reached'; readonly address: string; readonly hello: Hello; readonly history: History }
  | { readonly kind: 'failed'; readonly error: HubError };

async function localSide(paths: ProjectPaths, context: ConnectionContext): Promise<LocalSide> {
  const connection = await requireConnection(paths, context.io.env);
  const outbox = new Outbox(paths);
  return {
    connection,
    cursor: (await readMirrorState(paths))?.cursor ?? undefined,
    outbox: await outbox.count(),
    unreadable: (await outbox.unreadable()).length,
    rejected: await outbox.rejected(),
  };
}

async function historyOf(session: HubSession, cursor: Cursor | undefined): Promise<History> {
  if (session.hello.access?.pending === true) return 'unknown';
  try {
    if (cursor !== undefined) await session.syncPage({ cursor, to: cursor });
    return 'same';
  } catch (error) {
    if (error instanceof HubError && error.code === 'diverged') return 'another';
    throw error;
  }
}

/** Whether the hub's log still holds what we have read: asked of the hub itself, which knows its digests. */
async function hubSide({ connection, cursor }: LocalSide, { io }: ConnectionContext): Promise<HubSide> {
  try {
    const session = await openAny(connection, REQUEST_TIMEOUT_MS, io.signal);
    try {
      const { hello, address } = session;
      return { kind: 'reached', address, hello, history: await historyOf(session, cursor) };
    } finally {
      await session.close();
    }
  } catch (error) {
    if (error instanceof HubError) return { kind: 'failed', error };
    throw error;
  }
}

function asJson(local: LocalSide, hub: HubSide): object {
  const { connection, cursor, outbox, unreadable, rejected } = local;
  const { project, client, hub_addr, hub_id, types, peers } = connection;
  return {
    project,
    client,
    address: hub.kind === 'reached' ? hub.address : hub_addr,
    peers: peers ?? [],
    types: types ?? 'all',
    cursor: cursor ?? null,
    outbox,
    outbox_unreadable: unreadable,
    rejected: rejected.map(({ entry, error, at }) => ({ id: entry.id, code: error.code, reason: error.message, at })),
    known_hub: hub_id,
    hub:
      hub.kind === 'reached'
        ? {
            reached: true,
            id: hub.hello.hub,
            role: hub.hello.role,
            head: hub.hello.head,
            history: hub.history,
            access: hub.hello.access ?? {},
          }
        : { reached: false, step: hub.error.step ?? null, code: hub.error.code, reason: hub.error.message },
    ...(hub.kind === 'reached' ? { lag: Math.max(0, hub.hello.head.sequence - (cursor?.sequence ?? 0)) } : {}),
  };
}

const position = (cursor: Cursor | undefined): string =>
  cursor === undefined ? '#0 (nothing yet)' : `#${cursor.sequence} (${cursor.digest})`;

function accessLines(connection: Connection, { access }: Hello): string[] {
  if (access?.pending === true) return [`Access:   ${waitingText(clientIdOf(connection))}`];
  const limits = limitsText(access ?? {});
  return limits === '' ? [] : [`Access:   limited by the operator to ${shown(limits)}`];
}

function hubLines(local: LocalSide, hub: HubSide): string[] {
  if (hub.kind === 'failed')
    return [`Hub:      not reached (${hub.error.step ?? hub.error.code}): ${hub.error.message}`];
  const lag = Math.max(0, hub.hello.head.sequence - (local.cursor?.sequence ?? 0));
  const lines = [
    `Hub:      ${hub.address}, ${hub.hello.role}, id ${shown(hub.hello.hub)}`,
    `Hub at:   ${position(hub.hello.head)}`,
    `Lag:      ${lag}`,
    ...accessLines(local.connection, hub.hello),
  ];
  if (hub.history !== 'another' && hub.hello.hub === local.connection.hub_id) return lines;
  const known = `known here: hub ${local.connection.hub_id}, ${position(local.cursor)}`;
  return [
    ...lines,
    `History:  not the one known here (restored or replaced); ${known}. "ctx connection sync" reads it anew.`,
  ];
}

function asText(local: LocalSide, hub: HubSide): string {
  const { connection, cursor, outbox, unreadable, rejected } = local;
  const strange =
    unreadable === 0 ? '' : `, and ${plural(unreadable, 'line')} of outbox.jsonl that is no entry: look at the file`;
  const lines = [
    `Project:  ${connection.project} as ${connection.client}`,
    `Address:  ${[connection.hub_addr, ...(connection.peers ?? [])].join(', ')}`,
    `Types:    ${connection.types === undefined ? 'all' : connection.types.join(', ') || 'none'}`,
    ...hubLines(local, hub),
    `Local at: ${position(cursor)}`,
    `Outbox:   ${outbox === 0 ? 'empty' : `${outbox} waiting`}${strange}`,
    ...rejected.map(({ entry, error }) => `Refused:  ${entry.id} (${error.code}): ${error.message}`),
  ];
  return `${lines.join('\n')}\n`;
}

async function status(flags: Flags, context: ConnectionContext): Promise<number> {
  const local = await localSide(projectOf(context), context);
  const hub = await hubSide(local, context);
  context.io.stdout(flags.json === true ? jsonAnswer('connection_status', asJson(local, hub)) : asText(local, hub));
  return hub.kind === 'failed' ? hub.error.facts.exit : 0;
}

export function addStatusCommand(connection: Command, context: ConnectionContext): void {
  connection
    .command('status')
    .description('address, role, position, lag and outbox; names the step that fails')
    .option('--json', 'answer as JSON')
    .addHelpText('after', '\nExample:\n  $ ctx connection status --json\n')
    .action(async (flags: Flags) => {
      context.exit.code = await status(flags, context);
    });
}
