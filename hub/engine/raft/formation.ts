/**
 * How nodes that begin together become a cluster: each waits until it has seen all the others, then all compute the same
 * cluster id and numbers. A node that meets a cluster that is there already waits to be added to it. Nothing is promised
 * before that, and a directory that was wiped has another uid, so no node ever votes twice.
 */
import { createHash } from 'node:crypto';
import type { Member } from '../../peers/peers';
import { PeerLink } from '../../peers/peer-link';
import type { PeerIdentity } from '../../peers/proof';
import { HubError } from '../../../core/errors';
import { parseNodeInfo, type NodeInfo } from './node-info';

export interface FormationOptions {
  readonly uid: string;
  readonly address: string;
  /** All addresses of the first cluster, this one too. */
  readonly peers: readonly string[];
  readonly secret: string;
  readonly say: (message: string) => void;
  readonly signal: AbortSignal;
}

export interface Formation {
  readonly cluster: string;
  /** Id of the hub that the log begins with. */
  readonly hub: string;
  readonly node: number;
  readonly members: readonly Member[];
  /** It begins with this node; else the cluster is there and sends what it has. */
  readonly isFounder: boolean;
}

const POLL_MS = 100;

/** Formatted like a UUID; the same for the same nodes. */
function clusterIdOf(members: readonly Member[]): string {
  const hex = createHash('sha256')
    .update(JSON.stringify(members.map(({ uid, address }) => [uid, address])))
    .digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

export function numbered(nodes: readonly { readonly uid: string; readonly address: string }[]): readonly Member[] {
  return [...nodes]
    .sort((a, b) => (a.address < b.address ? -1 : 1))
    .map(({ uid, address }, at) => ({ id: at + 1, uid, address }));
}

/** What the answers so far mean; undefined = wait on. */
export function decide(
  options: Pick<FormationOptions, 'uid' | 'address' | 'peers'>,
  answers: readonly NodeInfo[],
): Formation | { readonly waitFor: string } {
  const { uid, address, peers } = options;
  for (const answer of answers) {
    if (answer.state !== 'member') continue;
    const me = answer.members.find((member) => member.uid === uid);
    if (me !== undefined) {
      const { cluster, hub, members } = answer;
      return { cluster, hub, node: me.id, members, isFounder: false };
    }
  }
  if (answers.some(({ state }) => state === 'member')) {
    return { waitFor: `this node to be added to the cluster: ctx hub peer add ${address}` };
  }
  const others = peers.filter((peer) => peer !== address);
  const missing = others.filter((peer) => !answers.some((answer) => answer.address === peer));
  if (missing.length > 0) return { waitFor: `the other nodes: ${missing.join(', ')}` };
  const differing = answers.find(
    (answer) => answer.state === 'forming' && [...answer.peers].sort().join() !== [...peers].sort().join(),
  );
  if (differing !== undefined) return { waitFor: `${differing.address}, which was started with other --peers` };
  const members = numbered([{ uid, address }, ...answers]);
  const me = members.find((member) => member.uid === uid);
  if (me === undefined) throw new Error('a node is among its own peers');
  const cluster = clusterIdOf(members);
  return { cluster, hub: cluster, node: me.id, members, isFounder: true };
}

/** @throws HubError `going_away` when it was called off */
export async function form(options: FormationOptions): Promise<Formation> {
  const { uid, address, peers, secret, say, signal } = options;
  const self: PeerIdentity = { cluster: '', node: 0, uid, address };
  const links = peers
    .filter((peer) => peer !== address)
    .map((peer) => new PeerLink({ address: peer, channel: 'bulk', secret, self: () => self, check: () => undefined }));
  let said = '';
  try {
    for (;;) {
      if (signal.aborted) throw new HubError('going_away', 'The start was called off before the cluster was complete.');
      const decided = decide(options, await answersOf(links));
      if ('cluster' in decided) return decided;
      const trouble = links.filter((link) => !link.isOpen).map((link) => link.trouble)[0];
      const text = `Waiting for ${decided.waitFor}${trouble === undefined ? '' : ` (${trouble})`}`;
      if (text !== said) say(text);
      said = text;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  } finally {
    for (const link of links) link.close();
  }
}

async function answersOf(links: readonly PeerLink[]): Promise<readonly NodeInfo[]> {
  const asked = links
    .filter((link) => link.isOpen)
    .map(async (link) => {
      try {
        return [parseNodeInfo((await link.request('info', {}, [], 1_000)).head)];
      } catch (error) {
        if (error instanceof HubError) return []; // It is asked again in a moment.
        throw error;
      }
    });
  return (await Promise.all(asked)).flat();
}
