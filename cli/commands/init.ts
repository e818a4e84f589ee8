/** `ctx init`: makes `.context` with its four files and keeps what is private out of git. Safe to repeat. */
import type { Command } from 'commander';
import path from 'node:path';
import { userHome } from '../../core/node/ctx-home';
import { createContextFiles } from '../../core/node/context-file';
import { ensureIgnored } from '../../core/node/gitignore';
import { findProject, newProjectRoot, projectPaths } from '../../core/node/project-directory';
import { jsonAnswer, shown } from '../output';
import type { CommandContext } from './context';

async function init(flags: { readonly json?: boolean }, { io }: CommandContext): Promise<void> {
  const paths = findProject(io.cwd, userHome(io.env)) ?? projectPaths(newProjectRoot(io.cwd));
  const created = await createContextFiles(paths);
  const ignored = await ensureIgnored(paths.root);
  if (flags.json === true) {
    io.stdout(jsonAnswer('initialized', { project: paths.root, created, gitignore_changed: ignored }));
    return;
  }
  for (const file of created) io.stdout(`Created ${shown(path.relative(io.cwd, file))}\n`);
  if (ignored) {
    io.stdout(`Added .context/hub/ and .context/.connect.enc to ${shown(path.join(paths.root, '.gitignore'))}\n`);
  }
  if (created.length === 0) io.stderr(`${shown(paths.contextDir)} was there already; nothing in it was changed.\n`);
}

export function addInitCommand(program: Command, context: CommandContext): void {
  program
    .command('init')
    .description('make .context/ with its four files here, or in the root of this repository')
    .option('--json', 'answer with one line of JSON')
    .option('--no-input', 'never ask anything (it never does)')
    .addHelpText('after', '\nExample:\n  $ ctx init')
    .action((flags: { json?: boolean }) => init(flags, context));
}
