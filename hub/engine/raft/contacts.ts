/** The other nodes as this one knows them: whom to ask first, whom to let in, where to send clients, and what all understand. */
import type { Member } from '../../peers/peers';
import type { PeerIdentity } from '../../peers/proof';
import type { JoinedNode } from './join';

export interface ContactsParts {
  readonly node: JoinedNode;
  readonly members: () => readonly Member[];
  readonly leader: () => number;
  /** Newest version of commands that a member understands, and that this node does. */
  readonly speaks: (node: number) => number | undefined;
  readonly ownSpeaks: number;
  /** Why there is no connection to a member. */
  readonly trouble: (node: number) => string | undefined;
}

/** A message names so many that are not reached, and counts the rest. */
const MAX_NAMED = 3;

export class Contacts {
  constructor(private readonly parts: ContactsParts) {}

  /** All members, this node too. Before its first snapshot a newcomer knows those it was told at its founding. */
  all(): readonly Member[] {
    const members = this.parts.members();
    return members.length === 0 ? this.parts.node.contacts : members;
  }

  /** The leader first. */
  others(): readonly Member[] {
    const leader = this.parts.leader();
    const rank = ({ id }: Member): number => (id === leader ? 0 : 1);
    return this.all()
      .filter(({ id }) => id !== this.parts.node.node)
      .sort((a, b) => rank(a) - rank(b));
  }

  /** Who is not reached and why, to stand in a sentence or behind one; empty when there is a connection to each. */
  unreached(): string {
    const all = this.others().flatMap(({ id, address }) => {
      const why = this.parts.trouble(id);
      return why === undefined ? [] : [`${address} (${why})`];
    });
    if (all.length === 0) return '';
    const rest = all.length - MAX_NAMED;
    return `not reached: ${all.slice(0, MAX_NAMED).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
  }

  /** Why a peer is not let in, in words. */
  refusal(peer: PeerIdentity): string | undefined {
    const { cluster } = this.parts.node;
    // One that belongs to no cluster yet may ask who this is.
    if (peer.cluster === '') return undefined;
    if (peer.cluster !== cluster) return `this node belongs to another cluster (${cluster})`;
    const known = this.parts.members().find(({ id }) => id === peer.node);
    return known === undefined || known.uid === peer.uid ? undefined : `node ${peer.node} has another data directory`;
  }

  /** Of all members the one that understands the oldest version of commands only. One that was never asked may be as old as any. */
  oldest(): { readonly address: string; readonly speaks: number } {
    const { node, speaks, ownSpeaks } = this.parts;
    const self = { address: node.address, speaks: ownSpeaks };
    const others = this.others().map(({ id, address }) => ({ address, speaks: speaks(id) ?? 1 }));
    return others.reduce((a, b) => (b.speaks < a.speaks ? b : a), self);
  }
}
