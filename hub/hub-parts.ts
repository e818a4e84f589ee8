/** What a running hub is made of, as its server sees it: the log's engine, its reader, and who may connect. */
import type { OpenedEngine } from './engine/log-engine';
import type { ClusterParts } from './engine/raft/open';

export interface HubParts extends OpenedEngine {
  /** Of a node of a cluster. */
  readonly cluster?: ClusterParts;
}
