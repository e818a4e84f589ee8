/**
 * Upgrades a data directory of the original `ctx` hub in place. First everything is copied to `backup-before-upgrade/`,
 * then each file is replaced, meta.json last: an upgrade that was interrupted starts again from the copy.
 */
import path from 'node:path';
import { HubError } from '../../core/errors';
import { emptyLogDigest } from '../../core/line';
import { parseToken } from '../../core/token';
import { NO_CLIENTS } from '../state/client-table';
import { decodeClients, encodeClients } from './clients-file';
import { readHubId, writeHubId, type DataFiles } from './data-directory';
import type { Disk } from './disk';
import { DATA_FORMAT, writeMeta, type Gap, type Watermark } from './meta';
import { convertOriginalLog } from './original-log';
import { readOriginalMeta } from './original-meta';
import { sha256 } from './sha256';
import { readWhole, removeIfThere, replaceWhole, writeNew } from './whole-file';

export interface UpgradeOptions {
  readonly disk: Disk;
  readonly files: DataFiles;
  readonly now: Date;
  readonly warn: (message: string) => void;
}

const BACKUP = 'backup-before-upgrade';
const COPIED = ['entries.jsonl', 'clients.json', 'admin.token', 'meta.json'];

/** A copy that an upgrade before this one made, when it was interrupted: meta.json, replaced last, is still the same. */
async function unfinishedBackup(disk: Disk, files: DataFiles, backups: readonly string[]): Promise<string | undefined> {
  const meta = Buffer.from((await readWhole(disk, files.meta)) ?? []);
  for (const backup of backups) {
    const copied = await readWhole(disk, path.join(backup, 'meta.json'));
    if (copied !== undefined && meta.equals(copied)) return backup;
  }
  return undefined;
}

/** @returns the folder of the copy, complete and durable */
async function backUp(disk: Disk, files: DataFiles): Promise<string> {
  const names = (await disk.list(files.folder)).filter((name) => /^backup-before-upgrade(-\d+)?$/.test(name));
  const backups = names.map((name) => path.join(files.folder, name));
  const unfinished = await unfinishedBackup(disk, files, backups);
  if (unfinished !== undefined) return unfinished;
  const backup = path.join(files.folder, backups.length === 0 ? BACKUP : `${BACKUP}-${backups.length + 1}`);
  const copying = `${backup}.new`;
  if ((await disk.facts(copying)) === undefined) await disk.makeFolder(copying);
  for (const name of COPIED) {
    const copy = path.join(copying, name);
    await removeIfThere(disk, copy);
    const bytes = await readWhole(disk, path.join(files.folder, name));
    if (bytes !== undefined) await writeNew(disk, copy, bytes);
  }
  await disk.syncFolder(copying);
  await disk.rename(copying, backup);
  await disk.syncFolder(files.folder);
  return backup;
}

/** The counter is ahead of the log when the original crashed between its two writes: those sequences were given away. */
function gapsUpTo(counter: number, lost: readonly Gap[], last: number, now: Date): readonly Gap[] {
  if (counter <= last) return lost;
  return [...lost, { first: last + 1, last: counter, recorded_at: now.toISOString() }];
}

/** One that is not of our form goes, so that the start makes a new one; the old is in the copy. @returns whether it went */
async function dropOldAdminToken(disk: Disk, files: DataFiles): Promise<boolean> {
  const bytes = await readWhole(disk, files.adminToken);
  if (bytes === undefined || parseToken(Buffer.from(bytes).toString('utf8').trim()) !== undefined) return false;
  await disk.remove(files.adminToken);
  return true;
}

export async function upgradeOriginal(options: UpgradeOptions): Promise<void> {
  const { disk, files, now, warn } = options;
  const backup = await backUp(disk, files);
  const from = (name: string): Promise<Uint8Array | undefined> => readWhole(disk, path.join(backup, name));
  const meta = readOriginalMeta((await from('meta.json')) ?? new Uint8Array(0));
  if (meta === undefined) throw new HubError('bad_data', `${backup} is damaged. Move it away and start again.`);
  const hubId = (await readHubId(disk, files)) ?? (await writeHubId(disk, files));
  const empty = { sequence: 0, digest: emptyLogDigest(hubId, sha256) };
  const log = convertOriginalLog((await from('entries.jsonl')) ?? new Uint8Array(0), {
    file: path.join(backup, 'entries.jsonl'),
    empty,
    now,
  });
  await replaceWhole(disk, files.entries, log.bytes);
  const clients = await from('clients.json');
  const table = clients === undefined ? NO_CLIENTS : decodeClients(files.clients, clients, now.toISOString()).table;
  await replaceWhole(disk, files.clients, encodeClients(table));
  const newAdmin = (await dropOldAdminToken(disk, files)) ? ' A new admin token takes the place of the old one.' : '';
  const watermark: Watermark = { ...log.end, length: log.bytes.length };
  await writeMeta(disk, files, {
    format: DATA_FORMAT,
    hub_id: hubId,
    created_at: meta.createdAt ?? now.toISOString(),
    closed: true,
    watermark,
    gaps: [...gapsUpTo(meta.sequenceCounter, log.gaps, log.end.sequence, now)],
  });
  warn(
    `${files.folder} was of the original hub and is upgraded: ${log.lines} entries, ${table.records.length} clients. ` +
      `The old files are in ${backup}.${newAdmin}${log.warning === undefined ? '' : ` ${log.warning}`}`,
  );
}
