/** What every command line starts from: where its output goes, and that nothing typed comes back as it was typed (S31). */
import { Command } from 'commander';
import type { ProgramIo } from '../program';
import { visibleText } from '../visible-text';

/** @param name as it stands in its help, `ctx` or `ctx hub` */
export function newProgram(name: string, description: string, io: Pick<ProgramIo, 'stdout' | 'stderr'>): Command {
  return new Command(name)
    .description(description)
    .exitOverride()
    .configureOutput({
      writeOut: io.stdout,
      writeErr: io.stderr,
      outputError: (text, write) => write(visibleText(text.replace(/^error: /, 'ctx: '))),
    })
    .showHelpAfterError(`Run ${name} --help to see what is possible.`)
    .helpCommand(false);
}
