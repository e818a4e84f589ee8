/** Looks at a data directory without changing it: what `ctx hub verify` reports, and what `backup` and `repair` start from. */
import type { Cursor } from '../../core/cursor';
import { HubError } from '../../core/errors';
import { emptyLogDigest } from '../../core/line';
import { checkClients } from './clients-file';
import { dataFiles, readHubId, type DataFiles } from './data-directory';
import type { Disk } from './disk';
import { examineLog, type Examined } from './examine-log';
import { readMeta, type Meta } from './meta';
import { sha256 } from './sha256';
import { surveyLog, type BadRegion } from './survey-log';

export interface Inspection {
  readonly files: DataFiles;
  readonly meta: Meta;
  readonly examined: Examined;
  /** Empty for a sound log; for a torn one, its tail. */
  readonly regions: readonly BadRegion[];
  /** What is wrong, in words; empty = all is sound. A torn tail is no fault. */
  readonly faults: readonly string[];
}

export interface InspectOptions {
  readonly disk: Disk;
  readonly folder: string;
  readonly onProgress?: ((doneBytes: number, allBytes: number) => void) | undefined;
}

export function emptyLog(hubId: string): Cursor {
  return { sequence: 0, digest: emptyLogDigest(hubId, sha256) };
}

/** @throws HubError when there is no hub's data in the folder, or not of this format */
export async function requireMeta(disk: Disk, files: DataFiles): Promise<Meta> {
  if ((await disk.facts(files.folder))?.kind !== 'folder') {
    throw new HubError('usage', `There is no data directory ${files.folder}. Name another with --data-dir.`);
  }
  const found = await readMeta(disk, files);
  if (found.kind === 'meta') return found.meta;
  if (found.kind === 'original') {
    const what = `${files.folder} was written by the original hub`;
    throw new HubError('bad_data', `${what}. Start a hub on it once (ctx hub start); that upgrades it.`);
  }
  const used = (await disk.facts(files.entries)) !== undefined;
  if (!used) throw new HubError('usage', `${files.folder} holds no hub's data. Name another with --data-dir.`);
  throw new HubError(
    'bad_data',
    `${files.meta} is missing. Copy it back from a backup, or run: ctx hub repair --rebuild-meta --data-dir ${files.folder}`,
  );
}

async function clientsFault(disk: Disk, files: DataFiles): Promise<readonly string[]> {
  try {
    await checkClients(disk, files);
    return [];
  } catch (error) {
    if (error instanceof HubError) return [error.message];
    throw error;
  }
}

function regionText(files: DataFiles, region: BadRegion): string {
  const { lineNumber, offset, length, lines, reason, lost } = region;
  const what = length === 0 ? 'lines are missing' : `${lines} bad ${lines === 1 ? 'line' : 'lines'} (${length} bytes)`;
  const gone =
    lost === undefined
      ? 'no sequence is lost'
      : lost.first === lost.last
        ? `sequence ${lost.first} is lost`
        : `sequences ${lost.first} to ${lost.last} are lost`;
  return `${files.entries}: line ${lineNumber} at byte ${offset}: ${reason}; ${what}, ${gone}`;
}

function identityFaults(files: DataFiles, meta: Meta, hubId: string | undefined): readonly string[] {
  if (hubId === meta.hub_id) return [];
  const mend = `Copy it back from a backup, or run: ctx hub repair --rebuild-meta --data-dir ${files.folder}`;
  if (hubId === undefined) return [`${files.hubId} is missing. ${mend}`];
  return [`${files.meta} is of another hub: it says ${meta.hub_id}, hub.id says ${hubId}. ${mend}`];
}

export async function inspect(options: InspectOptions): Promise<Inspection> {
  const { disk, onProgress } = options;
  const files = dataFiles(options.folder);
  const meta = await requireMeta(disk, files);
  const faults = [...identityFaults(files, meta, await readHubId(disk, files)), ...(await clientsFault(disk, files))];
  if ((await disk.facts(files.entries)) === undefined) {
    throw new HubError('bad_data', `${files.entries} is missing. Copy it back from a backup.`);
  }
  const { watermark, closed, gaps, hub_id } = meta;
  const empty = emptyLog(hub_id);
  const file = await disk.open(files.entries, 'read');
  try {
    const from = { ...empty, length: 0, lines: 0 };
    const examined = await examineLog({ file, from, watermark, closed, gaps, onLines: () => undefined, onProgress });
    const { state } = examined;
    if (state.kind === 'sound') return { files, meta, examined, regions: [], faults };
    const { regions } = await surveyLog({ file, empty, gaps, watermark, onProgress });
    if (state.kind === 'mismatch') faults.push(`${files.folder}: ${state.reason}`);
    if (state.kind === 'damaged') faults.push(...regions.map((region) => regionText(files, region)));
    return { files, meta, examined, regions, faults };
  } finally {
    await file.close();
  }
}
