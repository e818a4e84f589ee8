/** The hub's data directory (PROTOCOL.md, section "Data directory"): names, who may look into it, and the hub's id. */
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { HubError } from '../../core/errors';
import { isOpenToOthers, PRIVATE_DIR_MODE, PRIVATE_FILE_MODE } from '../../core/node/platform';
import { errnoOf } from '../../core/node/file-errors';
import type { Disk } from './disk';
import { isOriginalMeta } from './original-meta';
import { readWhole, replaceWhole } from './whole-file';

export interface DataFiles {
  readonly folder: string;
  readonly hubId: string;
  readonly entries: string;
  readonly index: string;
  readonly meta: string;
  readonly clients: string;
  /** What the hub itself last wrote to `clients.json`: tells an edit by hand, and what it changed. */
  readonly knownClients: string;
  readonly quarantine: string;
  readonly adminToken: string;
}

export function dataFiles(folder: string): DataFiles {
  const at = (name: string): string => path.join(folder, name);
  return {
    folder,
    hubId: at('hub.id'),
    entries: at('entries.jsonl'),
    index: at('entries.index'),
    meta: at('meta.json'),
    clients: at('clients.json'),
    knownClients: at('clients.known.json'),
    quarantine: at('entries.jsonl.quarantine'),
    adminToken: at('admin.token'),
  };
}

const PRIVATE_NAMES = /^(hub\.|admin\.token|clients|meta|entries|audit|tls\.)/;

function currentUser(): number | undefined {
  return process.getuid?.();
}

async function checkPrivate(disk: Disk, file: string, kind: 'file' | 'folder'): Promise<void> {
  const facts = await disk.facts(file);
  if (facts === undefined) return;
  if (facts.kind !== kind) {
    throw new HubError('config', `${file} is not a plain ${kind}. Remove it, or choose another --data-dir.`);
  }
  const user = currentUser();
  if (user !== undefined && facts.uid !== user) {
    throw new HubError('config', `${file} belongs to another user (uid ${facts.uid}). Run the hub as that user.`);
  }
  if (isOpenToOthers(facts.mode)) {
    const want = kind === 'folder' ? '700' : '600';
    const have = facts.mode.toString(8);
    throw new HubError('config', `${file} has mode ${have}, open to other users. Run: chmod ${want} ${file}`);
  }
}

async function makeFolders(disk: Disk, folder: string): Promise<void> {
  if ((await disk.facts(folder)) !== undefined) return;
  const parent = path.dirname(folder);
  if (parent !== folder) await makeFolders(disk, parent);
  try {
    await disk.makeFolder(folder);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  await disk.syncFolder(parent);
}

/** The original hub left its files readable for others; the upgrade closes them instead of refusing to start. */
async function protectOriginal(disk: Disk, files: DataFiles, names: readonly string[]): Promise<void> {
  if ((await disk.facts(files.meta))?.kind !== 'file') return; // What else it is, is refused below.
  const meta = await readWhole(disk, files.meta);
  if (meta === undefined || !isOriginalMeta(meta)) return;
  await disk.protect(files.folder, PRIVATE_DIR_MODE);
  for (const name of names) {
    if (PRIVATE_NAMES.test(name)) await disk.protect(path.join(files.folder, name), PRIVATE_FILE_MODE);
  }
}

/**
 * Makes the folder when it is not there, and refuses one that other users can look into.
 * @throws HubError `config` for a foreign owner or loose modes, `cannot_create` when it cannot be made
 */
export async function prepareDataDirectory(disk: Disk, folder: string): Promise<DataFiles> {
  const files = dataFiles(folder);
  try {
    await makeFolders(disk, folder);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new HubError('cannot_create', `The data directory ${folder} cannot be made: ${why}`, { cause: error });
  }
  if ((await disk.facts(folder))?.kind !== 'folder') {
    throw new HubError('cannot_create', `${folder} is not a folder. Choose another --data-dir.`);
  }
  const names = await disk.list(folder);
  await protectOriginal(disk, files, names);
  await checkPrivate(disk, folder, 'folder');
  for (const name of names) {
    if (PRIVATE_NAMES.test(name)) await checkPrivate(disk, path.join(folder, name), 'file');
  }
  return files;
}

/** Whether a hub left more in it than it begins with. */
export async function holdsAnything(disk: Disk, files: DataFiles): Promise<boolean> {
  const others = [files.clients, files.knownClients, files.index, files.quarantine];
  const left = await Promise.all(others.map((file) => disk.facts(file)));
  return left.some((facts) => facts !== undefined) || ((await disk.facts(files.entries))?.size ?? 0) > 0;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** @returns undefined when the folder has no `hub.id` */
export async function readHubId(disk: Disk, files: DataFiles): Promise<string | undefined> {
  const bytes = await readWhole(disk, files.hubId);
  if (bytes === undefined) return undefined;
  const text = Buffer.from(bytes).toString('utf8').trim();
  if (UUID.test(text)) return text;
  throw new HubError(
    'bad_data',
    `${files.hubId} does not hold a hub id (a UUID in lower case). Copy it back from a backup, or remove it and run: ` +
      `ctx hub repair --rebuild-meta --data-dir ${files.folder}`,
  );
}

export async function writeHubId(disk: Disk, files: DataFiles, hubId: string = randomUUID()): Promise<string> {
  await replaceWhole(disk, files.hubId, Buffer.from(`${hubId}\n`));
  return hubId;
}
