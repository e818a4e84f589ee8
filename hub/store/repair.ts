/**
 * Repairs a data directory that no hub has open: moves bad regions out of the log, accepts what is missing, or makes
 * meta.json anew. Plans first, so that a dry run says exactly what a repair would do; loses no byte and hides no gap.
 */
import { HubError } from '../../core/errors';
import { dropCheckpoint } from './checkpoint';
import { readHubId, writeHubId, type DataFiles } from './data-directory';
import type { Disk, DiskFile } from './disk';
import { emptyLog } from './inspect';
import { DATA_FORMAT, readMeta, writeMeta, type Gap, type Meta } from './meta';
import { surveyLog, type BadRegion, type Survey } from './survey-log';
import { copyRange, removeIfThere, writeFully } from './whole-file';

export interface RepairModes {
  readonly quarantine: boolean;
  readonly acceptGap: boolean;
  readonly rebuildMeta: boolean;
}

export interface RepairOptions extends RepairModes {
  readonly disk: Disk;
  readonly files: DataFiles;
  readonly now: Date;
  readonly onProgress?: ((doneBytes: number, allBytes: number) => void) | undefined;
}

export interface RepairPlan {
  readonly hubId: string;
  /** Whether hub.id has to be written from what meta.json says. */
  readonly restoresHubId: boolean;
  /** What is moved to entries.jsonl.quarantine. */
  readonly moved: readonly BadRegion[];
  /** New gaps. */
  readonly gaps: readonly Gap[];
  readonly meta: Meta;
  /** Whether meta.json differs from what is there. */
  readonly changesMeta: boolean;
  readonly survey: Survey;
}

async function oldMeta(options: RepairOptions): Promise<Meta | undefined> {
  const { disk, files, rebuildMeta } = options;
  try {
    const found = await readMeta(disk, files);
    if (found.kind === 'meta') return found.meta;
    if (found.kind === 'original') {
      throw new HubError(
        'unsupported_version',
        `${files.folder} is of the original hub. Start a hub on it: that upgrades it.`,
      );
    }
  } catch (error) {
    if (!(error instanceof HubError) || error.code !== 'bad_data' || !rebuildMeta) throw error;
    return undefined; // Unreadable: it is made anew.
  }
  if (rebuildMeta) return undefined;
  throw new HubError(
    'bad_data',
    `${files.meta} is missing. Run: ctx hub repair --rebuild-meta --data-dir ${files.folder}`,
  );
}

function gapOf(region: BadRegion, now: Date): Gap | undefined {
  if (region.lost === undefined) return undefined;
  const gap = { ...region.lost, recorded_at: now.toISOString() };
  return region.nextSha256 === undefined ? gap : { ...gap, next_sha256: region.nextSha256 };
}

/**
 * A tail above the watermark was never acknowledged: the next start saves and cuts it, no repair is needed. After a clean
 * stop there is no such tail.
 */
function isTorn(region: BadRegion, meta: Meta | undefined): boolean {
  const mayTear = meta === undefined || (!meta.closed && region.offset >= meta.watermark.length);
  return region.atEnd && region.lost === undefined && mayTear;
}

function refuse(files: DataFiles, region: BadRegion, hint: string): never {
  const { lineNumber, offset, reason } = region;
  throw new HubError('bad_data', `${files.entries}: line ${lineNumber} at byte ${offset}: ${reason}. ${hint}`);
}

function checkAllowed(options: RepairOptions, regions: readonly BadRegion[]): void {
  const { files, quarantine, acceptGap } = options;
  for (const region of regions) {
    if (region.length > 0 && !quarantine) refuse(files, region, 'Move it out of the way with --quarantine.');
    if (region.lost !== undefined && !quarantine && !acceptGap) {
      refuse(files, region, 'Accept that entries are missing with --accept-gap.');
    }
  }
}

/** Acknowledged entries that are missing at the end of the log. */
function endGap(survey: Survey, meta: Meta | undefined, regions: readonly BadRegion[], now: Date): readonly Gap[] {
  const last = meta?.watermark.sequence ?? 0;
  const known = meta?.gaps.some((gap) => gap.first === survey.head.sequence + 1) === true;
  if (known || regions.some((region) => region.atEnd) || last <= survey.head.sequence) return [];
  return [{ first: survey.head.sequence + 1, last, recorded_at: now.toISOString() }];
}

export async function planRepair(options: RepairOptions): Promise<RepairPlan> {
  const { disk, files, now } = options;
  const meta = await oldMeta(options);
  const ownId = await readHubId(disk, files);
  const hubId = ownId ?? meta?.hub_id;
  if (hubId === undefined) {
    throw new HubError(
      'bad_data',
      `${files.hubId} is missing and nothing else says it. Copy it back from a backup, or bring the entries into a new ` +
        `hub: ctx hub import ${files.entries} --data-dir <its folder>`,
    );
  }
  // What another hub's meta.json says is not of this log.
  const own = meta?.hub_id === hubId ? meta : undefined;
  if (own === undefined && !options.rebuildMeta) {
    throw new HubError('bad_data', `${files.meta} is of another hub. Copy the right one back, or add --rebuild-meta.`);
  }
  const survey = await surveyOf(options, hubId, own);
  const moved = survey.regions.filter((region) => !isTorn(region, own));
  checkAllowed(options, moved);
  const atEnd = endGap(survey, own, moved, now);
  if (atEnd.length > 0 && !options.acceptGap && !options.rebuildMeta && !options.quarantine) {
    throw new HubError(
      'bad_data',
      `Entries are missing at the end of ${files.entries}. Accept that with --accept-gap.`,
    );
  }
  const gaps = [...moved.flatMap((region) => gapOf(region, now) ?? []), ...atEnd];
  return {
    hubId,
    restoresHubId: ownId === undefined,
    moved,
    gaps,
    survey,
    ...metaAfter(options, own, survey, moved, gaps, hubId),
  };
}

