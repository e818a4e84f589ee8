/**
 * Every command that talks to a hub as a project's client; the entry point of the `client.js` bundle, which is loaded only
 * for them: `ctx connection …`, and the share leg of `ctx add --share`.
 */
import type { Command } from 'commander';
import { explainFailure } from '../core/command-line/end';
import { newProgram } from '../core/command-line/program';
import { commandTreeOf, type CommandTree } from '../core/command-line/tree';
import type { PublishedEntry } from '../core/entry';
import { HubError } from '../core/errors';
import { readConnection } from '../core/node/connection-file';
import { projectPaths } from '../core/node/project-directory';
import { shareEntry, type ShareOutcome } from '../core/node/share';
import { currentVersion } from '../core/node/versions';
import { QUIET_IO, type Program, type ProgramIo } from '../core/program';
import type { ConnectionContext } from './commands/connection/context';
import { addListenCommand } from './commands/connection/listen';
import { addPublishCommand } from './commands/connection/publish';
import { addRegisterCommand } from './commands/connection/register';
import { addStatusCommand } from './commands/connection/status';
import { addSubscribeCommands } from './commands/connection/subscribe';
import { addSyncCommand } from './commands/connection/sync';
import { addUnregisterCommand } from './commands/connection/unregister';
import { doctor as diagnoseAll } from './doctor/doctor';

export { reportShares, shareExitCode, shareJson } from './commands/connection/share-report';

declare const CTX_VERSION: string;

function buildProgram(context: ConnectionContext): Command {
  const connection = newProgram('ctx connection', 'Connect this project to a hub, share and follow.', context.io);
  addRegisterCommand(connection, context);
  addSubscribeCommands(connection, context);
  addPublishCommand(connection, context);
  addSyncCommand(connection, context);
  addListenCommand(connection, context);
  addStatusCommand(connection, context);
  addUnregisterCommand(connection, context);
  return connection;
}

async function runConnection(argv: readonly string[], io: ProgramIo): Promise<number> {
  const context: ConnectionContext = { io, version: CTX_VERSION, exit: { code: 0 } };
  try {
    await buildProgram(context).parseAsync([...argv], { from: 'user' });
    return context.exit.code;
  } catch (error) {
    const exit = explainFailure(error, io);
    if (exit === undefined) throw error;
    return exit;
  }
}

/** The commands of `ctx connection`, for completion. */
export function commandTree(): CommandTree {
  return commandTreeOf(buildProgram({ io: QUIET_IO, version: CTX_VERSION, exit: { code: 0 } }));
}

/** `ctx connection …`: the arguments after `connection`. */
export const program: Program = runConnection;

/** `ctx doctor`. @returns the exit code */
export function doctor(flags: { readonly json?: boolean }, io: ProgramIo): Promise<number> {
  return diagnoseAll(flags, CTX_VERSION, io);
}

export interface ShareAddedRequest {
  /** The folder that holds `.context`. */
  readonly projectDir: string;
  /** Written to the local file already. */
  readonly entry: PublishedEntry;
}

/**
 * The share leg of `ctx add … --share`: prints nothing; see `reportShares` and `shareExitCode`.
 * @throws HubError when the outbox itself cannot be written
 */
export async function shareAdded(request: ShareAddedRequest, io: ProgramIo): Promise<ShareOutcome> {
  const { projectDir, entry } = request;
  // Adding again what is in the file already may come after a change of it.
  const version = await currentVersion(projectPaths(projectDir), entry, { now: new Date() });
  return shareEntry(projectDir, version, { env: io.env, signal: io.signal });
}

/** The name under which the project is registered; `undefined` when it is not, or its connection cannot be opened here. */
export async function registeredProject(projectDir: string, io: ProgramIo): Promise<string | undefined> {
  try {
    return (await readConnection(projectPaths(projectDir), io.env))?.project;
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    io.stderr(`ctx: warning: ${error.message}\n`);
    return undefined;
  }
}
