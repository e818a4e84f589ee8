/** `ctx connection unregister`: this machine forgets its token. What waits and what was shared stays. */
import type { Command } from 'commander';
import { HubError } from '../../../core/errors';
import { deleteConnection, readConnection } from '../../../core/node/connection-file';
import { parseToken } from '../../../core/token';
import { jsonAnswer } from '../../output';
import { projectOf, type ConnectionContext } from './context';

interface Flags {
  readonly json?: boolean;
}

async function unregister(flags: Flags, context: ConnectionContext): Promise<void> {
  const { io } = context;
  const paths = projectOf(context);
  const connection = await readConnection(paths, io.env).catch((error: unknown) => {
    if (error instanceof HubError && error.code === 'config') return undefined;
    throw error;
  });
  const removed = await deleteConnection(paths);
  const clientId = connection === undefined ? undefined : parseToken(connection.token)?.id;
  if (flags.json === true) io.stdout(jsonAnswer('unregistered', { removed, client_id: clientId ?? null }));
  else io.stdout(removed ? 'The connection is removed from this project\n' : 'The project was not connected\n');
  if (clientId === undefined) return;
  io.stderr(`The hub still knows the token; its operator ends it with "ctx hub client revoke ${clientId}".\n`);
}

export function addUnregisterCommand(connection: Command, context: ConnectionContext): void {
  connection
    .command('unregister')
    .description('forget the token of this project on this machine')
    .option('--json', 'answer as JSON')
    .addHelpText('after', '\nExample:\n  $ ctx connection unregister\n')
    .action((flags: Flags) => unregister(flags, context));
}
