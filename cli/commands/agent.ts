/** `ctx agent`: what it takes. The work is loaded when it runs. */
import { Option, type Command } from 'commander';
import type { CommandContext } from './context';

export interface AgentOptions {
  readonly budget: string;
  readonly includeHub?: boolean;
  readonly json?: boolean;
  readonly install?: boolean;
  readonly uninstall?: boolean;
}

const HELP = `
Own entries come first, shared ones (--include-hub) by recency, type and origin, each in a fence with where it comes from.
Only whole entries, never more than the budget; a token is counted as 4 bytes of UTF-8.

Examples:
  $ ctx agent --include-hub --budget 4000
  $ ctx agent --json
  $ ctx agent --install      a pointer to this command in AGENTS.md and CLAUDE.md; --uninstall takes it out`;

export function addAgentCommand(program: Command, context: CommandContext): void {
  program
    .command('agent')
    .description('print what an AI agent should know of this project, as Markdown')
    .option('--include-hub', 'with entries of other projects, fenced as data')
    .option('--budget <tokens>', 'never print more than this many tokens', '8000')
    .option('--json', 'answer with one line of JSON')
    .addOption(new Option('--install', 'put a pointer into AGENTS.md and CLAUDE.md instead').conflicts('uninstall'))
    .option('--uninstall', 'take that pointer out')
    .addHelpText('after', HELP)
    .action(async (options: AgentOptions) => {
      const { agent } = await import('./agent-packet');
      await agent(options, context);
    });
}
