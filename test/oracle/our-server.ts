/** One server of our consensus core with an instant disk: inputs in, everything it says out. */
import { EMPTY_CONFIGURATION, type Configuration } from '../../hub/raft/configuration';
import type { Entry, HardState, Snapshot } from '../../hub/raft/entry';
import type { Message } from '../../hub/raft/message';
import { DEFAULT_LIMITS, type RaftOptions } from '../../hub/raft/options';
import { RawNode } from '../../hub/raft/raw-node';
import { describeMessage, roleName } from '../conformance/raft/describe';
import type { Server, Setup } from './server';

const isFirstForm = (): boolean => false;

export class OurServer implements Server {
  private core: RawNode;
  private hardState: HardState = { term: 1, vote: 0, commit: 1 };
  private entries: Entry[] = [];
  private readonly configuration: Configuration;
  private applied = 1;
  readonly committed: string[] = [];
  /** Sent since this was emptied. */
  readonly sent: Message[] = [];

  constructor(
    readonly id: number,
    private readonly setup: Setup,
  ) {
    this.configuration = { ...EMPTY_CONFIGURATION, voters: setup.voters };
    this.core = this.start();
  }

  private start(): RawNode {
    const { preVote, checkQuorum, electionTicks, maxInflight, oneByOne } = this.setup;
    const snapshot: Snapshot = { term: 1, index: 1, configuration: this.configuration, data: new Uint8Array() };
    const limits = {
      ...{ ...DEFAULT_LIMITS, maxInflightMessages: maxInflight, maxInflightBytes: Infinity },
      ...{ maxAppendBytes: oneByOne ? 0 : Infinity, maxUncommittedBytes: Infinity, maxApplyBytes: Infinity },
    };
    const options: RaftOptions = {
      ...{ id: this.id, electionTicks, heartbeatTicks: 1, random: () => 0, preVote, checkQuorum },
      ...{ readMode: 'safe', forwardProposals: true, stepDownOnRemoval: false, limits, snapshot: () => snapshot },
    };
    const core = new RawNode(options, {
      ...{ hardState: this.hardState, configuration: this.configuration },
      ...{ base: { term: 1, index: 1 }, entries: this.entries, applied: this.applied },
    });
    core.setElectionTimeout(Infinity);
    return core;
  }

  restart(): void {
    this.core = this.start();
  }

  campaign(): void {
    this.core.campaign();
  }

  tick(): void {
    this.core.tick();
  }

  propose(text: string): void {
    this.core.propose(Buffer.from(text));
  }

  transfer(target: number): void {
    this.core.transferLeadership(target);
  }

  unreachable(id: number): void {
    this.core.reportUnreachable(id);
  }

  step(message: Message): void {
    this.core.step(message);
  }

  settle(): readonly string[] {
    const said: string[] = [];
    const say = (message: Message): void => {
      said.push(describeMessage(message, isFirstForm).join(' '));
      this.sent.push(message);
    };
    while (this.core.hasOutput()) {
      const { now, persist, afterPersist } = this.core.takeOutput();
      now.messages.forEach(say);
      now.apply.forEach((entry) => this.apply(entry));
      if (persist !== undefined) {
        const { hardState, entries, number } = persist;
        this.hardState = hardState ?? this.hardState;
        const first = entries[0]?.index ?? Infinity;
        this.entries = [...this.entries.filter(({ index }) => index < first), ...entries];
        this.core.persisted(number);
      }
      afterPersist.messages.forEach(say);
      afterPersist.apply.forEach((entry) => this.apply(entry));
    }
    this.core.setElectionTimeout(Infinity);
    return said;
  }

  private apply(entry: Entry): void {
    this.applied = entry.index;
    this.committed.push(
      `${entry.term}/${entry.index} ${entry.kind === 'data' ? Buffer.from(entry.data).toString() : ''}`,
    );
    this.core.applied(entry.index);
  }

  describe(): string {
    const { role, term, vote, commit, leader, last } = this.core.status();
    return `${roleName(role)} term ${term} vote ${vote} leader ${leader} commit ${commit} last ${last.term}/${last.index}`;
  }
}
