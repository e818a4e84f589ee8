/** Joins a node's Raft log to how far it was applied, and refuses a node that lost what it promised. */
import type { HubError } from '../../../core/errors';
import { EMPTY_CONFIGURATION } from '../../raft/configuration';
import type { Entry } from '../../raft/entry';
import { RaftLog, type OpenedRaftLog } from '../../raft-log/raft-log';
import { cutToWatermark, lastBehindWatermark } from '../../store/cut-to-watermark';
import { dataFiles } from '../../store/data-directory';
import type { Disk } from '../../store/disk';
import { readMeta } from '../../store/meta';
import { openStore } from '../../store/open-store';
import type { Store } from '../../store/store';
import { parseMark, type ClusterState, type RaftMark } from './cluster';
import { decodeBatch } from './command-batch';
import { lostLog, lostPromise } from './lost-node';
import { raftLogFolder } from './node-file';

/** Of a node that joined and has not got its first snapshot yet. */
const NO_STATE: ClusterState = { term: 0, index: 0, configuration: EMPTY_CONFIGURATION, members: [], nextId: 1 };

export interface DataOptions {
  readonly disk: Disk;
  readonly folder: string;
  readonly warn: (message: string) => void;
  readonly onProgress?: ((doneBytes: number, allBytes: number) => void) | undefined;
}

export interface OpenedData {
  readonly store: Store;
  readonly raft: OpenedRaftLog;
  readonly state: ClusterState;
}

const endOf = ({ recovered }: OpenedRaftLog): number => recovered.entries.at(-1)?.index ?? recovered.base.index;

const publishes = (entry: Entry, id: string): boolean =>
  entry.kind === 'data' &&
  decodeBatch(entry.data).commands.some(
    (command) => command.kind === 'publish' && command.entries.some((each) => each.id === id),
  );

/**
 * Opens log and state of a node that has joined, as its Raft log has them. One that lost part of that is refused before
 * anything is changed, so that it is refused at the next start as well.
 * @throws HubError `bad_data`
 */
export async function openData(options: DataOptions): Promise<OpenedData> {
  const { disk, folder, warn } = options;
  const meta = await readMeta(disk, dataFiles(folder));
  if (meta.kind !== 'meta') throw lostPromise(`${dataFiles(folder).meta} is missing`);
  const mark = parseMark(meta.meta.raft);
  const raft = await RaftLog.open({ disk, folder: raftLogFolder(folder), warn, gone: goneLog(folder, mark) });
  try {
    if (mark !== undefined && mark.snapshot !== 'begun') {
      requireMark(folder, raft, mark);
      await requireLines(disk, folder, raft, mark.index);
    }
    // Before its first snapshot a node's Raft log begins at its start.
    if (mark === undefined && raft.recovered.base.index > 0) {
      throw lostPromise(`${dataFiles(folder).meta} does not say how far ${raftLogFolder(folder)} was applied`);
    }
    await cutToWatermark(disk, folder);
    const store = await openStore({ ...options, now: Date.now, refuseClientEdits: true });
    try {
      if (mark === undefined) return { store, raft, state: NO_STATE };
      const { snapshot, clients, ...state } = mark;
      requireVersion(store, clients);
      if (snapshot !== 'begun') requireClients(folder, raft, mark, store);
      return { store, raft: await withSnapshot(raft, mark), state };
    } catch (error) {
      await store.close();
      throw error;
    }
  } catch (error) {
    await raft.log.close();
    throw error;
  }
}

/** The snapshot is whole; only the Raft log did not hear of it any more. */
const isBehindSnapshot = (raft: OpenedRaftLog, mark: RaftMark): boolean =>
  mark.snapshot === 'installed' && endOf(raft) < mark.index;

/** A log that was applied here must be there. */
function goneLog(folder: string, mark: RaftMark | undefined): (() => HubError) | undefined {
  if (mark === undefined) return undefined;
  return () =>
    lostPromise(`The Raft log in ${raftLogFolder(folder)} is gone, but entry ${mark.index} of it was applied here`);
}

function requireMark(folder: string, raft: OpenedRaftLog, mark: RaftMark): void {
  const end = endOf(raft);
  if (end >= mark.index || isBehindSnapshot(raft, mark)) return;
  throw lostLog(folder, end, `${mark.index} was applied here`);
}

/** A power cut takes lines that were not synced and no Raft entry; where a line is left, so is its entry. */
async function requireLines(disk: Disk, folder: string, raft: OpenedRaftLog, from: number): Promise<void> {
  const last = await lastBehindWatermark(disk, folder);
  if (last === undefined) return;
  if (raft.recovered.entries.some((entry) => entry.index > from && publishes(entry, last.id))) return;
  throw lostLog(folder, endOf(raft), `it lacks "${last.id}", which was applied here`);
}

/** Clients are durable before the watermark is; a version without this wrote none. */
function requireVersion(store: Store, applied = 0): void {
  const { version } = store.initialClients;
  if (version >= applied) return;
  throw lostPromise(`${store.files.clients} is of version ${version}, but ${applied} was applied here`);
}

/** They are never ahead of the Raft log either. */
function requireClients(folder: string, raft: OpenedRaftLog, mark: RaftMark, store: Store): void {
  const { appliedIndex = 0 } = store.initialClients;
  if (appliedIndex <= Math.max(endOf(raft), mark.index)) return;
  throw lostLog(folder, endOf(raft), `clients.json was written at ${appliedIndex}`);
}

async function withSnapshot(raft: OpenedRaftLog, mark: RaftMark): Promise<OpenedRaftLog> {
  if (!isBehindSnapshot(raft, mark)) return raft;
  const { log, recovered } = raft;
  const base = { term: mark.term, index: mark.index };
  const hardState = { ...recovered.hardState, commit: base.index };
  await log.write({ hardState, restore: base, entries: [], sync: true });
  return { log, recovered: { hardState, base, entries: [] } };
}
