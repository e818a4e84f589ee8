/** Does `ctx list`, `ctx show` and `ctx search` over the local files and the mirror; no hub is asked. */
import fs from 'node:fs';
import path from 'node:path';
import { ENTRY_TYPES, type EntryType } from '../../core/entry';
import { HubError } from '../../core/errors';
import { defaultProjectName, type ProjectPaths } from '../../core/node/project-directory';
import { clientBundle } from '../bundles';
import { knownEntries, type KnownEntry } from '../known-entries';
import { jsonAnswer, plural, shown, shownBlock } from '../output';
import type { BrowseOptions } from './browse';
import { projectOf, type CommandContext } from './context';

/** Ids of entries without one hang on the project's name, which is the registered one where there is a connection. */
export async function projectName(paths: ProjectPaths, { io }: CommandContext): Promise<string> {
  const registered = fs.existsSync(paths.connection)
    ? await clientBundle().registeredProject(paths.root, io)
    : undefined;
  return registered ?? defaultProjectName(paths.root);
}

async function gather(
  types: readonly EntryType[],
  options: BrowseOptions,
  archived: boolean,
  context: CommandContext,
): Promise<KnownEntry[]> {
  const paths = projectOf(context);
  const all = await knownEntries(paths, {
    types,
    project: await projectName(paths, context),
    archived,
    note: (message) => context.io.stderr(`ctx: warning: ${shown(message)}\n`),
  });
  const wanted = all.filter(({ source }) =>
    options.local === true ? source === 'local' : options.hub !== true || source === 'hub',
  );
  return options.all === true ? wanted : wanted.filter((entry) => entry.superseded_by === undefined);
}

const MARKS = { open: '[ ] ', done: '[x] ', skipped: '[-] ' } as const;

function lineOf(entry: KnownEntry, withType: boolean): string {
  const { id, type, date, title, state, origin } = entry;
  const mark = state === undefined ? '' : MARKS[state];
  const from = origin === undefined ? '' : ` — ${shown(origin)}`;
  return `${id}  ${withType ? `${type.padEnd(10)}  ` : ''}${(date ?? '').slice(0, 10).padEnd(10)}  ${mark}${shown(title)}${from}\n`;
}

function answer(found: readonly KnownEntry[], options: BrowseOptions, withType: boolean, { io }: CommandContext): void {
  if (options.json === true) {
    io.stdout(jsonAnswer('entries', { entries: found }));
    return;
  }
  for (const entry of found) io.stdout(lineOf(entry, withType));
}

export async function list(
  types: readonly EntryType[],
  options: BrowseOptions,
  context: CommandContext,
): Promise<void> {
  // The archive may hold very much, all of it old: only who asks for all gets it.
  const found = await gather(types, options, options.all === true, context);
  answer(found, options, types.length > 1, context);
  if (found.length === 0 && options.json !== true)
    context.io.stderr('No entries here yet. "ctx add --help" says how to write one.\n');
}

/** All words, in title, content, section, tags or origin. */
function holds(entry: KnownEntry, words: readonly string[]): boolean {
  const text = [entry.content, entry.title, entry.section, entry.origin, ...entry.tags].join('\n').toLowerCase();
  return words.every((word) => text.includes(word));
}

export async function search(
  words: readonly string[],
  types: readonly EntryType[],
  options: BrowseOptions,
  context: CommandContext,
): Promise<void> {
  const wanted = words.flatMap((word) => word.toLowerCase().split(/\s+/)).filter((word) => word !== '');
  if (wanted.length === 0) throw new HubError('usage', 'Search for at least one word.');
  const found = (await gather(types, options, true, context)).filter((entry) => holds(entry, wanted));
  answer(found, options, types.length > 1, context);
  if (found.length === 0 && options.json !== true) context.io.stderr('Nothing found.\n');
}

function findOne(all: readonly KnownEntry[], id: string): KnownEntry {
  const exact = all.find((entry) => entry.id === id);
  if (exact !== undefined) return exact;
  const starting = all.filter((entry) => entry.id.startsWith(id));
  const [only] = starting;
  if (only !== undefined && starting.length === 1) return only;
  if (starting.length > 1) {
    throw new HubError(
      'usage',
      `${plural(starting.length, 'entry', 'entries')} begin with "${shown(id)}". Give more of the id.`,
    );
  }
  throw new HubError('bad_data', `No entry has the id "${shown(id)}". "ctx list" shows them all.`);
}

function headerOf(entry: KnownEntry, cwd: string): string {
  const facts: (readonly [string, string | number | undefined])[] = [
    ['type', entry.type],
    ['id', entry.id],
    ['date', entry.date],
    ['section', entry.section],
    ['state', entry.state],
    ['tags', entry.tags.length === 0 ? undefined : entry.tags.map((tag) => `#${tag}`).join(' ')],
    ['origin', entry.origin],
    ['client', entry.client],
    ['sequence', entry.sequence],
    ['replaces', entry.supersedes],
    ['replaced', entry.superseded_by === undefined ? undefined : `by ${entry.superseded_by}`],
    ['file', `${path.relative(cwd, entry.file)}:${entry.line}`],
  ];
  return facts
    .flatMap(([name, value]) => (value === undefined ? [] : [`${`${name}:`.padEnd(10)}${shown(String(value))}\n`]))
    .join('');
}

export async function show(id: string, options: BrowseOptions, context: CommandContext): Promise<void> {
  const { io } = context;
  const entry = findOne(await gather(ENTRY_TYPES, { all: true }, true, context), id);
  if (options.json === true) io.stdout(jsonAnswer('entry', { entry }));
  else io.stdout(`${headerOf(entry, io.cwd)}\n${shownBlock(entry.content)}\n`);
}
