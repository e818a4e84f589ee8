/**
 * A node that lost what it promised: it would vote, and count for a majority, without what it said it has (thesis §3.8). And
 * what keeps the tools of a single hub away from a node's data.
 */
import { HubError } from '../../../core/errors';
import type { LostEntriesError } from '../../raft/invariant';
import { dataFiles } from '../../store/data-directory';
import type { Disk } from '../../store/disk';
import { readMeta } from '../../store/meta';
import { parseMark, type RaftMark } from './cluster';
import { raftFolder, raftLogFolder, readNodeFile, writeNodeFile } from './node-file';

const REPLACE = 'Remove it (ctx hub peer remove), empty its data directory, and add it again (ctx hub peer add).';

/** @param how what shows it, in words */
export function lostPromise(how: string): HubError {
  return new HubError('bad_data', `${how}: this node lost what it promised, and must not vote again. ${REPLACE}`);
}

/** The store's own words send to `ctx hub repair`, which would make this node's log another history than the others'. */
export function withoutRepair(error: unknown): unknown {
  if (!(error instanceof HubError) || !error.message.includes('ctx hub repair')) return error;
  const instead = `But this is a node of a cluster, which is not repaired. Where nothing can be copied back: ${REPLACE}`;
  return new HubError(error.code, `${error.message}\n${instead}`, { cause: error });
}

const endsAt = (folder: string, end: number, sign: string): string =>
  `The Raft log in ${raftLogFolder(folder)} ends at entry ${end}, but ${sign}`;

/** What this node promised is not there any more, and how that shows. */
export const lostLog = (folder: string, end: number, sign: string): HubError => lostPromise(endsAt(folder, end, sign));

/** Only the leader knows it, and the next one will not: it is kept, so that every later start is refused. */
export async function keepLost(disk: Disk, folder: string, error: LostEntriesError): Promise<HubError> {
  const { promised, lastIndex } = error;
  const lost = endsAt(folder, lastIndex, `the leader has this node's word for ${promised}`);
  const verdict = lostPromise(lost);
  try {
    const node = await readNodeFile(disk, folder);
    if (node !== undefined) await writeNodeFile(disk, folder, { ...node, lost });
    return verdict;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const unsaid = `This could not be kept (${why}): do not start it again.`;
    return new HubError(verdict.code, `${verdict.message} ${unsaid}`, { cause });
  }
}

/** A version that did not leave out what is said of the Raft log wrote it; only a hub that ran keeps the second file. */
async function isBackup(disk: Disk, folder: string): Promise<boolean> {
  const { clients, knownClients } = dataFiles(folder);
  return (await disk.facts(clients)) !== undefined && (await disk.facts(knownClients)) === undefined;
}

async function markOf(disk: Disk, folder: string): Promise<RaftMark | undefined> {
  try {
    const found = await readMeta(disk, dataFiles(folder));
    return found.kind === 'meta' ? parseMark(found.meta.raft) : undefined;
  } catch (error) {
    if (error instanceof HubError && error.code === 'bad_data') return undefined; // Whoever needs it refuses it by name.
    throw error;
  }
}

/** For a directory without `raft/node.json`. @throws HubError `bad_data` when it was a node's, whose `raft/` is gone */
export async function refuseLostNode(disk: Disk, folder: string): Promise<void> {
  const mark = await markOf(disk, folder);
  if (mark === undefined || (await isBackup(disk, folder))) return;
  const lost = lostPromise(`${raftFolder(folder)} is gone, but entry ${mark.index} of its log was applied here`);
  throw new HubError(
    lost.code,
    `${lost.message} Where no other node is left, make a single hub of its entries: ctx hub backup <dir> --data-dir ${folder}`,
  );
}

/**
 * Keeps away from a node's data what takes it for a single hub's.
 * @param instead what to do with a node, in words
 * @throws HubError `config`, or `bad_data` for a node that lost its files
 */
export async function refuseNode(disk: Disk, folder: string, instead: string): Promise<void> {
  const node = await readNodeFile(disk, folder);
  if (node === undefined) return refuseLostNode(disk, folder);
  // Else it never became part of a cluster: what it holds is its own.
  if (node.joined === undefined) return;
  throw new HubError('config', `${folder} belongs to a node of a cluster. ${instead}`);
}
