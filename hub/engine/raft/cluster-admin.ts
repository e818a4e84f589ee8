/**
 * Membership and leadership, for the operator: one voter joins or leaves at a time, a newcomer catches up before it counts,
 * and a leader hands over before it is removed (thesis chapter 4). Only the leader does it; others pass the wish on.
 */
import * as z from 'zod';
import { HubError } from '../../../core/errors';
import type { Frame } from '../../peers/frame';
import { PeerLink } from '../../peers/peer-link';
import type { Member } from '../../peers/peers';
import type { PeerIdentity } from '../../peers/proof';
import type { ConfigurationChange } from '../../raft/configuration';
import { encodeMember } from './cluster';
import { ADMIN_MS, MAX_NODES, NO_LEADER_MS, TRANSFER_MS } from './limits';
import { parseNodeInfo, type MemberInfo, type NodeInfo } from './node-info';
import type { Replica } from './replica';
import type { StateMachine } from './state-machine';

export interface AdminParts {
  readonly replica: Replica;
  readonly machine: StateMachine;
  /** All of them, also before the first snapshot has come. */
  readonly members: () => readonly Member[];
  readonly self: () => PeerIdentity;
  readonly secret: string;
  readonly info: () => Promise<MemberInfo>;
  readonly request: (node: number, name: string, body: unknown, timeoutMs: number) => Promise<Frame>;
  readonly trouble: (node: number) => string | undefined;
  /** Which members are not reached and why; empty when all are. */
  readonly unreached: () => string;
  readonly warn: (message: string) => void;
}

/** One row of the status table: what a member says of itself, or why it says nothing. */
export interface MemberStatus {
  readonly id: number;
  readonly address: string;
  readonly voter: boolean;
  readonly info: MemberInfo | undefined;
  readonly trouble: string | undefined;
  /** How long its answer took. */
  readonly roundTripMs?: number | undefined;
}

export const wishSchema = z.discriminatedUnion('action', [
  z.object({ action: z.literal('add'), address: z.string() }),
  z.object({ action: z.literal('remove'), peer: z.string() }),
  z.object({ action: z.literal('stepdown') }),
]);
export type AdminWish = Readonly<z.infer<typeof wishSchema>>;

const POLL_MS = 20;
const PROMOTE_CHECK_MS = 100;
/** A newcomer counts once it lacks no more than this. */
const PROMOTE_LAG = 16;
const INFO_MS = 1_000;

