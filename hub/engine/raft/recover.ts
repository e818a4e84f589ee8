/**
 * `ctx hub recover --force`: makes a cluster of its own out of one survivor of a cluster that lost its majority for good. Takes
 * everything that this node holds as committed, which is the most that can be saved, and gives the cluster a new name, so
 * that no node of the old one can come back and disagree.
 */
import { randomUUID } from 'node:crypto';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { HubError } from '../../../core/errors';
import { EMPTY_CONFIGURATION } from '../../raft/configuration';
import type { Entry } from '../../raft/entry';
import { HubState } from '../../state/hub-state';
import { nodeDisk } from '../../store/node-disk';
import { sha256 } from '../../store/sha256';
import type { RaftMark } from './cluster';
import { writeNodeFile } from './node-file';
import { openData, type OpenedData } from './open-data';
import { joinedFileOf, type JoinedFile } from './reach';
import { StateMachine } from './state-machine';

export interface Recovery {
  readonly node: number;
  readonly address: string;
  readonly sequence: number;
  /** Entries that were in this node's Raft log only: whether they had been committed nobody can know any more. */
  readonly rescued: number;
  /** Where the state before is kept. */
  readonly copy: string;
}

const KEPT = ['raft', 'meta.json', 'clients.json', 'clients.known.json'];

async function keepCopy(folder: string, now: Date): Promise<string> {
  const copy = path.join(folder, `before-recover-${now.toISOString().replaceAll(/[-:]/g, '')}`);
  await fsp.mkdir(copy, { mode: 0o700 });
  for (const name of KEPT) {
    if ((await nodeDisk.facts(path.join(folder, name))) === undefined) continue;
    await fsp.cp(path.join(folder, name), path.join(copy, name), { recursive: true, preserveTimestamps: true });
  }
  await nodeDisk.syncFolder(copy);
  return copy;
}

/** The data directory's lock is held. @throws HubError */
export async function recoverCluster(folder: string, warn: (message: string) => void, now: Date): Promise<Recovery> {
  const file = await joinedFileOf(nodeDisk, folder);
  const copy = await keepCopy(folder, now);
  const data = await openData({ disk: nodeDisk, folder, warn });
  try {
    return await recoverFrom(data, file, { folder, copy });
  } finally {
    await data.store.close();
  }
}

async function recoverFrom(
  { store, raft, state: cluster }: OpenedData,
  file: JoinedFile,
  { folder, copy }: { readonly folder: string; readonly copy: string },
): Promise<Recovery> {
  const { log, recovered } = raft;
  const { node } = file.joined;
  const state = new HubState({
    head: store.head,
    nextSequence: store.nextSequence,
    clients: store.initialClients,
    sha256,
  });
  const before = state.head.sequence;
  const pending = recovered.entries.filter(({ index }) => index > cluster.index);
  await applyAll(new StateMachine({ store, state, cluster, ...NOBODY_ELSE }), pending);
  const last = pending.at(-1) ?? cluster;
  const mark: RaftMark = {
    index: last.index + 1,
    term: Math.max(recovered.hardState.term, last.term) + 1,
    configuration: { ...EMPTY_CONFIGURATION, voters: [node] },
    members: [{ id: node, uid: file.uid, address: file.address }],
    nextId: Math.max(cluster.nextId, node + 1, ...pending.flatMap(nodesIn).map((id) => id + 1)),
    snapshot: 'installed',
    clients: state.clients.version,
  };
  const base = { term: mark.term, index: mark.index };
  await store.markWater(false, mark);
  await log.write({
    restore: base,
    hardState: { term: mark.term, vote: 0, commit: mark.index },
    entries: [],
    sync: true,
  });
  await log.close();
  const joined = { cluster: randomUUID(), node, contacts: [...mark.members] };
  const { format, uid, address } = file;
  // What it lost, it had promised to the old cluster.
  await writeNodeFile(nodeDisk, folder, { format, uid, address, joined });
  const { sequence } = state.head;
  return { node, address, sequence, rescued: sequence - before, copy };
}

const NOBODY_ELSE = {
  fetchLines: () => Promise.reject(new HubError('no_leader', 'There is nobody to read from.')),
  onLines: () => undefined,
  onClients: () => undefined,
  onMembers: () => undefined,
};

async function applyAll(machine: StateMachine, entries: readonly Entry[]): Promise<void> {
  for (const entry of entries) await machine.apply(entry);
}

const nodesIn = (entry: Entry): readonly number[] =>
  entry.kind === 'configuration' ? entry.change.changes.map(({ node }) => node) : [];
