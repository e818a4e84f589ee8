/** `ctx doctor`: what it takes. What it does is in the client bundle, which knows how to reach a hub. */
import type { Command } from 'commander';
import { clientBundle } from '../bundles';
import type { CommandContext } from './context';

const HELP = `
Looks, in this order, at: version, permissions, disk, key file, project and its files, .gitignore, connection, address, DNS,
TCP, TLS, HTTP, authentication, protocol, role, history, clock, outbox. Changes nothing.

Exit codes: 0 nothing failed (warnings may be there); else that of the first failure, such as 69 hub unreachable,
            77 token refused, 78 connection or key unusable, 73 permissions, 74 disk

Examples:
  $ ctx doctor
  $ ctx doctor --json | jq '.checks[] | select(.status != "ok")'`;

export function addDoctorCommand(program: Command, context: CommandContext): void {
  program
    .command('doctor')
    .description('look at everything from here to the hub; name what fails and what to do next')
    .option('--json', 'answer with one line of JSON')
    .addHelpText('after', HELP)
    .action(async (flags: { json?: boolean }) => {
      context.exit.code = await clientBundle().doctor(flags, context.io);
    });
}
