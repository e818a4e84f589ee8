/** Cases of the `interaction` folder: whole clusters whose messages are delivered, or not, one by one. */
import { EMPTY_CONFIGURATION, type ConfigurationChange } from '../../../hub/raft/configuration';
import type { EntryContent, Snapshot } from '../../../hub/raft/entry';
import type { Message } from '../../../hub/raft/message';
import type { RaftLimits } from '../../../hub/raft/options';
import type { ProposalResult } from '../../../hub/raft/proposals';
import { parseChanges } from './configuration-cases';
import { numbersOf, parseCommand, valueOf, valuesOf, type Case, type Command } from './data-driven';
import { describeMessage, describeProgress, describeState, messageType } from './describe';
import { InteractionNode, type NodeSetup } from './interaction-node';

const ELECTION_TICKS = 3;
const HEARTBEAT_TICKS = 1;
const DROPPED = 'raft proposal dropped';
const NO_LIMITS: RaftLimits = {
  maxAppendBytes: Infinity,
  maxInflightMessages: Infinity,
  maxInflightBytes: Infinity,
  maxUncommittedBytes: Infinity,
  maxApplyBytes: Infinity,
};

/** Features of other implementations that this one does not have, by declaration; files that use them do not run. */
const OUT_OF_SCOPE =
  /\b(async-storage-writes|process-append-thread|process-apply-thread|disable-conf-change-validation)\b/;

export function outOfScope(cases: readonly Case[]): string | undefined {
  for (const { command, input } of cases) {
    const text = [command.name, ...command.args.map((arg) => arg.key), ...input].join(' ');
    const found = OUT_OF_SCOPE.exec(text);
    if (found !== null) return found[0];
  }
  return undefined;
}

export class InteractionCluster {
  private readonly nodes: InteractionNode[] = [];
  private messages: Message[] = [];
  private quiet = false;
  private readonly firstForm = new WeakSet<ConfigurationChange>();

  run({ command, input }: Case): string[] {
    const lines: string[] = [];
    try {
      if (command.name === 'propose-conf-change') lines.push(...this.proposeChange(command, input.join(' ')));
      else for (const each of [command, ...input.map(parseCommand)]) lines.push(...this.runOne(each));
    } catch (error) {
      // A node that broke an invariant ends the case, not the run: its words make the difference visible.
      return [...lines, error instanceof Error ? `${error.name}: ${error.message}` : String(error)];
    }
    return this.quiet ? lines.filter((line) => line === DROPPED) : lines;
  }

  private readonly isFirstForm = (entry: EntryContent): boolean =>
    entry.kind === 'configuration' && this.firstForm.has(entry.change);

  private readonly commands: Readonly<Record<string, (command: Command) => string[]>> = {
    'add-nodes': (command) => this.addNodes(command),
    campaign: (command) => {
      this.first(command).core.campaign();
      return [];
    },
    compact: (command) => this.compact(command),
    'deliver-msgs': (command) => this.deliverCommand(command),
    'process-ready': (command) => this.processReadyCommand(command),
    'log-level': (command) => this.setLevel(command.args[0]?.key ?? ''),
    'raft-log': (command) => this.first(command).describeLog(),
    'raft-state': () => this.nodes.map((node) => describeState(node.core.status())),
    'set-randomized-election-timeout': (command) => {
      this.first(command).core.setElectionTimeout(Number(valueOf(command, 'timeout')));
      return [];
    },
    stabilize: (command) => this.stabilizeCommand(command),
    status: (command) => this.status(command),
    'tick-election': (command) => this.tick(command, ELECTION_TICKS),
    'tick-heartbeat': (command) => this.tick(command, HEARTBEAT_TICKS),
    'transfer-leadership': (command) => this.transfer(command),
    'forget-leader': (command) => {
      this.first(command).core.forgetLeader();
      return [];
    },
    'send-snapshot': (command) => this.sendSnapshot(command),
    propose: (command) => proposalLines(this.first(command).core.propose(Buffer.from(command.args[1]?.key ?? ''))),
    'report-unreachable': (command) => this.reportUnreachable(command),
    _breakpoint: () => [],
  };

  private runOne(command: Command): string[] {
    const run = this.commands[command.name];
    return run === undefined ? [`unknown command: ${command.name}`] : run(command);
  }

