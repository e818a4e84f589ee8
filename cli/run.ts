/** The command line: maps arguments to commands, errors to exit codes. Heavy parts are loaded by the command that needs them. */
import { Command, CommanderError } from 'commander';
import { HubError } from '../core/errors';
import type { ProgramIo } from '../core/program';
import { bundledProgram } from './bundles';

declare const CTX_VERSION: string;

function buildProgram(io: ProgramIo): Command {
  return new Command('ctx')
    .description('Share what a project learns, through a hub, as Markdown.')
    .version(CTX_VERSION)
    .exitOverride()
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr });
}

export async function run(argv: readonly string[], io: ProgramIo): Promise<number> {
  if (argv[0] === 'hub') return bundledProgram('hub')(argv.slice(1), io);
  if (argv[0] === 'connection') return bundledProgram('client')(argv.slice(1), io);
  try {
    await buildProgram(io).parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 64;
    if (error instanceof HubError) {
      io.stderr(`ctx: ${error.message}\n`);
      return error.facts.exit;
    }
    throw error;
  }
}
