/** `ctx hub client list|revoke|approve|grant`: who may connect, and read what. Shows ids and names, never a token. */
import type { Command } from 'commander';
import * as z from 'zod';
import { openSession, type HubSession } from '../../core/node/hub-session';
import { clientInfoSchema, type ClientInfo } from '../../core/wire';
import { limitsText } from '../../core/access';
import { dataDirOf } from '../config';
import { askLocalHub } from '../../core/node/local-hub/local-control';
import {
  ADDR_FLAG,
  CA_FLAG,
  FINGERPRINT_FLAG,
  requireAdminToken,
  TOKEN_FILE_FLAG,
  trustFrom,
  type RemoteFlags,
} from './admin-access';
import { DATA_DIR_FLAG, jsonAnswer, type HubCommandContext } from './context';
import { textTable } from './text-table';
import { addAccessCommands } from './client-access';

interface Flags extends RemoteFlags {
  readonly dataDir?: string;
  readonly json?: boolean;
}

const clientsAnswer = z.object({ clients: z.array(clientInfoSchema) });

async function withSession<T>(
  flags: Flags,
  context: HubCommandContext,
  work: (s: HubSession) => Promise<T>,
): Promise<T> {
  const { io } = context;
  const token = await requireAdminToken(io, flags);
  const session = await openSession({ address: flags.addr ?? '', token, signal: io.signal, ...trustFrom(io, flags) });
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

async function list(flags: Flags, context: HubCommandContext): Promise<readonly ClientInfo[]> {
  if (flags.addr !== undefined) return withSession(flags, context, (session) => session.clientList());
  return clientsAnswer.parse(await askLocalHub(dataDirOf(flags.dataDir, context.io), 'client_list')).clients;
}

function stateOf({ access, revoked_at }: ClientInfo): string {
  if (revoked_at !== undefined) return `revoked ${revoked_at}`;
  const limits = limitsText(access ?? {});
  return `${access?.pending === true ? 'pending' : 'active'}${limits === '' ? '' : ` (${limits})`}`;
}

function asTable(clients: readonly ClientInfo[]): string {
  if (clients.length === 0) return 'No client is registered. Register one with: ctx connection register <address>\n';
  const rows = clients.map((each) => [
    each.client_id,
    each.project,
    each.client,
    each.created_at,
    each.last_seen_at ?? '-',
    stateOf(each),
  ]);
  return textTable(['ID', 'PROJECT', 'CLIENT', 'REGISTERED', 'LAST SEEN', 'STATE'], rows);
}

async function revoke(clientId: string, flags: Flags, context: HubCommandContext): Promise<void> {
  if (flags.addr !== undefined) await withSession(flags, context, (session) => session.clientRevoke(clientId));
  else await askLocalHub(dataDirOf(flags.dataDir, context.io), 'client_revoke', { client_id: clientId });
  if (flags.json === true) context.io.stdout(jsonAnswer('client_revoked', { client_id: clientId }));
  else context.io.stdout(`Client ${clientId} is revoked: its token no longer works and its sessions are closed.\n`);
}

function withRemoteFlags(command: Command): Command {
  return command
    .option(...DATA_DIR_FLAG)
    .option(...ADDR_FLAG)
    .option(...TOKEN_FILE_FLAG)
    .option(...CA_FLAG)
    .option(...FINGERPRINT_FLAG)
    .option('--json', 'print one JSON line');
}

export function addClientCommands(hub: Command, context: HubCommandContext): void {
  const client = hub.command('client').description('who may connect, and read what');
  withRemoteFlags(client.command('list').description('list registered clients'))
    .addHelpText('after', '\nExample:\n  $ ctx hub client list\n')
    .action(async (flags: Flags) => {
      const clients = await list(flags, context);
      context.io.stdout(flags.json === true ? jsonAnswer('hub_clients', { clients }) : asTable(clients));
    });
  withRemoteFlags(client.command('revoke <id>').description('end a client: its token and its open sessions'))
    .addHelpText('after', '\nExample:\n  $ ctx hub client revoke 4f1c0d2e9a7b6c53\n')
    .action((id: string, flags: Flags) => revoke(id, flags, context));
  addAccessCommands(client, context);
}