  private node(id: number): InteractionNode {
    const node = this.nodes[id - 1];
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  private first(command: Command): InteractionNode {
    return this.node(Number(command.args[0]?.key));
  }

  private addNodes(command: Command): string[] {
    const voters = valuesOf(command, 'voters').map(Number);
    const learners = valuesOf(command, 'learners').map(Number);
    const index = Number(valueOf(command, 'index') ?? 0);
    const data = Buffer.from(valueOf(command, 'content') ?? '');
    const start: Snapshot | undefined =
      index === 0 ? undefined : { term: 1, index, data, configuration: { ...EMPTY_CONFIGURATION, voters, learners } };
    const count = Number(command.args[0]?.key);
    for (let at = 0; at < count; at += 1) {
      const id = this.nodes.length + 1;
      this.nodes.push(new InteractionNode(id, setupOf(command), start, this.isFirstForm));
    }
    return [];
  }

  private compact(command: Command): string[] {
    const [id = 0, index = 0] = numbersOf(command);
    this.node(id).compact(index);
    return this.node(id).describeLog();
  }

  private proposeChange(command: Command, input: string): string[] {
    const named = valueOf(command, 'transition') ?? 'auto';
    const transition = named === 'implicit' || named === 'explicit' ? named : 'auto';
    const change: ConfigurationChange = { transition, changes: parseChanges(input) };
    if (valueOf(command, 'v1') === 'true') this.firstForm.add(change);
    return proposalLines(this.first(command).core.proposeChange(change));
  }

  private status(command: Command): string[] {
    const { followers } = this.first(command).core.status();
    return [...followers].sort(([a], [b]) => a - b).map(([id, progress]) => describeProgress(id, progress));
  }

  private tick(command: Command, ticks: number): string[] {
    for (let at = 0; at < ticks; at += 1) this.first(command).core.tick();
    return [];
  }

  private transfer(command: Command): string[] {
    this.node(Number(valueOf(command, 'from'))).core.transferLeadership(Number(valueOf(command, 'to')));
    return [];
  }

  private reportUnreachable(command: Command): string[] {
    const [reporter = 0, unreachable = 0] = numbersOf(command);
    this.node(reporter).core.reportUnreachable(unreachable);
    return [];
  }

  private sendSnapshot(command: Command): string[] {
    const [from = 0, to = 0] = numbersOf(command);
    const { term } = this.node(from).core.status();
    const message: Message = { kind: 'snapshot', from, to, term, snapshot: this.node(from).snapshot };
    this.messages.push(message);
    return describeMessage(message, this.isFirstForm);
  }

  private setLevel(level: string): string[] {
    this.quiet = level.toLowerCase() === 'none';
    return [];
  }

  private processReadyCommand(command: Command): string[] {
    const ids = numbersOf(command);
    if (ids.length === 1) return this.processReady(this.first(command));
    return ids.flatMap((id) => [`> ${id} handling Ready`, ...indented(this.processReady(this.node(id)))]);
  }

  private processReady(node: InteractionNode): string[] {
    const { lines, messages } = node.processReady();
    this.messages.push(...messages);
    return lines;
  }

  private stabilizeCommand(command: Command): string[] {
    const level = valueOf(command, 'log-level');
    const before = this.quiet;
    if (level !== undefined) this.setLevel(level);
    const ids = numbersOf(command);
    const lines = this.stabilize(ids.length === 0 ? this.nodes : ids.map((id) => this.node(id)));
    const shown = this.quiet ? [] : lines;
    this.quiet = before;
    return shown;
  }

  /** Outputs are worked off and messages delivered among these nodes until nothing is left to do. */
  private stabilize(nodes: readonly InteractionNode[]): string[] {
    const lines: string[] = [];
    for (;;) {
      const before = lines.length;
      for (const node of nodes) {
        if (node.core.hasOutput()) lines.push(`> ${node.id} handling Ready`, ...indented(this.processReady(node)));
      }
      for (const { id } of nodes) {
        if (!this.messages.some(({ to }) => to === id)) continue;
        lines.push(`> ${id} receiving messages`, ...indented(this.deliver(id, undefined)));
      }
      if (lines.length === before) return lines;
    }
  }

  private deliverCommand(command: Command): string[] {
    const type = valueOf(command, 'type');
    const delivered = numbersOf(command).flatMap((id) => this.deliver(id, type));
    const dropped = valuesOf(command, 'drop').flatMap((id) => this.drop(Number(id), type));
    const lines = [...delivered, ...dropped];
    return lines.length === 0 ? ['no messages'] : lines;
  }

  private take(to: number, type: string | undefined): Message[] {
    const wanted = (message: Message): boolean =>
      message.to === to && (type === undefined || messageType(message) === type);
    const taken = this.messages.filter(wanted);
    this.messages = this.messages.filter((message) => !wanted(message));
    return taken;
  }

  private drop(to: number, type: string | undefined): string[] {
    return this.take(to, type).flatMap((message) => {
      const [head = '', ...rest] = describeMessage(message, this.isFirstForm);
      return [`dropped: ${head}`, ...rest];
    });
  }

  private deliver(to: number, type: string | undefined): string[] {
    return this.take(to, type).flatMap((message) => {
      const lines = describeMessage(message, this.isFirstForm);
      const result = this.node(to).core.step(message);
      if (result === 'unknown-peer') lines.push('raft: cannot step as peer not found');
      if (result === 'proposal-dropped') lines.push(DROPPED);
      return lines;
    });
  }
}

const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);

const proposalLines = (result: ProposalResult): string[] => (result.kind === 'dropped' ? [DROPPED] : []);

function setupOf(command: Command): NodeSetup {
  const number = (key: string, otherwise: number): number => Number(valueOf(command, key) ?? otherwise);
  const on = (key: string): boolean => valueOf(command, key) === 'true';
  return {
    electionTicks: ELECTION_TICKS,
    heartbeatTicks: HEARTBEAT_TICKS,
    // The longest election time: a node that ticks for one shortest election time does not stand by itself.
    random: () => 0.99,
    preVote: on('prevote'),
    checkQuorum: on('checkquorum'),
    readMode: valueOf(command, 'read-only') === 'lease-based' ? 'lease' : 'safe',
    forwardProposals: true,
    stepDownOnRemoval: on('step-down-on-removal'),
    limits: {
      ...NO_LIMITS,
      maxInflightMessages: number('inflight', Infinity),
      maxApplyBytes: number('max-committed-size-per-ready', Infinity),
    },
  };
}
