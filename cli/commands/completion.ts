/** `ctx completion <shell>`: the script that completes ctx in a shell, made from the commands themselves. */
import type { Command } from 'commander';
import { commandTreeOf, type CommandTree } from '../../core/command-line/tree';
import { HubError } from '../../core/errors';
import { bundledTree } from '../bundles';
import type { CommandContext } from './context';

const HELP = `
Examples:
  $ source <(ctx completion bash)         in ~/.bashrc; zsh the same
  $ ctx completion fish | source          in ~/.config/fish/config.fish`;

/** With the commands of the other bundles in the place of their one line in our help. */
export function wholeTree(program: Command): CommandTree {
  const own = commandTreeOf(program);
  const others = { connection: 'client', hub: 'hub' } as const;
  return {
    ...own,
    commands: own.commands.map((each) => {
      const bundle = Object.entries(others).find(([name]) => name === each.name)?.[1];
      return bundle === undefined ? each : { ...bundledTree(bundle), description: each.description };
    }),
  };
}

export function addCompletionCommand(program: Command, { io }: CommandContext): void {
  program
    .command('completion')
    .description('print the script that completes ctx in a shell')
    .argument('<shell>', 'bash, zsh or fish')
    .addHelpText('after', HELP)
    .action(async (shell: string) => {
      const { placesOf, SHELLS } = await import('../completion/words');
      const known = SHELLS.find((each) => each === shell);
      if (known === undefined) throw new HubError('usage', `"${shell}" is no shell known here: ${SHELLS.join(', ')}.`);
      const { completionScript } = await import('../completion/scripts');
      io.stdout(completionScript(known, placesOf(wholeTree(program))));
    });
}
