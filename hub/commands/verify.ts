/** `ctx hub verify`: reads everything a hub has stored and says whether it is sound. Changes nothing; a hub may be running. */
import type { Command } from 'commander';
import { HubError } from '../../core/errors';
import { showProgress } from '../../core/node/progress';
import { dataDirOf } from '../config';
import { findLocalHub } from '../../core/node/local-hub/local-control';
import { inspect, type Inspection } from '../store/inspect';
import { nodeDisk } from '../store/node-disk';
import { DATA_DIR_FLAG, jsonAnswer, type HubCommandContext } from './context';
import { asIoError, count } from './offline';

interface Flags {
  readonly dataDir?: string;
  readonly json?: boolean;
}

/** A running hub may move the end of the log and the watermark between two looks; then the next look is right. */
const LOOKS = 3;

async function look(dataDir: string, context: HubCommandContext): Promise<Inspection> {
  const progress = showProgress(context.io, 'Verifying');
  try {
    return await inspect({ disk: nodeDisk, folder: dataDir, onProgress: progress.update });
  } catch (error) {
    throw asIoError(error, `${dataDir} cannot be read`);
  } finally {
    progress.end();
  }
}

async function steadyLook(dataDir: string, context: HubCommandContext): Promise<Inspection> {
  let found = await look(dataDir, context);
  for (let looks = 1; looks < LOOKS && found.faults.length > 0; looks++) {
    if ((await findLocalHub(dataDir)).kind !== 'running') break;
    found = await look(dataDir, context);
  }
  return found;
}

function tornText({ examined, files }: Inspection): string {
  if (examined.state.kind !== 'torn') return '';
  const { offset } = examined.state.bad;
  const bytes = examined.fileBytes - offset;
  return `${files.entries} ends with ${count(bytes, 'byte')} at byte ${offset} that were never acknowledged: a write under way, or cut short by a crash. The next start sets them aside.\n`;
}

function asJson(found: Inspection): string {
  const { examined, meta, faults, regions } = found;
  return jsonAnswer('hub_verify', {
    sound: faults.length === 0,
    state: examined.state.kind,
    hub_id: meta.hub_id,
    entries: examined.end.lines,
    bytes: examined.fileBytes,
    sequence: examined.end.sequence,
    gaps: meta.gaps.map(({ first, last }) => ({ first, last })),
    bad_regions: regions.map(({ offset, length, lineNumber, lines, reason, lost }) => ({
      ...{ offset, length, line: lineNumber, lines, reason, lost },
    })),
    faults,
  });
}

function soundText(found: Inspection): string {
  const { examined, meta, files } = found;
  const gaps = meta.gaps.map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`));
  const known = gaps.length === 0 ? '' : ` Sequences lost earlier and on record: ${gaps.join(', ')}.`;
  return `${files.folder}: sound, ${count(examined.end.lines, 'entry', 'entries')} in ${examined.fileBytes} bytes.${known}\n`;
}

/** Only what a repair can mend: it leaves clients.json as it is. */
function repairHint({ regions, files, examined }: Inspection): string {
  const mode = regions.length > 0 ? '--quarantine' : examined.state.kind === 'mismatch' ? '--rebuild-meta' : undefined;
  if (mode === undefined) return '';
  return `\nSee what a repair would do: ctx hub repair ${mode} --dry-run --data-dir ${files.folder}`;
}

async function verify(flags: Flags, context: HubCommandContext): Promise<void> {
  const { io } = context;
  const dataDir = dataDirOf(flags.dataDir, io);
  const found = await steadyLook(dataDir, context);
  const { faults } = found;
  if (flags.json === true) io.stdout(asJson(found));
  else if (faults.length === 0) io.stdout(soundText(found));
  io.stderr(tornText(found));
  if (faults.length === 0) return;
  throw new HubError('bad_data', `${faults.join('\nctx: ')}${repairHint(found)}`);
}

export function addVerifyCommand(hub: Command, context: HubCommandContext): void {
  hub
    .command('verify')
    .description('read everything the hub has stored and say whether it is sound; changes nothing')
    .option(...DATA_DIR_FLAG)
    .option('--json', 'print one JSON line')
    .addHelpText('after', '\nExit codes: 0 sound, 65 damaged, 74 cannot be read.\n')
    .addHelpText('after', '\nExample:\n  $ ctx hub verify --data-dir /srv/ctx\n')
    .action((flags: Flags) => verify(flags, context));
}
