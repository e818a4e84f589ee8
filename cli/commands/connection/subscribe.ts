/** `ctx connection subscribe` and `unsubscribe`: which types of other projects' entries come here. */
import type { Command } from 'commander';
import { ENTRY_TYPES, isEntryType, type EntryType } from '../../../core/entry';
import { HubError } from '../../../core/errors';
import { requireConnection, writeConnection, type Connection } from '../../../core/node/connection-file';
import { jsonAnswer } from '../../output';
import { projectOf, type ConnectionContext } from './context';

interface Flags {
  readonly json?: boolean;
}

/** Singular or plural, any case; `all`. */
function parseTypes(words: readonly string[]): readonly EntryType[] {
  return words.flatMap((word) => {
    if (word.toLowerCase() === 'all') return ENTRY_TYPES;
    const type = word.toLowerCase().replace(/s$/, '');
    if (isEntryType(type)) return type;
    throw new HubError('usage', `"${word}" is no type of entry. Types are: ${ENTRY_TYPES.join(', ')}, or all.`);
  });
}

const inOrder = (types: ReadonlySet<EntryType>): EntryType[] => ENTRY_TYPES.filter((type) => types.has(type));

/** A first choice narrows "everything" down to it; later ones add. */
export function subscribed(before: Connection['types'], added: readonly EntryType[]): EntryType[] {
  return inOrder(new Set([...(before ?? []), ...added]));
}

export function unsubscribed(before: Connection['types'], removed: readonly EntryType[]): EntryType[] {
  return inOrder(new Set((before ?? ENTRY_TYPES).filter((type) => !removed.includes(type))));
}

async function change(
  words: readonly string[],
  flags: Flags,
  context: ConnectionContext,
  next: (before: Connection['types'], types: readonly EntryType[]) => EntryType[],
): Promise<void> {
  const { io } = context;
  const paths = projectOf(context);
  const connection = await requireConnection(paths, io.env);
  const types = next(connection.types, parseTypes(words));
  await writeConnection(paths, io.env, { ...connection, types });
  if (flags.json === true) {
    io.stdout(jsonAnswer('subscription', { types }));
    return;
  }
  const dropped = (connection.types ?? ENTRY_TYPES).filter((type) => !types.includes(type));
  const no = dropped.length === 0 ? '' : ` (no longer to ${dropped.join(', ')})`;
  io.stdout(`Subscribed to ${types.length === 0 ? 'nothing' : types.join(', ')}${no}\n`);
}

const SUBSCRIBE_HELP = `
A project is subscribed to all types at first; naming some for the first time leaves the others out.

Examples:
  $ ctx connection subscribe decision learning
  $ ctx connection subscribe all
`;

export function addSubscribeCommands(connection: Command, context: ConnectionContext): void {
  connection
    .command('subscribe')
    .description('receive entries of these types; earlier ones are fetched too')
    .argument('<type...>', `${ENTRY_TYPES.join(', ')}, or all`)
    .option('--json', 'answer as JSON')
    .addHelpText('after', SUBSCRIBE_HELP)
    .action((types: string[], flags: Flags) => change(types, flags, context, subscribed));
  connection
    .command('unsubscribe')
    .description('stop receiving entries of these types; their mirror goes')
    .argument('<type...>', `${ENTRY_TYPES.join(', ')}, or all`)
    .option('--json', 'answer as JSON')
    .addHelpText('after', '\nExample:\n  $ ctx connection unsubscribe task\n')
    .action((types: string[], flags: Flags) => change(types, flags, context, unsubscribed));
}
