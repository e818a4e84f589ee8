/** The first start of a node: it founds a cluster, alone or with others, or waits to be added to one. Later starts find it done. */
import { HubError } from '../../../core/errors';
import type { Member } from '../../peers/peers';
import { EMPTY_CONFIGURATION } from '../../raft/configuration';
import { RaftLog } from '../../raft-log/raft-log';
import { dataFiles, holdsAnything, writeHubId, type DataFiles } from '../../store/data-directory';
import { readMeta } from '../../store/meta';
import type { Disk } from '../../store/disk';
import { openStore } from '../../store/open-store';
import type { Store } from '../../store/store';
import { removeIfThere } from '../../store/whole-file';
import type { RaftMark } from './cluster';
import { unreachableHint } from '../../cluster-config';
import { form, type Formation } from './formation';
import { openFormationDoor } from './formation-door';
import { lostPromise, refuseLostNode } from './lost-node';
import { newNodeFile, raftLogFolder, readNodeFile, writeNodeFile, type NodeFile } from './node-file';
import type { RaftEngineOptions } from './open';

export interface JoinedNode {
  readonly cluster: string;
  readonly node: number;
  readonly uid: string;
  readonly address: string;
  readonly contacts: readonly Member[];
}

/** Where a founder's log begins: at a snapshot, so that newcomers always learn the members from one. */
const FOUNDING = { term: 1, index: 1 } as const;

function joinedNode({ uid, address, joined }: NodeFile): JoinedNode | undefined {
  if (joined === undefined) return undefined;
  return { cluster: joined.cluster, node: joined.node, uid, address, contacts: joined.contacts };
}

export async function joinCluster(options: RaftEngineOptions): Promise<JoinedNode> {
  const { disk, folder, config } = options;
  const found = await readNodeFile(disk, folder);
  const known = found === undefined ? undefined : joinedNode(found);
  if (found?.lost !== undefined) throw lostPromise(found.lost);
  if (known !== undefined) {
    requireScheme(options, known.address);
    // Said at the first start on standard error; `--host` may have been forgotten since.
    const hint = unreachableHint(options.host, known.address, []);
    if (hint !== undefined) options.warn(`This node may be unreachable: ${hint}`);
    if (config.advertise === undefined || config.advertise === known.address) return known;
    throw new HubError(
      'config',
      `This node is ${known.address} to its cluster, not ${config.advertise}. Remove it and add it again to change that.`,
    );
  }
  if (found === undefined) await refuseLostNode(disk, folder);
  const { advertise } = config;
  if (advertise === undefined || !config.peers.includes(advertise)) {
    throw new HubError(
      'usage',
      'The first start of a node needs --advertise <own address> and --peers <all addresses, this one too>.',
    );
  }
  requireScheme(options, advertise);
  const files = dataFiles(folder);
  // Whatever speaks against it is found before anything is written.
  if (await isUnused(disk, files)) return becomeMember(options, found, advertise);
  if (config.peers.length > 1) throw usedAlready(folder, advertise);
  const store = await openStore({ ...options, now: Date.now });
  // A single hub grows: its log goes on where it is. Alone, so that no other node knows it by an earlier uid.
  const node = newNodeFile(advertise);
  await writeNodeFile(disk, folder, node);
  return begin(options, node, aloneIn(store.hubId, node), store);
}

function aloneIn(cluster: string, { uid, address }: NodeFile): Formation {
  return { cluster, hub: cluster, node: 1, members: [{ id: 1, uid, address }], isFounder: true };
}

/** Nobody has stored or registered anything here: it is new, or what a founding that was cut short has left. */
async function isUnused(disk: Disk, files: DataFiles): Promise<boolean> {
  if (await holdsAnything(disk, files)) return false;
  const found = await readMeta(disk, files);
  if (found.kind !== 'meta') return found.kind === 'missing';
  return found.meta.watermark.sequence === 0 && found.meta.gaps.length === 0;
}

