/** `ctx add <type> "title" …` and its twin `ctx <type> add "title" …`: what they take, and what their help says. */
import { Option, type Command } from 'commander';
import type { EntryType } from '../../core/entry';
import type { CommandContext } from './context';

/** As commander hands it over: `--json-file` is `jsonFile`. */
export interface AddOptions {
  readonly status?: string;
  readonly context?: string;
  readonly decision?: string;
  readonly rationale?: string;
  readonly consequence?: string;
  readonly lesson?: string;
  readonly application?: string;
  readonly section?: string;
  readonly priority?: string;
  readonly file?: string;
  readonly jsonFile?: string;
  readonly id?: string;
  readonly share?: boolean;
  readonly json?: boolean;
}

interface TypeHelp {
  readonly what: string;
  readonly flags: readonly (readonly [flag: string, help: string])[];
  readonly example: string;
}

const SECTION = (level: string): readonly [string, string] => [
  '--section <name>',
  `the "${level} Section" it goes under, made when missing (default: General)`,
];

const HELP: Readonly<Record<EntryType, TypeHelp>> = {
  decision: {
    what: 'what was decided and why',
    flags: [
      ['--context <text>', 'what made it necessary (required)'],
      ['--rationale <text>', 'why this and not something else (required)'],
      ['--consequence <text>', 'what follows from it (required)'],
      ['--decision <text>', 'what was decided (default: the title)'],
      ['--status <text>', 'such as Accepted (default) or Superseded'],
    ],
    example: `"Store timestamps in UTC" \\
      --context "Two services disagreed by an hour after a clock change" \\
      --rationale "UTC has no clock changes" \\
      --consequence "Local time is for display only"`,
  },
  learning: {
    what: 'what turned out to be different from what one would think',
    flags: [
      ['--context <text>', 'what happened (required)'],
      ['--lesson <text>', 'what is true (required)'],
      ['--application <text>', 'what to do differently from now on (required)'],
    ],
    example: `"A closed laptop keeps its sockets open" \\
      --context "Listeners hung for hours after a lid was closed" \\
      --lesson "Only a missing heartbeat tells that the other side is gone" \\
      --application "Give every long connection a heartbeat"`,
  },
  convention: {
    what: 'what everybody here does the same way',
    flags: [SECTION('##')],
    example: '"Durations in names end in their unit: timeoutMs" --section Naming',
  },
  task: {
    what: 'what is to be done',
    flags: [SECTION('###'), ['--priority <word>', 'such as high, medium or low']],
    example: '"Rotate the signing key" --section Security --priority high',
  },
};

const COMMON = `
Input:
  --file, --json-file and a title of - read the entry instead of flags; flags win over what is read.
  --file       Markdown: the title, a blank line, then **Context**: … paragraphs or text
  --json-file  {"title": "…", "context": "…", …} with the names of the flags

Exit codes: 0 written; 64 wrong flags; 65 a field is missing or says nothing; 73 the file cannot be written;
            75 written here but not shared yet (it is shared later by itself)`;

function addOne(command: Command, type: EntryType, spelling: string, context: CommandContext): void {
  const { what, flags, example } = HELP[type];
  command
    .description(`write down a ${type}: ${what}`)
    .argument('[title]', 'one line; - reads the entry from standard input');
  for (const [flag, help] of flags) command.option(flag, help);
  command
    .option('--file <path>', 'read the entry from Markdown (- = standard input)')
    .addOption(new Option('--json-file <path>', 'read the entry from JSON (- = standard input)').conflicts('file'))
    .option('--id <id>', 'entry id; adding the same entry under the same id again changes nothing')
    .option('--share', 'publish it to the hub too, after it was written here')
    .option('--json', 'answer with one line of JSON')
    .option('--no-input', 'never ask anything (it never does)')
    .addHelpText('after', `${COMMON}\n\nExample:\n  $ ctx ${spelling} ${example}`)
    .action(async (title: string | undefined, options: AddOptions) => {
      const { runAdd } = await import('./add-entry');
      await runAdd(type, title, options, context);
    });
}

const TYPES: readonly EntryType[] = ['decision', 'learning', 'convention', 'task'];

export function addAddCommands(program: Command, context: CommandContext): void {
  const add = program
    .command('add')
    .description('write down a decision, learning, convention or task')
    .showHelpAfterError('The types are: decision, learning, convention, task. See ctx add --help.');
  for (const type of TYPES) {
    addOne(add.command(type), type, `add ${type}`, context);
    const noun = program.command(type).description(`${type}s: the same as "ctx add ${type}" and "ctx list ${type}"`);
    addOne(noun.command('add'), type, `${type} add`, context);
  }
}
