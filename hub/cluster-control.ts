/** Local control of a node of a cluster: what `ctx hub peer`, `stepdown` and `status` ask of the running process. */
import * as z from 'zod';
import { HubError } from '../core/errors';
import type { ClusterParts } from './engine/raft/open';
import type { AdminWish, MemberStatus } from './engine/raft/cluster-admin';
import type { Audit } from './audit';
import { controlParameters } from './control-parameters';
import type { HubParts } from './hub-parts';
import type { PeerRow } from './peer-row';
import type { ControlAction } from './server/http-routes';

const address = z.object({ address: z.string() });
const peer = z.object({ peer: z.string() });

function rowOf({ id, address: at, voter, info, trouble, roundTripMs }: MemberStatus, head: number): PeerRow {
  const base = { node: id, address: at, voter, reachable: info !== undefined };
  if (info === undefined) return { ...base, ...(trouble === undefined ? {} : { why: trouble }) };
  return {
    ...base,
    role: voter ? info.role : 'learner',
    term: info.term,
    sequence: info.sequence,
    lag: Math.max(0, head - info.sequence),
    sync_ms: Math.round(info.sync_ms * 10) / 10,
    round_trip_ms: Math.round((roundTripMs ?? 0) * 10) / 10,
    free_bytes: info.free_bytes,
    version: info.version,
    ...(info.write_fault === undefined ? {} : { why: info.write_fault }),
  };
}

export async function peerRows(cluster: ClusterParts): Promise<readonly PeerRow[]> {
  const members = await cluster.admin.status();
  const head = Math.max(0, ...members.map(({ info }) => info?.sequence ?? 0));
  return members.map((member) => rowOf(member, head));
}

export function clusterActions(given: { readonly parts: HubParts; readonly audit: Audit }): [string, ControlAction][] {
  const inCluster = (): ClusterParts => {
    const { cluster } = given.parts;
    if (cluster !== undefined) return cluster;
    throw new HubError(
      'invalid',
      'This hub stands alone. Start it with --peers, --advertise and --cluster-secret-file to make it a cluster.',
    );
  };
  const wish = async (what: AdminWish): Promise<{ readonly said: string }> => {
    const answer = await inCluster().admin.wish(what);
    given.audit.note('cluster', { ...what, said: answer.said });
    return answer;
  };
  return [
    ['peer_list', async () => ({ cluster: inCluster().self().cluster, peers: await peerRows(inCluster()) })],
    ['peer_add', (asked) => wish({ action: 'add', address: controlParameters(address, asked).address })],
    ['peer_remove', (asked) => wish({ action: 'remove', peer: controlParameters(peer, asked).peer })],
    ['stepdown', () => wish({ action: 'stepdown' })],
  ];
}
