/** The commands of a program as plain data: for completion, and for tests that every command is documented. Pure. */

export interface CommandOption {
  /** `--json`, and `-V` where there is one. */
  readonly names: readonly string[];
  readonly description: string;
  readonly takesValue: boolean;
}

export interface CommandTree {
  readonly name: string;
  readonly description: string;
  readonly options: readonly CommandOption[];
  /** Names of its arguments, without marks. */
  readonly args: readonly string[];
  readonly commands: readonly CommandTree[];
}

/** The part of a commander `Command` that is read; it is not named, so that no layer below the programs needs the parser. */
export interface ParserCommand {
  name(): string;
  description(): string;
  readonly options: readonly { readonly flags: string; readonly description: string; readonly hidden: boolean }[];
  readonly registeredArguments: readonly { name(): string }[];
  readonly commands: readonly ParserCommand[];
}

export function commandTreeOf(command: ParserCommand): CommandTree {
  return {
    // `ctx connection` calls itself so in its help.
    name: command.name().split(' ').at(-1) ?? '',
    description: command.description(),
    options: command.options
      .filter(({ hidden }) => !hidden)
      .map(({ flags, description }) => ({
        names: flags.split(/[ ,|]+/).filter((word) => word.startsWith('-')),
        description,
        takesValue: /[<[]/.test(flags),
      })),
    args: command.registeredArguments.map((argument) => argument.name().replace(/\.+$/, '')),
    commands: command.commands.map(commandTreeOf),
  };
}
