/** All connections of a node to its peers: two to each, so that heartbeats never wait behind entries. */
import { HubError } from '../../core/errors';
import type { Message } from '../raft/message';
import type { Frame } from './frame';
import { PeerLink } from './peer-link';
import type { PeerChannel, PeerIdentity } from './proof';
import { encodeMessage, isBulk } from './raft-message';

export interface Member {
  readonly id: number;
  readonly uid: string;
  readonly address: string;
}

interface Pair {
  readonly member: Member;
  readonly control: PeerLink;
  readonly bulk: PeerLink;
}

export interface PeersOptions {
  readonly secret: string;
  readonly self: () => PeerIdentity;
  /** Newest version of commands that this node understands. */
  readonly speaks: number;
  /** A message to this node was not delivered. */
  readonly undelivered: (node: number) => void;
  readonly opened: (node: number) => void;
  readonly closed: (node: number) => void;
}

export class Peers {
  private readonly pairs = new Map<number, Pair>();

  constructor(private readonly options: PeersOptions) {}

  /** Connects to those that are new, and lets go of those that are no longer members. */
  follow(members: readonly Member[]): void {
    const wanted = new Map(members.map((member) => [member.id, member]));
    for (const [id, pair] of this.pairs) {
      const { address, uid } = pair.member;
      const now = wanted.get(id);
      if (now?.address === address && now.uid === uid) continue;
      pair.control.close();
      pair.bulk.close();
      this.pairs.delete(id);
    }
    for (const member of members) {
      if (this.pairs.has(member.id) || member.id === this.options.self().node) continue;
      const control = this.link(member, 'control');
      this.pairs.set(member.id, { member, control, bulk: this.link(member, 'bulk') });
    }
  }

  private link(member: Member, channel: PeerChannel): PeerLink {
    const { secret, self, speaks, opened, closed } = this.options;
    return new PeerLink({
      ...{ address: member.address, channel, secret, self, speaks },
      check: ({ cluster, node, uid }) => {
        if (cluster === self().cluster && node !== member.id) {
          return `node ${node} answers there: were data directories or addresses mixed up?`;
        }
        if (uid !== member.uid) return 'another data directory answers there: was it wiped? Remove and add it again';
        return cluster === '' || cluster === self().cluster ? undefined : `it belongs to another cluster (${cluster})`;
      },
      ...(channel === 'bulk' ? { opened: () => opened(member.id) } : { closed: () => closed(member.id) }),
    });
  }

  send(message: Message): void {
    const pair = this.pairs.get(message.to);
    const bulk = isBulk(message);
    const sent = (bulk ? pair?.bulk : pair?.control)?.send(encodeMessage(message)) ?? false;
    if (!sent && bulk) this.options.undelivered(message.to);
  }

  isOpen(node: number): boolean {
    return this.pairs.get(node)?.bulk.isOpen ?? false;
  }

  /** Newest version of commands that a member understands; undefined = it was never asked. */
  speaks(node: number): number | undefined {
    return this.pairs.get(node)?.bulk.speaks;
  }

  trouble(node: number): string | undefined {
    const pair = this.pairs.get(node);
    return pair === undefined || pair.bulk.isOpen ? undefined : pair.bulk.trouble;
  }

  request(
    node: number,
    name: string,
    body: unknown,
    parts: readonly Uint8Array[] = [],
    timeoutMs?: number,
  ): Promise<Frame> {
    const pair = this.pairs.get(node);
    if (pair === undefined)
      return Promise.reject(new HubError('unreachable', `There is no connection to node ${node}.`));
    return pair.bulk.request(name, body, parts, timeoutMs);
  }

  close(): void {
    this.follow([]);
  }
}
