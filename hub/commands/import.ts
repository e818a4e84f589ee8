/**
 * `ctx hub import <file>`: brings entries of a journal back into a hub with id, origin and timestamp, each once (FM-37).
 * For the operator on the hub's machine: through the running hub, or into the log of a stopped one.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import * as z from 'zod';
import type { StampedEntry } from '../../core/entry';
import { HubError } from '../../core/errors';
import { MAX_BATCH_ENTRIES } from '../../core/limits';
import { visibleText } from '../../core/visible-text';
import { showProgress } from '../../core/node/progress';
import { dataDirOf } from '../config';
import { openFileEngine } from '../engine/file';
import { refuseNode } from '../engine/raft/lost-node';
import { askLocalHub, findLocalHub } from '../../core/node/local-hub/local-control';
import { importEntries, type ImportedEntry } from '../import-entries';
import { readImport, type BadImportLine, type ImportLine } from '../store/import-file';
import { nodeDisk } from '../store/node-disk';
import { DATA_DIR_FLAG, jsonAnswer, type HubCommandContext } from './context';
import { asIoError, count, requireDataDirectory, withLock } from './offline';

interface Flags {
  readonly dataDir?: string;
  readonly json?: boolean;
}

/** Takes a batch; answers for each entry in order. */
type Importer = (entries: readonly StampedEntry[]) => Promise<readonly ImportedEntry[]>;

const MAX_BATCH_CHARS = 512 * 1024;

const answerSchema = z.object({
  results: z.array(z.object({ kind: z.enum(['stored', 'duplicate', 'refused']), reason: z.string().optional() })),
});

/** Of a file that is no journal every line is refused: so many are told one by one. */
const MAX_TOLD_LINES = 20;

interface Tally {
  stored: number;
  duplicate: number;
  refused: number;
  /** The first of them. */
  readonly told: BadImportLine[];
  /** The last line that was dealt with. */
  lastLine: number;
}

function refuse(tally: Tally, line: BadImportLine): void {
  tally.refused++;
  if (tally.told.length < MAX_TOLD_LINES) tally.told.push(line);
}

async function importBatch(batch: readonly ImportLine[], importer: Importer, tally: Tally): Promise<void> {
  if (batch.length === 0) return;
  const results = await importer(batch.map((line) => line.entry));
  batch.forEach(({ lineNumber }, i) => {
    const result = results[i];
    if (result?.kind === 'stored') tally.stored++;
    else if (result?.kind === 'duplicate') tally.duplicate++;
    else refuse(tally, { lineNumber, reason: result?.reason ?? 'the hub did not answer for it' });
    tally.lastLine = lineNumber;
  });
}

/** @param onRead told how much of the file has been read */
async function importAll(
  file: string,
  importer: Importer,
  tally: Tally,
  onRead: (bytes: number) => void,
): Promise<void> {
  let batch: ImportLine[] = [];
  let chars = 0;
  for await (const line of readImport(file, onRead)) {
    if ('reason' in line) {
      refuse(tally, line);
      continue;
    }
    const size = line.entry.content.length;
    if (batch.length === MAX_BATCH_ENTRIES || (batch.length > 0 && chars + size > MAX_BATCH_CHARS)) {
      await importBatch(batch, importer, tally);
      batch = [];
      chars = 0;
    }
    batch.push(line);
    chars += size;
  }
  await importBatch(batch, importer, tally);
}

async function withImporter(
  dataDir: string,
  context: HubCommandContext,
  work: (importer: Importer) => Promise<void>,
): Promise<void> {
  requireDataDirectory(dataDir);
  if ((await findLocalHub(dataDir)).kind === 'running') {
    await work(async (entries) => answerSchema.parse(await askLocalHub(dataDir, 'import', { entries })).results);
    return;
  }
  await withLock(dataDir, async () => {
    await refuseNode(nodeDisk, dataDir, 'Start it, then import: what goes into its log all nodes must agree on.');
    const warn = (message: string): void => context.io.stderr(`ctx: ${message}\n`);
    const { engine } = await openFileEngine({ folder: dataDir, warn });
    try {
      await work((entries) => importEntries(engine, entries));
    } finally {
      await engine.close();
    }
  });
}

async function run(from: string, flags: Flags, context: HubCommandContext): Promise<void> {
  const { io } = context;
  const file = path.resolve(io.cwd, from);
  const facts = fs.statSync(file, { throwIfNoEntry: false });
  if (facts?.isFile() !== true) throw new HubError('usage', `There is no file ${file}.`);
  const tally: Tally = { stored: 0, duplicate: 0, refused: 0, told: [], lastLine: 0 };
  const progress = showProgress(io, 'Importing');
  const onRead = (bytes: number): void => progress.update(bytes, facts.size);
  try {
    await withImporter(dataDirOf(flags.dataDir, io), context, (importer) => importAll(file, importer, tally, onRead));
  } catch (thrown) {
    const error = asIoError(thrown, `The import of ${file} failed`);
    if (!(error instanceof HubError) || tally.lastLine === 0) throw error;
    const far = `Stopped after line ${tally.lastLine} of ${file} (${tally.stored} stored); running it again is safe.`;
    throw new HubError(error.code, `${error.message} ${far}`, { cause: error, outcome: error.outcome });
  } finally {
    progress.end();
  }
  const { stored, duplicate, refused, told } = tally;
  for (const { lineNumber, reason } of told)
    io.stderr(`ctx: ${visibleText(`${file}: line ${lineNumber} was not imported: ${reason}`)}\n`);
  const untold = refused - told.length;
  if (untold > 0)
    io.stderr(
      `ctx: ${visibleText(file)}: ${count(untold, 'more line')} of it ${untold === 1 ? 'was' : 'were'} not imported.\n`,
    );
  if (flags.json === true) io.stdout(jsonAnswer('hub_import', { stored, duplicate, refused }));
  else {
    const known = `${duplicate} already there`;
    io.stdout(`Imported ${count(stored, 'entry', 'entries')}, ${known}, ${refused} refused.\n`);
  }
  if (refused > 0) context.exit.code = 65;
}

export function addImportCommand(hub: Command, context: HubCommandContext): void {
  hub
    .command('import')
    .description('bring the entries of a journal back, with id, origin and timestamp, each once')
    .argument('<file>', 'lines as in entries.jsonl, such as `ctx connection listen --journal` writes')
    .option(...DATA_DIR_FLAG)
    .option('--json', 'print one JSON line')
    .addHelpText('after', '\nExit codes: 0 all imported or already there, 65 some lines were refused.\n')
    .addHelpText('after', '\nExample:\n  $ ctx hub import journal.jsonl\n')
    .action((from: string, flags: Flags) => run(from, flags, context));
}