async function surveyOf(options: RepairOptions, hubId: string, meta: Meta | undefined): Promise<Survey> {
  const { disk, files, onProgress } = options;
  if ((await disk.facts(files.entries)) === undefined) {
    if (!options.rebuildMeta)
      throw new HubError('bad_data', `${files.entries} is missing. Copy it back from a backup.`);
    return { regions: [], head: emptyLog(hubId), goodLines: 0, fileBytes: 0 };
  }
  const file = await disk.open(files.entries, 'read');
  try {
    const watermark = meta?.watermark;
    return await surveyLog({ file, empty: emptyLog(hubId), gaps: meta?.gaps ?? [], watermark, onProgress });
  } finally {
    await file.close();
  }
}

/** Gaps that touch become one: between them there is no line. */
function joined(gaps: readonly Gap[]): Gap[] {
  const all: Gap[] = [];
  for (const gap of gaps) {
    const before = all[all.length - 1];
    if (before?.last === gap.first - 1) all[all.length - 1] = { ...gap, first: before.first };
    else all.push(gap);
  }
  return all;
}

function metaAfter(
  options: RepairOptions,
  own: Meta | undefined,
  survey: Survey,
  moved: readonly BadRegion[],
  gaps: readonly Gap[],
  hubId: string,
): Pick<RepairPlan, 'meta' | 'changesMeta'> {
  const tail = survey.regions.find((region) => isTorn(region, own));
  const kept = survey.fileBytes - moved.reduce((sum, region) => sum + region.length, 0) - (tail?.length ?? 0);
  const watermark = { ...survey.head, length: kept };
  const known = own?.gaps ?? [];
  const all = joined([...known, ...gaps].sort((a, b) => a.first - b.first));
  const changesMeta = moved.length > 0 || gaps.length > 0 || options.rebuildMeta;
  const created_at = own?.created_at ?? options.now.toISOString();
  // With a torn tail left for the next start the log does not end at the watermark.
  const meta: Meta = {
    format: DATA_FORMAT,
    hub_id: hubId,
    created_at,
    closed: tail === undefined,
    watermark,
    gaps: all,
  };
  return { meta, changesMeta };
}

function headerOf(region: BadRegion, now: Date): Uint8Array {
  const { offset, length, lineNumber, reason, lost } = region;
  const header = { quarantined_at: now.toISOString(), offset, length, line: lineNumber, reason, lost };
  return Buffer.from(`${JSON.stringify(header)}\n`);
}

/** Appends the regions, each behind a line that says where it was and why it is here. */
async function quarantine(options: RepairOptions, log: DiskFile, regions: readonly BadRegion[]): Promise<void> {
  const { disk, files, now } = options;
  const isThere = (await disk.facts(files.quarantine)) !== undefined;
  const out = await disk.open(files.quarantine, isThere ? 'update' : 'create');
  const before = await out.size();
  try {
    let at = before;
    for (const region of regions) {
      const header = headerOf(region, now);
      await writeFully(out, header, at);
      await copyRange(log, region.offset, region.offset + region.length, out, at + header.length);
      at += header.length + region.length;
      await writeFully(out, Buffer.from('\n'), at++);
    }
    await out.sync();
  } catch (error) {
    await out.truncate(before).catch(() => undefined); // The first error is told; half a copy more does no harm.
    throw error;
  } finally {
    await out.close();
  }
}

async function copyWithout(log: DiskFile, survey: Survey, regions: readonly BadRegion[], out: DiskFile): Promise<void> {
  let from = 0;
  let at = 0;
  for (const region of [...regions, { offset: survey.fileBytes, length: 0 }]) {
    await copyRange(log, from, region.offset, out, at);
    at += region.offset - from;
    from = region.offset + region.length;
  }
  await out.sync();
}

/** The log without the regions, in its place; the regions are durable elsewhere before anything is taken away. */
async function moveOut(options: RepairOptions, plan: RepairPlan): Promise<void> {
  const { disk, files } = options;
  const temporary = `${files.entries}.new`;
  await removeIfThere(disk, temporary);
  const log = await disk.open(files.entries, 'read');
  try {
    const out = await disk.open(temporary, 'create');
    try {
      await copyWithout(log, plan.survey, plan.moved, out);
    } finally {
      await out.close();
    }
    await quarantine(
      options,
      log,
      plan.moved.filter((region) => region.length > 0),
    );
    await disk.syncFolder(files.folder);
  } catch (error) {
    await disk.remove(temporary).catch(() => undefined); // Nothing else has changed yet.
    throw error;
  } finally {
    await log.close();
  }
  await disk.rename(temporary, files.entries);
  await disk.syncFolder(files.folder);
}

/** Does what the plan says. A crash in between leaves a directory that the same repair finishes. */
export async function applyRepair(options: RepairOptions, plan: RepairPlan): Promise<void> {
  const { disk, files } = options;
  await dropCheckpoint(disk, files);
  if (plan.restoresHubId) await writeHubId(disk, files, plan.hubId);
  if ((await disk.facts(files.entries)) === undefined) {
    await (await disk.open(files.entries, 'create')).close();
    await disk.syncFolder(files.folder);
  }
  if (plan.moved.some((region) => region.length > 0)) await moveOut(options, plan);
  if (plan.changesMeta) await writeMeta(disk, files, plan.meta);
}