export const RECOVER_HINT =
  'When a majority of the nodes is lost for good, stop what is left and run: ctx hub recover --force';

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class ClusterAdmin {
  private readonly promoting: NodeJS.Timeout;
  private handingOver: Promise<boolean> | undefined;

  constructor(private readonly parts: AdminParts) {
    this.promoting = setInterval(() => this.promote(), PROMOTE_CHECK_MS);
  }

  close(): void {
    clearInterval(this.promoting);
  }

  /** Every member is asked; whoever does not answer within a second is shown with the reason. */
  async status(): Promise<readonly MemberStatus[]> {
    const answers = await Promise.all(this.parts.members().map((member) => this.statusOf(member)));
    const voters = this.votersBy(answers);
    return answers.map((answer) => ({ ...answer, voter: voters.includes(answer.id) }));
  }

  private async statusOf({ id, uid, address }: Member): Promise<Omit<MemberStatus, 'voter'>> {
    const { self, info, request, trouble } = this.parts;
    const row = { id, address };
    if (id === self().node) return { ...row, info: await info(), trouble: undefined };
    const began = performance.now();
    try {
      const told = parseNodeInfo((await request(id, 'info', {}, INFO_MS)).head);
      if (told.state === 'member')
        return { ...row, info: told, trouble: undefined, roundTripMs: performance.now() - began };
      const lost = 'it lost its data: remove it and add it again';
      return { ...row, info: undefined, trouble: told.uid === uid ? 'it is about to join the cluster' : lost };
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      return { ...row, info: undefined, trouble: trouble(id) ?? error.message };
    }
  }

  /** A node that has no state yet goes by what the others say, or else takes those that were there before it for voters. */
  private votersBy(answers: readonly Omit<MemberStatus, 'voter'>[]): readonly number[] {
    const { machine, self } = this.parts;
    if (machine.now.index > 0) return machine.now.configuration.voters;
    const [furthest] = answers
      .flatMap(({ id, info }) => (info === undefined || id === self().node ? [] : [info]))
      .sort((a, b) => b.applied - a.applied);
    return furthest?.voters ?? answers.map(({ id }) => id).filter((id) => id !== self().node);
  }

  /** @throws HubError `no_leader`, `invalid`, `unreachable` */
  async wish(wish: AdminWish): Promise<{ readonly said: string }> {
    const deadline = performance.now() + ADMIN_MS;
    const wasMember = wish.action === 'remove' && this.memberOf(wish.peer) !== undefined;
    for (;;) {
      const { replica, self } = this.parts;
      // Whoever is removed is let go by the others, perhaps before it could pass the answer on.
      if (wasMember && this.memberOf(wish.peer) === undefined) return { said: `${wish.peer} is no longer a member.` };
      if (replica.role === 'leader') {
        const said = await this.fulfil(wish, deadline);
        if (said !== undefined) return { said };
      } else if (replica.leader !== 0 && replica.leader !== self().node) {
        const said = await this.ask(replica.leader, wish);
        if (said !== undefined) return said;
      }
      if (performance.now() > deadline || replica.leaderlessMs > NO_LEADER_MS) throw this.leaderless();
      await later(POLL_MS);
    }
  }

  private leaderless(): HubError {
    const unreached = this.parts.unreached();
    const why = unreached === '' ? '' : `, ${unreached}`;
    return new HubError('no_leader', `The cluster has no leader${why}. ${RECOVER_HINT}`);
  }

  /** @returns undefined when the answer was lost and nobody knows yet: it is asked again */
  private async ask(leader: number, wish: AdminWish): Promise<{ readonly said: string } | undefined> {
    try {
      const { head } = await this.parts.request(leader, 'admin', wish, ADMIN_MS);
      return head as { said: string };
    } catch (error) {
      if (!(error instanceof HubError) || error.code !== 'unreachable') throw error;
      return undefined;
    }
  }

  private memberOf(peer: string): Member | undefined {
    return this.parts.machine.now.members.find(({ id, address }) => String(id) === peer || address === peer);
  }

  /** @returns undefined when this node stopped leading on the way: whoever leads now is asked */
  private async fulfil(wish: AdminWish, deadline: number): Promise<string | undefined> {
    switch (wish.action) {
      case 'add':
        return this.add(wish.address, deadline);
      case 'remove':
        return this.remove(wish.peer, deadline);
      case 'stepdown':
        return this.stepdown();
    }
  }

  private async add(address: string, deadline: number): Promise<string | undefined> {
    const { machine } = this.parts;
    // A full cluster says so whether anybody answers there or not.
    if (this.memberOf(address) === undefined) this.requireRoom();
    const info = await this.nodeAt(address);
    const { uid } = info;
    const member = (): Member | undefined => machine.now.members.find((each) => each.uid === uid);
    const before = member();
    if (before !== undefined) return `${address} is node ${before.id} already.`;
    // Under a new number its data would still be those of the old one.
    if (info.state === 'member' && info.node < machine.now.nextId) {
      throw new HubError(
        'invalid',
        `The node at ${address} was removed from this cluster. Stop it and empty its data directory, start it again, then add it.`,
      );
    }
    const isDone = await this.change(
      () => this.joining(uid, address),
      deadline,
      () => member() !== undefined,
    );
    return isDone ? `${address} is node ${member()?.id ?? '?'}. It counts as soon as it has caught up.` : undefined;
  }

  private joining(uid: string, address: string): ConfigurationChange {
    const had = this.memberOf(address);
    if (had !== undefined) {
      throw new HubError(
        'invalid',
        `Node ${had.id} had that address and lost its data. First: ctx hub peer remove ${had.id}`,
      );
    }
    this.requireRoom();
    const member: Member = { id: this.parts.machine.now.nextId, uid, address };
    return {
      transition: 'auto',
      changes: [{ kind: 'add-learner', node: member.id }],
      context: encodeMember(member),
    };
  }

  private requireRoom(): void {
    if (this.parts.machine.now.members.length < MAX_NODES) return;
    throw new HubError(
      'invalid',
      `A cluster has at most ${MAX_NODES} nodes, and this one has them. First let one go: ctx hub peer remove <node>`,
    );
  }

  /** The one who answers there must be a node with an empty data directory that waits to be added, or a member. */
  private async nodeAt(address: string): Promise<NodeInfo> {
    const { secret, self } = this.parts;
    const link = new PeerLink({ address, channel: 'bulk', secret, self, check: () => undefined });
    try {
      const deadline = performance.now() + INFO_MS * 3;
      while (!link.isOpen && performance.now() < deadline) await later(POLL_MS);
      if (!link.isOpen) {
        throw new HubError(
          'unreachable',
          `No node answers at ${address}: ${link.trouble ?? 'it fell silent'}. Start it there first, with --peers and --cluster-secret-file.`,
        );
      }
      const info = parseNodeInfo((await link.request('info', {}, [], INFO_MS)).head);
      if (info.address !== address) {
        throw new HubError(
          'invalid',
          `The node at ${address} calls itself ${info.address}. Use its --advertise address.`,
        );
      }
      if (info.state === 'member' && info.cluster !== self().cluster) {
        throw new HubError('invalid', `The node at ${address} belongs to another cluster (${info.cluster}).`);
      }
      return info;
    } finally {
      link.close();
    }
  }

  private async remove(peer: string, deadline: number): Promise<string | undefined> {
    const { machine, self } = this.parts;
    const member = this.memberOf(peer);
    if (member === undefined) {
      throw new HubError('invalid', `There is no peer ${peer}. See: ctx hub peer list`);
    }
    this.leaving(member);
    if (member.id === self().node) {
      await this.handOver();
      return undefined;
    }
    const isGone = (): boolean => !machine.now.members.some(({ id }) => id === member.id);
    const isDone = await this.change(() => this.leaving(member), deadline, isGone);
    return isDone ? `Node ${member.id} (${member.address}) is no longer a member.` : undefined;
  }

  private leaving({ id }: Member): ConfigurationChange {
    const { voters } = this.parts.machine.now.configuration;
    if (voters.length === 1 && voters.includes(id)) {
      throw new HubError('invalid', 'It is the only voting node of the cluster. Stop it instead: ctx hub stop');
    }
    return { transition: 'auto', changes: [{ kind: 'remove', node: id }] };
  }

  /**
   * @param next the change as the members are now, who may be others at each try; throws when it may not be
   * @returns false when this node stopped leading; @throws HubError `no_leader` when no majority takes part
   */
  private async change(next: () => ConfigurationChange, deadline: number, isThere: () => boolean): Promise<boolean> {
    const { replica } = this.parts;
    while (performance.now() < deadline) {
      if (replica.role !== 'leader') return false;
      const result = replica.proposeChange(next());
      if (result.kind === 'appended') await replica.waitApplied(result.index, deadline - performance.now());
      // A change under way makes the core leave a no-op in the place of the next one.
      if (isThere()) return true;
      await later(POLL_MS);
    }
    throw new HubError('no_leader', `No majority of the cluster agreed in time. ${RECOVER_HINT}`, {
      outcome: 'unknown',
    });
  }

  private async stepdown(): Promise<string> {
    const { replica, machine } = this.parts;
    if (!(await this.handOver())) {
      throw new HubError('no_leader', 'No other node could take over: none that votes is in contact and up to date.');
    }
    const next = machine.now.members.find(({ id }) => id === replica.leader);
    return `Node ${replica.leader} (${next?.address ?? '?'}) leads now.`;
  }

  /** Hands over to the voter that is furthest; a second wish waits for the first. @returns whether somebody else leads now */
  handOver(): Promise<boolean> {
    this.handingOver ??= this.tryVoters().finally(() => (this.handingOver = undefined));
    return this.handingOver;
  }

  private async tryVoters(): Promise<boolean> {
    const { replica, self } = this.parts;
    if (replica.role !== 'leader') return true;
    const { followers } = replica.status();
    const fit = [...followers]
      .filter(([id, { learner, recentlyActive }]) => id !== self().node && !learner && recentlyActive)
      .filter(([id]) => this.parts.trouble(id) === undefined)
      .sort(([, a], [, b]) => b.match - a.match);
    const deadline = performance.now() + TRANSFER_MS;
    for (const [id] of fit) {
      replica.transferLeadership(id);
      const until = Math.min(deadline, performance.now() + TRANSFER_MS / 2);
      while (performance.now() < until) {
        if (replica.leader !== self().node && replica.leader !== 0) return true;
        await later(POLL_MS);
      }
    }
    return false;
  }

  /** Newcomers that have caught up become voters, one at a time. */
  private promote(): void {
    const { replica, machine } = this.parts;
    if (replica.role !== 'leader') return;
    const { learners } = machine.now.configuration;
    if (learners.length === 0) return;
    const { followers, last } = replica.status();
    const ready = learners.find((id) => {
      const follower = followers.get(id);
      return follower?.mode === 'replicate' && follower.recentlyActive && follower.match + PROMOTE_LAG >= last.index;
    });
    if (ready === undefined) return;
    replica.proposeChange({ transition: 'auto', changes: [{ kind: 'add-voter', node: ready }] });
  }
}
