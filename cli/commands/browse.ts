/** `ctx list`, `ctx show` and `ctx search`: what they take. The work is loaded when they run. */
import { Option, type Command } from 'commander';
import { isEntryType, ENTRY_TYPES, type EntryType } from '../../core/entry';
import { HubError } from '../../core/errors';
import type { CommandContext } from './context';

/** `decisions` and `decision` alike. @throws HubError `usage` */
export function parseType(word: string): EntryType {
  const type = word.toLowerCase().replace(/s$/, '');
  if (isEntryType(type)) return type;
  throw new HubError('usage', `"${word}" is no type of entry. Types are: ${ENTRY_TYPES.join(', ')}.`);
}

export interface BrowseOptions {
  readonly json?: boolean;
  readonly type?: string;
  readonly local?: boolean;
  readonly hub?: boolean;
  /** Superseded ones too. */
  readonly all?: boolean;
}

function addSourceOptions(command: Command): Command {
  return command
    .option('--json', 'answer with one line of JSON')
    .addOption(new Option('--local', "only this project's own entries").conflicts('hub'))
    .option('--hub', 'only entries of other projects, from the mirror')
    .option('--all', 'with entries that a newer version has superseded, and those in the archive');
}

export function addBrowseCommands(program: Command, context: CommandContext): void {
  addSourceOptions(program.command('list'))
    .description('list entries: id, date, title; own ones first, then those of other projects')
    .argument('[type]', ENTRY_TYPES.join(', '))
    .addHelpText('after', '\nExamples:\n  $ ctx list\n  $ ctx list decision --json')
    .action(async (type: string | undefined, options: BrowseOptions) => {
      const { list } = await import('./browse-entries');
      await list(type === undefined ? ENTRY_TYPES : [parseType(type)], options, context);
    });
  for (const type of ENTRY_TYPES) {
    const noun = program.commands.find((command) => command.name() === type);
    if (noun === undefined) continue;
    addSourceOptions(noun.command('list'))
      .description(`list ${type}s`)
      .addHelpText('after', `\nExample:\n  $ ctx ${type} list --json`)
      .action(async (options: BrowseOptions) => {
        const { list } = await import('./browse-entries');
        await list([type], options, context);
      });
  }
  program
    .command('show')
    .description('show one entry')
    .argument('<id>', 'its id, or the beginning of it')
    .option('--json', 'answer with one line of JSON')
    .addHelpText('after', '\nExample:\n  $ ctx show 0198a2')
    .action(async (id: string, options: BrowseOptions) => {
      const { show } = await import('./browse-entries');
      await show(id, options, context);
    });
  addSourceOptions(program.command('search'))
    .description('find entries that hold all the words, in any case')
    .argument('<words...>')
    .option('--type <type>', `only ${ENTRY_TYPES.join(', ')}`)
    .addHelpText('after', '\nExample:\n  $ ctx search utc timestamp --type decision')
    .action(async (words: string[], options: BrowseOptions) => {
      const { search } = await import('./browse-entries');
      await search(words, options.type === undefined ? ENTRY_TYPES : [parseType(options.type)], options, context);
    });
}
