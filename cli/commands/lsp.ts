/** `ctx lsp --stdio`: the language server of `.context` files for any editor. It is a bundle of its own, loaded here. */
import type { Command } from 'commander';
import { HubError } from '../../core/errors';
import { runLanguageServer } from '../bundles';
import type { CommandContext } from './context';

const HELP = `
Speaks the Language Server Protocol on standard input and output; the editor starts and ends it. Tells what is wrong with
an entry (missing fields, placeholders, headings, ids given twice) and gives symbols and folding, for .context/**/*.md.

Example:
  $ ctx lsp --stdio`;

export function addLspCommand(program: Command, { io }: CommandContext): void {
  program
    .command('lsp')
    .description('language server for .context files, for editors other than VS Code')
    .option('--stdio', 'speak on standard input and output; the only way there is')
    .addHelpText('after', HELP)
    .action(async (flags: { stdio?: boolean }) => {
      if (flags.stdio !== true) throw new HubError('usage', 'An editor starts this: ctx lsp --stdio.');
      if (io.stdinIsTty) io.stderr('ctx: waiting for an editor on standard input; Ctrl-C ends it.\n');
      await runLanguageServer();
    });
}
