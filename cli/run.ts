/** The command line: maps arguments to commands, errors to exit codes. Heavy parts are loaded by the command that needs them. */
import type { Command } from 'commander';
import { explainFailure } from '../core/command-line/end';
import { newProgram } from '../core/command-line/program';
import type { ProgramIo } from '../core/program';
import { bundledProgram, type BundleName } from './bundles';
import { addAddCommands } from './commands/add';
import { addAgentCommand } from './commands/agent';
import { addDoctorCommand } from './commands/doctor';
import { addCompletionCommand } from './commands/completion';
import { addBrowseCommands } from './commands/browse';
import type { CommandContext } from './commands/context';
import { addInitCommand } from './commands/init';
import { addLspCommand } from './commands/lsp';

declare const CTX_VERSION: string;

/** First words that another bundle answers. */
const OTHER_BUNDLES: Readonly<Record<string, BundleName>> = { hub: 'hub', connection: 'client' };

const EXIT_INTERNAL = 70;
/** As shells report a program that SIGINT ended. */
const EXIT_INTERRUPTED = 130;

const EXAMPLES = `
Examples:
  $ ctx init
  $ ctx add decision "Store timestamps in UTC" --context "…" --rationale "…" --consequence "…" --share
  $ ctx list decision
  $ ctx connection register hub.example.org --token-file admin.token
  $ ctx connection listen
  $ ctx hub start --daemon
Each command explains itself: ctx <command> --help`;

function buildProgram(context: CommandContext): Command {
  const { io } = context;
  const program = newProgram('ctx', 'Share what a project learns, through a hub, as Markdown.', io)
    .version(CTX_VERSION)
    .addHelpText('after', EXAMPLES);
  addInitCommand(program, context);
  addAddCommands(program, context);
  addBrowseCommands(program, context);
  addAgentCommand(program, context);
  addDoctorCommand(program, context);
  addLspCommand(program, context);
  addCompletionCommand(program, context);
  // Only for the list of commands in --help: they never get here.
  program.command('connection').description('connect this project to a hub, share and follow: ctx connection --help');
  program.command('hub').description('run a hub and look after it: ctx hub --help');
  return program;
}

function explain(error: unknown, io: ProgramIo): number {
  const exit = explainFailure(error, io);
  if (exit !== undefined) return exit;
  if (io.signal.aborted) return EXIT_INTERRUPTED;
  io.stderr(
    `ctx: this is a bug, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return EXIT_INTERNAL;
}

export async function run(argv: readonly string[], io: ProgramIo): Promise<number> {
  const words = argv[0] === 'help' ? [...argv.slice(1), '--help'] : [...argv];
  const [first = '', ...rest] = words;
  const context: CommandContext = { io, exit: { code: 0 } };
  try {
    const bundle = Object.hasOwn(OTHER_BUNDLES, first) ? OTHER_BUNDLES[first] : undefined;
    if (bundle !== undefined) return await bundledProgram(bundle)(rest, io);
    await buildProgram(context).parseAsync(words, { from: 'user' });
    return context.exit.code;
  } catch (error) {
    return explain(error, io);
  }
}
