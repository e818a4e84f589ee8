/** `ctx hub backup <dir>`: a verified copy of the hub's data, while it runs or not. Restore is copying it back. */
import fs from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import * as z from 'zod';
import { HubError } from '../../core/errors';
import { showProgress, type Progress } from '../../core/node/progress';
import { dataDirOf } from '../config';
import { askLocalHub, findLocalHub } from '../../core/node/local-hub/local-control';
import { backUpData, type BackupReport } from '../store/backup';
import { inspect } from '../store/inspect';
import type { Watermark } from '../store/meta';
import { nodeDisk } from '../store/node-disk';
import { DATA_DIR_FLAG, jsonAnswer, type HubCommandContext } from './context';
import { asIoError, count, requireDataDirectory, withLock } from './offline';

interface Flags {
  readonly dataDir?: string;
  readonly json?: boolean;
}

const pointSchema = z.object({ sequence: z.int().min(0), length: z.int().min(0), digest: z.string() });

/** Of a stopped hub: up to the last good line, which after a crash may lie before the end of the file. */
async function stoppedPoint(dataDir: string, progress: Progress): Promise<Watermark> {
  const { examined, faults } = await inspect({ disk: nodeDisk, folder: dataDir, onProgress: progress.update });
  if (faults.length > 0) throw new HubError('bad_data', `${faults.join('\nctx: ')}\nNo backup was made.`);
  const { sequence, digest, length } = examined.end;
  return { sequence, digest, length };
}

async function backUp(dataDir: string, target: string, progress: Progress): Promise<BackupReport> {
  const copy = (point: Watermark): Promise<BackupReport> =>
    backUpData({ disk: nodeDisk, folder: dataDir, target, point, onProgress: progress.update });
  if ((await findLocalHub(dataDir)).kind === 'running') {
    return copy(pointSchema.parse(await askLocalHub(dataDir, 'backup_point')));
  }
  return withLock(dataDir, async () => copy(await stoppedPoint(dataDir, progress)));
}

/** A copy in the folder that it is a copy of is lost with it, and may be in the way of the next start. */
function refuseInside(dataDir: string, target: string): void {
  let parent = path.dirname(target);
  try {
    parent = fs.realpathSync(parent);
  } catch {
    return; // Not there: making the target says so.
  }
  const way = path.relative(dataDir, path.join(parent, path.basename(target)));
  if (way !== '' && (way === '..' || way.startsWith(`..${path.sep}`) || path.isAbsolute(way))) return;
  throw new HubError(
    'usage',
    `${target} lies in the data directory itself. Name a folder elsewhere, best on another disk.`,
  );
}

async function run(to: string, flags: Flags, context: HubCommandContext): Promise<void> {
  const { io } = context;
  const dataDir = dataDirOf(flags.dataDir, io);
  if (to === '') throw new HubError('usage', 'The folder for the backup must not be empty.');
  const target = path.resolve(io.cwd, to);
  requireDataDirectory(dataDir);
  refuseInside(dataDir, target);
  const progress = showProgress(io, 'Copying');
  let report: BackupReport;
  try {
    report = await backUp(dataDir, target, progress);
  } catch (error) {
    throw asIoError(error, `The backup to ${target} failed`);
  } finally {
    progress.end();
  }
  const { entries, bytes, sequence } = report;
  if (flags.json === true) {
    io.stdout(jsonAnswer('hub_backup', { folder: target, entries, bytes, sequence }));
    return;
  }
  io.stdout(
    `Backed up ${count(entries, 'entry', 'entries')} (${bytes} bytes, up to sequence ${sequence}) to ${target}\n`,
  );
  io.stderr(
    `To restore: stop the hub, put a copy of this folder in the place of ${dataDir} (cp -a), start the hub. The admin token is not part of it: the start makes a new one.\n`,
  );
}

export function addBackupCommand(hub: Command, context: HubCommandContext): void {
  hub
    .command('backup')
    .description("copy the hub's data to a new folder, also while it runs; the copy is verified")
    .argument('<dir>', 'folder to make')
    .option(...DATA_DIR_FLAG)
    .option('--json', 'print one JSON line')
    .addHelpText('after', '\nExample:\n  $ ctx hub backup /mnt/backup/ctx-hub\n')
    .action((to: string, flags: Flags) => run(to, flags, context));
}
