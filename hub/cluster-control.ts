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

/** A follower this far behind is looked at more closely, */
const LAG_NOTED = 16;
/** and this long for a durable write, or for an answer, is what holds it back. */
const SLOW_MS = 200;

/** Why a node is behind, in words: its disk, or the way to it (FM-65). */
function laggardsTrouble(lag: number, syncMs: number, roundTripMs: number): string | undefined {
  if (lag < LAG_NOTED) return undefined;
  const disk = syncMs >= SLOW_MS ? [`its disk is slow: ${Math.round(syncMs)} ms for a durable write`] : [];
  const network = roundTripMs >= SLOW_MS ? [`the network is slow: ${Math.round(roundTripMs)} ms for an answer`] : [];
  const causes = [...disk, ...network];
  return `${lag} entries behind; ${causes.length === 0 ? 'neither its disk nor the network is slow' : causes.join(', ')}`;
}

export function peerRow({ id, address: at, voter, info, trouble, roundTripMs }: MemberStatus, head: number): PeerRow {
  const base = { node: id, address: at, voter, reachable: info !== undefined };
  if (info === undefined) return { ...base, ...(trouble === undefined ? {} : { why: trouble }) };
  const lag = Math.max(0, head - info.sequence);
  const why = info.write_fault ?? laggardsTrouble(lag, info.sync_ms, roundTripMs ?? 0);
  return {
    ...base,
    role: voter ? info.role : 'learner',
    term: info.term,
    sequence: info.sequence,
    lag,
    sync_ms: Math.round(info.sync_ms * 10) / 10,
    round_trip_ms: Math.round((roundTripMs ?? 0) * 10) / 10,
    free_bytes: info.free_bytes,
    version: info.version,
    ...(why === undefined ? {} : { why }),
  };
}

export async function peerRows(cluster: ClusterParts): Promise<readonly PeerRow[]> {
  const members = await cluster.admin.status();
  const head = Math.max(0, ...members.map(({ info }) => info?.sequence ?? 0));
  return members.map((member) => peerRow(member, head));
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
