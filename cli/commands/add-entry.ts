/** Does `ctx add`: local file first, then, when asked for, the share leg; the local write stands whatever that comes to. */
import path from 'node:path';
import { v7 as uuid } from 'uuid';
import { cleanDraft, checkDraft } from '../../core/context/draft';
import { localDate } from '../../core/context/local-date';
import type { Draft } from '../../core/context/model';
import type { EntryType, PublishedEntry } from '../../core/entry';
import { CODE_FACTS } from '../../core/errors';
import { addEntry, type AddedEntry } from '../../core/node/context-file';
import { clientBundle } from '../bundles';
import { jsonAnswer, shown } from '../output';
import type { AddOptions } from './add';
import { readInput, type EntryInput } from './add-input';
import { projectOf, type CommandContext } from './context';

function draftOf(type: EntryType, input: EntryInput, now: Date): Draft {
  const { title, fields, body, section, priority } = input;
  const id = input.id ?? uuid();
  const draft = cleanDraft({ type, id, title, date: localDate(now), fields, body, section, priority });
  checkDraft(draft, (field) => `--${field}`);
  return draft;
}

function publishedOf(added: AddedEntry, now: Date): PublishedEntry {
  const { type, content } = added.entry;
  return { id: added.id, type, content, timestamp: now.toISOString(), meta: { tool: 'ctx' } };
}

interface Shared {
  readonly exit: number;
  readonly json: object;
}

/** Nothing that goes wrong here takes the local write back or hides that it was done (FM-01, FM-17). */
async function share(added: AddedEntry, projectDir: string, json: boolean, context: CommandContext): Promise<Shared> {
  const { io } = context;
  try {
    const client = clientBundle();
    const outcome = await client.shareAdded({ projectDir, entry: publishedOf(added, new Date()) }, io);
    // With --json the warnings still go to standard error; what was shared is in the answer.
    const quiet = { ...io, stdout: () => undefined };
    const exit = client.reportShares([outcome], json ? quiet : io);
    return { exit, json: client.shareJson(outcome) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    io.stderr(
      `ctx: warning: saved locally, not shared: ${reason}\nRun "ctx connection publish --id ${added.id}" later.\n`,
    );
    return { exit: CODE_FACTS.not_shared.exit, json: { id: added.id, state: 'not_shared', reason } };
  }
}

export async function runAdd(
  type: EntryType,
  title: string | undefined,
  options: AddOptions,
  context: CommandContext,
): Promise<void> {
  const { io } = context;
  const paths = projectOf(context);
  const draft = draftOf(type, await readInput(type, title, options, io), new Date());
  const added = await addEntry(paths, draft, { signal: io.signal });
  const where = `${path.relative(io.cwd, added.file)}:${added.line}`;
  const json = options.json === true;
  if (!json) {
    const what = added.added ? `Added ${type} to ${shown(where)}` : `Already in ${shown(where)}`;
    io.stdout(`${what}: ${shown(added.entry.title)} (${added.id})\n`);
  }
  const shared = options.share === true ? await share(added, paths.root, json, context) : undefined;
  if (shared !== undefined) context.exit.code = shared.exit;
  if (!json) return;
  const { file, line, id } = added;
  const answer = { id, type, title: added.entry.title, file, line, added: added.added };
  io.stdout(jsonAnswer('added', shared === undefined ? answer : { ...answer, share: shared.json }));
}
