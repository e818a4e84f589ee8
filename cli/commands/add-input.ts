/** Where the words of a new entry come from: flags, a Markdown file, a JSON file, standard input. Flags win. */
import fsp from 'node:fs/promises';
import path from 'node:path';
import { textOfContent } from '../../core/context/draft';
import { FIELD_ORDER } from '../../core/context/fields';
import type { EntryType } from '../../core/entry';
import { HubError } from '../../core/errors';
import { fileError } from '../../core/node/file-errors';
import type { ProgramIo } from '../../core/program';
import { shown } from '../output';
import type { AddOptions } from './add';

export interface EntryInput {
  readonly title: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly section: string | undefined;
  readonly priority: string | undefined;
  readonly id: string | undefined;
}

type PartialInput = Partial<EntryInput>;

const utf8 = new TextDecoder('utf-8', { fatal: true });

async function readSource(source: string, io: ProgramIo): Promise<string> {
  if (source === '-') {
    if (io.stdinIsTty) throw new HubError('usage', 'Standard input is a terminal. Pipe the entry in, or name a file.');
    return io.readStdin();
  }
  const file = path.resolve(io.cwd, source);
  try {
    return utf8.decode(await fsp.readFile(file));
  } catch (error) {
    if (error instanceof TypeError) throw new HubError('bad_data', `${file} is not UTF-8 text.`, { cause: error });
    throw fileError(error, 'read', file);
  }
}

function parseJson(text: string, source: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    const why = error instanceof Error ? shown(error.message) : '';
    throw new HubError('bad_data', `${source} is no JSON: ${why}`, { cause: error });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new HubError('bad_data', `${source} must hold one JSON object, such as {"title": "…"}.`);
}

/** Members of the JSON object are the names of the flags; unknown ones are refused, so that no typing error loses text. */
export function inputOfJson(type: EntryType, text: string, source: string): PartialInput {
  const known = ['title', 'body', 'id', 'section', 'priority'];
  const own: Record<string, string> = {};
  const fields: Record<string, string> = {};
  for (const [name, value] of Object.entries(parseJson(text, source))) {
    const isField = FIELD_ORDER[type].includes(name);
    if (!isField && !known.includes(name)) {
      const names = ['title', ...FIELD_ORDER[type], ...known.slice(1)].join(', ');
      throw new HubError('bad_data', `${source}: a ${type} has no member "${shown(name)}". It has: ${names}.`);
    }
    if (typeof value !== 'string') throw new HubError('bad_data', `${source}: "${name}" must be a text.`);
    if (isField) fields[name] = value;
    else own[name] = value;
  }
  return { ...own, fields };
}

async function readGiven(
  type: EntryType,
  title: string | undefined,
  options: AddOptions,
  io: ProgramIo,
): Promise<PartialInput> {
  const { file, jsonFile } = options;
  const markdown = file ?? (title === '-' ? '-' : undefined);
  if (title === '-' && (file !== undefined || jsonFile !== undefined)) {
    throw new HubError('usage', 'A title of - reads standard input: it cannot go with --file or --json-file.');
  }
  if (jsonFile !== undefined) {
    return inputOfJson(type, await readSource(jsonFile, io), jsonFile === '-' ? 'Standard input' : jsonFile);
  }
  if (markdown === undefined) return {};
  const text = await readSource(markdown, io);
  // People begin a Markdown file with a heading.
  if (title === undefined || title === '-') return textOfContent(type, text.replace(/^(\uFEFF?\s*)#{1,6}[ \t]+/, '$1'));
  // The title is given: all of the file is what follows it.
  const { fields, body } = textOfContent(type, `${title}\n\n${text}`);
  return { fields, body };
}

function flagFields(type: EntryType, options: AddOptions): Record<string, string> {
  const given = options as Readonly<Record<string, unknown>>;
  const fields: Record<string, string> = {};
  for (const name of FIELD_ORDER[type]) {
    const value = given[name];
    if (typeof value === 'string') fields[name] = value;
  }
  return fields;
}

/** @throws HubError `usage` for contradicting sources, `bad_data` for unreadable ones, `invalid` without a title */
export async function readInput(
  type: EntryType,
  title: string | undefined,
  options: AddOptions,
  io: ProgramIo,
): Promise<EntryInput> {
  const given = await readGiven(type, title, options, io);
  const ownTitle = title === '-' ? undefined : title;
  if (ownTitle === undefined && given.title === undefined) {
    throw new HubError('usage', `What is the ${type}? Give it a title: ctx add ${type} "…" (see --help).`);
  }
  return {
    title: ownTitle ?? given.title ?? '',
    fields: { ...given.fields, ...flagFields(type, options) },
    body: given.body,
    section: options.section ?? given.section,
    priority: options.priority ?? given.priority,
    id: options.id ?? given.id,
  };
}
