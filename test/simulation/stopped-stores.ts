/** Cleanly stopped stores as files in memory, and what may be done with a changed copy: start, verify, repair. */
import assert from 'node:assert/strict';
import { HubError } from '../../core/errors';
import { openFileEngine } from '../../hub/engine/file';
import type { OpenedEngine } from '../../hub/engine/log-engine';
import { dataFiles } from '../../hub/store/data-directory';
import { inspect } from '../../hub/store/inspect';
import { applyRepair, planRepair } from '../../hub/store/repair';
import { entry, publish, record } from '../support/entries';
import { seeded, SimulatedDisk } from '../support/simulated-disk';

export const FOLDER = '/srv/data';
export const FILES = dataFiles(FOLDER);
const NOW = 1_769_850_000_000;

export type Files = ReadonlyMap<string, Uint8Array>;

export const NO_BYTES = new Uint8Array(0);
export const textOf = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? NO_BYTES).toString('utf8');
export const linesOf = (files: Files): string[] => textOf(files.get(FILES.entries)).split('\n').slice(0, -1);

export function diskWith(files: Files): SimulatedDisk {
  const disk = new SimulatedDisk(undefined, seeded(1));
  disk.poke('/srv', 'folder');
  if (files.size > 0) disk.poke(FOLDER, 'folder');
  for (const [name, bytes] of files) disk.poke(name, bytes);
  return disk;
}

const filesOf = (disk: SimulatedDisk): Files => new Map(disk.files.map((name) => [name, disk.peek(name) ?? NO_BYTES]));

/** @param believeCheckpoint start from `entries.index`, however short the log is */
export function openOn(disk: SimulatedDisk, warnings: string[] = [], believeCheckpoint = false): Promise<OpenedEngine> {
  return openFileEngine({
    folder: FOLDER,
    disk,
    now: () => NOW,
    warn: (message) => warnings.push(message),
    later: () => () => undefined,
    ...(believeCheckpoint ? { fullVerifyBytes: 0 } : {}),
  });
}

/** As a kill leaves it: every entry a batch of its own, none of them below the watermark. */
export async function killedStore(entries: number): Promise<Files> {
  const disk = diskWith(new Map());
  const { engine } = await openOn(disk);
  for (let i = 0; i < entries; i++) await engine.propose(publish(entry(`e-${i}`)));
  return filesOf(disk);
}

/** Of single entries and batches, with all that a line may hold. */
export async function stoppedStore(entries: number): Promise<Files> {
  const disk = diskWith(new Map());
  const { engine } = await openOn(disk);
  await engine.propose({ kind: 'register', record: record('1') });
  for (let i = 0; i < entries;) {
    const batch = Array.from({ length: Math.min(1 + (i % 3), entries - i) }, (_, n) => i + n).map((at) =>
      entry(`e-${at}`, {
        content: `Title of ${at}\n\nQuotes " \\ \u{1F600} ${'word '.repeat(at % 9)}end`,
        ...(at % 4 === 1 ? { meta: { tool: 'ctx', host: 'here' } } : {}),
        ...(at % 5 === 3 ? { supersedes: `e-${at - 1}` } : {}),
      }),
    );
    await engine.propose(publish(...batch));
    i += batch.length;
  }
  await engine.close();
  return filesOf(disk);
}

export async function quarantine(disk: SimulatedDisk): Promise<void> {
  const modes = { quarantine: true, acceptGap: false, rebuildMeta: false };
  const options = { ...modes, disk, files: FILES, now: new Date(NOW) };
  await applyRepair(options, await planRepair(options));
}

/** One with a gap on record, whose next line nothing before it can prove. */
export async function repairedStore(): Promise<Files> {
  const files = await stoppedStore(9);
  const damaged = Buffer.from(`${linesOf(files).with(3, 'garbage').join('\n')}\n`);
  const disk = diskWith(new Map([...files, [FILES.entries, damaged]]));
  await quarantine(disk);
  await (await openOn(disk)).engine.close();
  return filesOf(disk);
}

/** @returns the refusal; undefined = it started */
export async function refusal(disk: SimulatedDisk): Promise<HubError | undefined> {
  try {
    await (await openOn(disk)).engine.close();
    return undefined;
  } catch (error) {
    if (error instanceof HubError) return error;
    throw error;
  }
}

/** About so many lines are read at once. */
const STEP = 5;

/** Reads all that is served, while the rest is verified behind, and once more after that. */
export async function serveOnlyGood(opened: OpenedEngine, good: ReadonlySet<string>, where: string): Promise<void> {
  for (let round = 0; round < 2; round++) {
    let refusals = 0;
    for (let after = 0; after < opened.reader.head().sequence; after += STEP) {
      const lines = await opened.reader.readAfter(after, STEP * 400).catch((error: unknown) => {
        assert.ok(error instanceof HubError && error.code === 'store_failed', `${where}: ${String(error)}`);
        refusals++;
        return [];
      });
      for (const { bytes } of lines) assert.ok(good.has(textOf(bytes)), `${where}: a changed line was served`);
    }
    if (refusals > 0) assert.ok(opened.problems().length > 0, `${where}: a refused range is a problem that is told`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await opened.engine.close();
  assert.ok(opened.problems().length > 0, `${where}: nothing was found`);
}

interface StoredMeta {
  readonly gaps: readonly { first: number; last: number; next_sha256?: string }[];
}

/** Repairs a damaged copy; then it starts, nothing is dropped, and each sequence is there or on record as lost. */
export async function checkRepair(files: Files, damaged: Uint8Array, where: string): Promise<void> {
  const disk = diskWith(new Map([...files, [FILES.entries, damaged]]));
  await quarantine(disk);
  const opened = await openOn(disk);
  const lines = await opened.reader.readAfter(0, Infinity);
  const { gaps } = JSON.parse(textOf(disk.peek(FILES.meta))) as StoredMeta;
  const lost = gaps.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
  const original = linesOf(files);
  assert.deepEqual(
    [...lines.map(({ sequence }) => sequence), ...lost].sort((a, b) => a - b),
    original.map((_, i) => i + 1),
    `${where}: each sequence is there or on record as lost`,
  );
  const kept = disk.peek(FILES.entries)?.length ?? 0;
  assert.equal(
    kept + movedBytes(disk.peek(FILES.quarantine), damaged),
    damaged.length,
    `${where}: no byte was dropped`,
  );
  const good = new Set(original);
  for (const { sequence, bytes } of lines) {
    const unproven = gaps.some(({ last, next_sha256 }) => last === sequence - 1 && next_sha256 !== undefined);
    assert.ok(unproven || good.has(textOf(bytes)), `${where}: line ${sequence} is not as it was`);
  }
  await opened.engine.close();
  assert.deepEqual((await inspect({ disk, folder: FOLDER })).faults, [], where);
}

/** How many bytes the quarantine file holds, each just as it was at the place that its header says. */
function movedBytes(quarantined: Uint8Array | undefined, damaged: Uint8Array): number {
  let sum = 0;
  for (let at = 0; quarantined !== undefined && at < quarantined.length;) {
    const headerEnd = quarantined.indexOf(0x0a, at) + 1;
    const header = JSON.parse(textOf(quarantined.subarray(at, headerEnd))) as { offset: number; length: number };
    const { offset, length } = header;
    const moved = quarantined.subarray(headerEnd, headerEnd + length);
    assert.ok(Buffer.from(moved).equals(damaged.subarray(offset, offset + length)), `moved from byte ${offset}`);
    at = headerEnd + length + 1;
    sum += length;
  }
  return sum;
}
