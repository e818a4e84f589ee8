/** What may come next at each place of the command line, in the form that the shells' scripts are made from. Pure. */
import type { CommandTree } from '../../core/command-line/tree';
import { ENTRY_TYPES } from '../../core/entry';

export interface Word {
  readonly word: string;
  readonly description: string;
}

export interface Place {
  /** Commands before it, such as `connection publish`; empty at the start. */
  readonly path: string;
  readonly words: readonly Word[];
  readonly options: readonly Word[];
}

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

function valuesOf(argument: string): Word[] {
  const values = /^types?$/.test(argument) ? ENTRY_TYPES : argument === 'shell' ? SHELLS : [];
  return values.map((word) => ({ word, description: '' }));
}

/** One line without what a shell would read as its own. */
const plain = (text: string): string => text.replaceAll(/[`'"$\\[\]:\n]/g, '').trim();

/** The program's own place first, then those below it. */
export function placesOf(tree: CommandTree, path = ''): Place[] {
  const words = tree.commands.map(({ name, description }) => ({ word: name, description: plain(description) }));
  const options = tree.options.flatMap(({ names, description }) =>
    names.filter((name) => name.startsWith('--')).map((word) => ({ word, description: plain(description) })),
  );
  const own: Place = {
    path,
    words: words.length > 0 ? words : tree.args.slice(0, 1).flatMap(valuesOf),
    options: [...options, { word: '--help', description: 'what it does, with examples' }],
  };
  return [own, ...tree.commands.flatMap((each) => placesOf(each, `${path} ${each.name}`.trim()))];
}
