/** Every `ctx hub …` command: arguments in, exit code out. This is the entry point of the `hub.js` bundle. */
import type { Command } from 'commander';
import { explainFailure } from '../core/command-line/end';
import { newProgram } from '../core/command-line/program';
import { commandTreeOf, type CommandTree } from '../core/command-line/tree';
import { QUIET_IO, type Program, type ProgramIo } from '../core/program';
import { addClientCommands } from './commands/client';
import { addStartCommand } from './commands/start';
import { addStatusCommand } from './commands/status';
import { addBackupCommand } from './commands/backup';
import { addImportCommand } from './commands/import';
import { addPeerCommands } from './commands/peer';
import { addRecoverCommand } from './commands/recover';
import { addRejectedCommand } from './commands/rejected';
import { addRepairCommand } from './commands/repair';
import { addStopCommand } from './commands/stop';
import { addVerifyCommand } from './commands/verify';
import { addTokenCommands } from './commands/token';
import type { HubCommandContext } from './commands/context';

declare const CTX_VERSION: string;

function buildProgram(context: HubCommandContext): Command {
  const hub = newProgram('ctx hub', 'Run and look after a hub: the server that projects share through.', context.io);
  addStartCommand(hub, context);
  addStopCommand(hub, context);
  addStatusCommand(hub, context);
  addClientCommands(hub, context);
  addTokenCommands(hub, context);
  addVerifyCommand(hub, context);
  addRepairCommand(hub, context);
  addBackupCommand(hub, context);
  addImportCommand(hub, context);
  addPeerCommands(hub, context);
  addRecoverCommand(hub, context);
  addRejectedCommand(hub, context);
  return hub;
}

async function runHub(argv: readonly string[], io: ProgramIo): Promise<number> {
  const context: HubCommandContext = { io, version: CTX_VERSION, argv, exit: { code: 0 } };
  try {
    await buildProgram(context).parseAsync([...argv], { from: 'user' });
    return context.exit.code;
  } catch (error) {
    const exit = explainFailure(error, io);
    if (exit === undefined) throw error;
    return exit;
  }
}

export const program: Program = runHub;

/** The commands of `ctx hub`, for completion. */
export function commandTree(): CommandTree {
  return commandTreeOf(buildProgram({ io: QUIET_IO, version: CTX_VERSION, argv: [], exit: { code: 0 } }));
}
