/**
 * The face of the consensus core: messages, ticks and proposals in; one `Output` value out. It holds no clock, no
 * randomness of its own, no disk and no sockets; whoever drives it does what the output says, in the order it says.
 *
 * The driver's promise: `output.persist` is durable before `persisted` is called and before anything of
 * `output.afterPersist` happens; outputs are worked off in the order they were taken; what is applied is reported by
 * `applied`, and committed configuration entries are given to `applyChange` on the way.
 */
import type { Configuration, ConfigurationChange } from './configuration';
import { countVote, startElection } from './election';
import { NOBODY, type EntryContent, type HardState, type NodeId } from './entry';
import { invariant } from './invariant';
import { startTransfer, takeAcceptance, takeSnapshotReport, takeUnreachable } from './leader';
import { applyChange, restoreConfiguration } from './membership';
import type { Message } from './message';
import { checkOptions, type RaftOptions, type RestartState } from './options';
import type { Output, Persist, SoftState } from './output';
import { leaveJointIfDue, propose, type ProposalResult } from './proposals';
import { askRead } from './reads';
import { becomeFollower } from './roles';
import { initialState, type OwnAnswer, type RaftState } from './state';
import { statusOf, type RaftStatus } from './status';
import { forwardTransfer, step, type StepResult } from './step';
import { tick } from './tick';

export class RawNode {
  private readonly state: RaftState;
  private lastHardState: HardState;
  private lastSoftState: SoftState;
  private writes = 0;
  /** What this server owes itself when the write under way is durable. */
  private underWay: { readonly number: number; readonly own: readonly OwnAnswer[] } | undefined;

  constructor(options: RaftOptions, restart: RestartState) {
    checkOptions(options);
    this.state = initialState(options, restart);
    becomeFollower(this.state, this.state.term, NOBODY);
    this.lastHardState = this.hardState;
    this.lastSoftState = this.softState;
  }

  private get hardState(): HardState {
    return { term: this.state.term, vote: this.state.vote, commit: this.state.log.committed };
  }

  private get softState(): SoftState {
    return { leader: this.state.leader, role: this.state.role };
  }

  /** Time passed: one tick. */
  tick(): void {
    tick(this.state);
  }

  step(message: Message): StepResult {
    return step(this.state, message);
  }

  /** Stands for election now. Returns whether it did; a learner or removed server does not. */
  campaign(): boolean {
    return startElection(this.state);
  }

  propose(...data: readonly Uint8Array[]): ProposalResult {
    return propose(
      this.state,
      data.map((each): EntryContent => ({ kind: 'data', data: each })),
    );
  }

  proposeChange(change: ConfigurationChange): ProposalResult {
    return propose(this.state, [{ kind: 'configuration', change }]);
  }

  /** Asks from which index on a read is current; answered by `now.reads`, or never. `read` must be unique. */
  askRead(read: string): boolean {
    return askRead(this.state, { from: this.state.options.id, read });
  }

  /** Asks the leader to hand over to `target`; it gives up after one election time. */
  transferLeadership(target: NodeId): void {
    if (this.state.role === 'leader') startTransfer(this.state, target);
    else forwardTransfer(this.state, target);
  }

  /** Messages to `id` were not delivered. */
  reportUnreachable(id: NodeId): void {
    const progress = this.leadersView(id);
    if (progress !== undefined) takeUnreachable(progress);
  }

  /** The snapshot for `id` was delivered, or was not. */
  reportSnapshot(id: NodeId, delivered: boolean): void {
    const progress = this.leadersView(id);
    if (progress !== undefined) takeSnapshotReport(progress, delivered);
  }

  private leadersView(id: NodeId) {
    return this.state.role === 'leader' ? this.state.progress.get(id) : undefined;
  }

  /**
   * The leader is known to be gone (its connection closed): its lease ends here, so that an election needs no waiting.
   * Not with lease reads, which rely on that wait. The leader's next message makes it the leader again.
   */
  forgetLeader(): void {
    if (this.state.role === 'follower' && this.state.options.readMode !== 'lease') this.state.leader = NOBODY;
  }

  /** The ticks after which this server stands for election, instead of the drawn ones, until its role changes. */
  setElectionTimeout(ticks: number): void {
    this.state.electionTimeout = ticks;
  }

  hasOutput(): boolean {
    const { outbox, log } = this.state;
    const mayWrite = this.underWay === undefined;
    if (this.softStateChanged() || outbox.now.length > 0 || outbox.reads.length > 0) return true;
    if (mayWrite && (this.needsWrite() || outbox.afterPersist.length > 0 || outbox.own.length > 0)) return true;
    return log.nextToApply(log.stable, Infinity).length > 0;
  }

  private softStateChanged(): boolean {
    return this.lastSoftState.leader !== this.state.leader || this.lastSoftState.role !== this.state.role;
  }