/** Founds a cluster with others, or waits to be added to one. */
async function becomeMember(
  options: RaftEngineOptions,
  found: NodeFile | undefined,
  address: string,
): Promise<JoinedNode> {
  const { disk, folder } = options;
  const node = found?.address === address ? found : newNodeFile(address);
  await writeNodeFile(disk, folder, node);
  const formation = await decideFormation(options, node);
  const files = dataFiles(folder);
  await removeIfThere(disk, files.meta);
  await writeHubId(disk, files, formation.hub);
  return begin(options, node, formation, await openStore({ ...options, now: Date.now }));
}

/** Else it would run and nobody could reach it: peers go by the address, and their proof covers the certificate. */
function requireScheme({ certificate }: RaftEngineOptions, address: string): void {
  const isSecure = address.startsWith('wss:');
  if (isSecure === (certificate() !== undefined)) return;
  const cure = isSecure ? 'Start it with the TLS flags of before.' : 'Start it without TLS flags.';
  throw new HubError('config', `This node is ${address} to its cluster, ${isSecure ? 'with' : 'without'} TLS. ${cure}`);
}

async function decideFormation(options: RaftEngineOptions, node: NodeFile): Promise<Formation> {
  const { config, host, port, certificate, warn, forming, crash, signal } = options;
  const { uid, address } = node;
  const info = { state: 'forming' as const, uid, address, peers: [...config.peers] };
  const close = await openFormationDoor({
    host,
    port,
    certificate: certificate(),
    secret: config.secret,
    info,
    answer: forming?.answer,
    warn,
    crash,
  });
  const say = (message: string): void => {
    warn(message);
    forming?.waiting(message);
  };
  try {
    return await form({ uid, address, peers: config.peers, secret: config.secret, say, signal });
  } finally {
    await close();
    await forming?.done();
  }
}

const usedAlready = (folder: string, address: string): HubError =>
  new HubError(
    'config',
    `${folder} holds the log of a hub already. To grow that hub into a cluster, start it with --peers ${address} ` +
      'alone, then add the others: ctx hub peer add <address>. To begin anew, choose an empty --data-dir.',
  );

/** Cut short anywhere, the next start does all of it again: the node's promises count from its last write on. */
async function begin(
  options: RaftEngineOptions,
  node: NodeFile,
  formation: Formation,
  store: Store,
): Promise<JoinedNode> {
  const { disk, folder, warn } = options;
  const { cluster, members, isFounder } = formation;
  try {
    await dropOldLog(disk, folder);
    // Of another cluster, whose backup this was, or of a founding that was cut short.
    await store.forgetRaftLog();
    if (isFounder) await found(options, store, members);
  } finally {
    await store.close();
  }
  const joined = { cluster, node: formation.node, contacts: [...members] };
  await writeNodeFile(disk, folder, { ...node, joined });
  warn(`Node ${joined.node} (${node.address}) is part of cluster ${cluster} now.`);
  return { ...joined, uid: node.uid, address: node.address };
}

async function found(
  { disk, folder, warn }: RaftEngineOptions,
  store: Store,
  members: readonly Member[],
): Promise<void> {
  const { log } = await RaftLog.open({ disk, folder: raftLogFolder(folder), warn });
  await log.write({
    hardState: { term: FOUNDING.term, vote: 0, commit: FOUNDING.index },
    restore: FOUNDING,
    entries: [],
    sync: true,
  });
  await log.close();
  const voters = members.map(({ id }) => id);
  const configuration = { ...EMPTY_CONFIGURATION, voters };
  const nextId = Math.max(...voters) + 1;
  const mark: RaftMark = { ...FOUNDING, configuration, members, nextId, clients: store.initialClients.version };
  await store.markWater(false, mark);
}

/** Of a founding that was cut short: nothing in it was ever promised. */
async function dropOldLog(disk: Disk, folder: string): Promise<void> {
  const logFolder = raftLogFolder(folder);
  if ((await disk.facts(logFolder)) === undefined) return;
  for (const name of await disk.list(logFolder)) await disk.remove(`${logFolder}/${name}`);
  await disk.syncFolder(logFolder);
}
