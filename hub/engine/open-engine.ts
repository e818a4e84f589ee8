/** Which engine a data directory is opened with: a single hub's, or a cluster's. */
import type { HubConfig } from '../config';
import type { Certificate } from '../certificate';
import type { HubParts } from '../hub-parts';
import { nodeDisk } from '../store/node-disk';
import { checkersFor } from '../store/stretch-checkers';
import { openFileEngine } from './file';
import type { FormingView } from './raft/formation-door';
import { refuseNode } from './raft/lost-node';
import { openRaftEngine } from './raft/open';

export interface OpenEngineOptions {
  readonly config: HubConfig;
  readonly version: string;
  readonly certificate: () => Certificate | undefined;
  readonly warn: (message: string) => void;
  /** How much of the log was read. */
  readonly onProgress: (doneBytes: number, allBytes: number) => void;
  /** Of a node of a cluster, at its first start. */
  readonly forming: FormingView;
  readonly crash: (error: unknown) => void;
  /** Aborted when the start is called off. */
  readonly signal: AbortSignal;
}

export async function openEngine(options: OpenEngineOptions): Promise<HubParts> {
  const { config, warn, onProgress } = options;
  const { dataDir, cluster } = config;
  if (cluster !== undefined) {
    const { host, port } = config;
    return openRaftEngine({ ...options, disk: nodeDisk, folder: dataDir, config: cluster, host, port });
  }
  await refuseNode(nodeDisk, dataDir, 'Start it with --cluster-secret-file <file>, as before.');
  return openFileEngine({ folder: dataDir, warn, onProgress, checkersFor });
}