  private hardStateChanged(): boolean {
    const { term, vote, commit } = this.lastHardState;
    return term !== this.state.term || vote !== this.state.vote || commit !== this.state.log.committed;
  }

  private needsWrite(): boolean {
    return this.hardStateChanged() || this.state.log.hasUnstable;
  }

  /** Everything that is due, once: it is not given again, except after a restart. */
  takeOutput(): Output {
    const { outbox, log } = this.state;
    const softState = this.softStateChanged() ? this.softState : undefined;
    this.lastSoftState = this.softState;
    const stableBefore = log.stable;
    const persist = this.underWay === undefined && this.needsWrite() ? this.startWrite() : undefined;
    const now = { messages: outbox.now, reads: outbox.reads };
    outbox.now = [];
    outbox.reads = [];
    // With a write of its own an output may apply what it writes; else only what is durable already.
    const { maxApplyBytes } = this.state.options.limits;
    const apply = log.nextToApply(persist === undefined ? stableBefore : log.lastIndex, maxApplyBytes);
    log.handedOut(apply.at(-1)?.index ?? 0);
    const applyNow = apply.filter((entry) => entry.index <= stableBefore);
    const applyLater = apply.filter((entry) => entry.index > stableBefore);
    if (persist === undefined) {
      // Nothing left to write: what waited for the disk need not wait. Else it goes with the next write.
      const messages = this.underWay === undefined ? [...now.messages, ...this.takeWaiting()] : now.messages;
      return output(softState, undefined, { ...now, messages, apply: applyNow }, { messages: [], apply: [] });
    }
    const messages = outbox.afterPersist;
    outbox.afterPersist = [];
    return output(softState, persist, { ...now, apply: applyNow }, { messages, apply: applyLater });
  }

  private startWrite(): Persist {
    const before = this.lastHardState;
    const hardState = this.hardStateChanged() ? this.hardState : undefined;
    this.lastHardState = this.hardState;
    const { snapshot, entries } = this.state.log.startWrite();
    this.writes += 1;
    this.underWay = { number: this.writes, own: this.state.outbox.own };
    this.state.outbox.own = [];
    // Term and vote are promises (thesis §3.8); the commit index is found again from the others.
    const promised = before.term !== this.state.term || before.vote !== this.state.vote;
    const mustSync = promised || entries.length > 0 || snapshot !== undefined;
    return { number: this.writes, hardState, snapshot, entries, mustSync };
  }

  private takeWaiting(): readonly Message[] {
    const { outbox } = this.state;
    const waiting = outbox.afterPersist;
    outbox.afterPersist = [];
    const own = outbox.own;
    outbox.own = [];
    for (const each of own) this.answerSelf(each);
    return waiting;
  }

  /** The write `number` is durable. */
  persisted(number: number): void {
    const { underWay } = this;
    invariant(underWay?.number === number, () => `write ${number} is not the one under way`);
    this.underWay = undefined;
    const snapshot = this.state.log.finishWrite();
    if (snapshot !== undefined) restoreConfiguration(this.state, snapshot.configuration);
    for (const own of underWay.own) this.answerSelf(own);
  }

  /** An answer counts only in the term in which it was owed: a later term has its own leader and its own votes. */
  private answerSelf(own: OwnAnswer): void {
    const { state } = this;
    if (own.term !== state.term) return;
    const { id } = state.options;
    if (own.kind === 'append') {
      const progress = state.progress.get(id);
      if (state.role === 'leader' && progress !== undefined) takeAcceptance(state, id, progress, own.index);
    } else if (state.role === (own.preVote ? 'pre-candidate' : 'candidate')) {
      countVote(state, id, true);
    }
  }

  /**
   * A committed configuration entry is being applied. A leader may ask for a snapshot on the way, which must not count the
   * entry yet: call this first, then let the state machine have the entry. @throws ConfigurationError if the change does
   * not fit: a bug of ours.
   */
  applyChange(change: ConfigurationChange): Configuration {
    return applyChange(this.state, change);
  }

  /** The state machine holds everything up to `index`. */
  applied(index: number): void {
    this.state.log.appliedTo(index);
    leaveJointIfDue(this.state);
  }

  /** Forgets log entries up to `index`; from now on `options.snapshot` must be at `index` or later (thesis §5.1). */
  compact(index: number): void {
    this.state.log.compact(index);
  }

  /** Term of a log entry; undefined = compacted away, or beyond the end. */
  termAt(index: number): number | undefined {
    return this.state.log.termAt(index);
  }

  status(): RaftStatus {
    return statusOf(this.state);
  }
}

function output(
  softState: SoftState | undefined,
  persist: Persist | undefined,
  now: Output['now'],
  afterPersist: Output['afterPersist'],
): Output {
  return { softState, persist, now, afterPersist };
}
