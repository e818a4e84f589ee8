/**
 * The clustered engine: gathers commands into batches, proposes them when this node leads and passes them on when it
 * follows. Commands are idempotent (ids, records), so one whose fate is unknown is simply tried again until its deadline.
 */
import { HubError } from '../../../core/errors';
import type { Cursor } from '../../../core/cursor';
import type { Frame } from '../../peers/frame';
import type { PeerAnswer } from '../../peers/peer-door';
import type { Entry } from '../../raft/entry';
import type { Command, CommandResult } from '../../state/commands';
import type { EngineStatus, LogEngine } from '../log-engine';
import { CommandQueue, type Waiting } from './command-queue';
import {
  commandSince,
  decodeResult,
  encodeBatch,
  encodeResult,
  parseCommands,
  type ForwardedResult,
} from './command-batch';
import { FORWARD_RETRY_MS, MAX_BATCHES_UNDER_WAY, PROPOSE_DEADLINE_MS } from './limits';
import type { Replica } from './replica';
import type { StateMachine } from './state-machine';

export interface RaftEngineParts {
  readonly replica: Replica;
  readonly machine: StateMachine;
  readonly nodeId: number;
  readonly head: () => Cursor;
  readonly request: (node: number, name: string, body: unknown, timeoutMs: number) => Promise<Frame>;
  readonly isConnected: (node: number) => boolean;
  /** The member that understands the oldest version of commands only. */
  readonly oldest: () => { readonly address: string; readonly speaks: number };
  /** Which members are not reached and why; empty when all are. */
  readonly unreached: () => string;
  /** Wall clock, ms. */
  readonly now: () => number;
  readonly handOver: () => Promise<void>;
  readonly closeParts: () => Promise<void>;
}

interface UnderWay {
  readonly term: number;
  readonly batch: readonly Waiting[];
}

interface PassedOn {
  readonly leader: number;
  readonly batch: readonly Waiting[];
  /** Somebody else leads now: its answer only counts when it is good news. */
  isAbandoned: boolean;
}

export class RaftEngine implements LogEngine {
  private readonly queue: CommandQueue;
  private readonly underWay = new Map<number, UnderWay>();
  private readonly passedOn = new Set<PassedOn>();
  private closing: Promise<void> | undefined;
  private retry: NodeJS.Timeout | undefined;
  private gathering = false;

  constructor(private readonly parts: RaftEngineParts) {
    this.queue = new CommandQueue(() => this.why());
  }

  readonly propose = (command: Command): Promise<CommandResult> => this.take(command, false);

  /** Commands of a follower: whatever becomes of them here, they are not passed on once more. */
  async takeForwarded(body: unknown): Promise<PeerAnswer> {
    const results = parseCommands(body).map(async (command): Promise<ForwardedResult> => {
      try {
        return await this.take(command, true);
      } catch (error) {
        if (error instanceof HubError) return error;
        throw error;
      }
    });
    return { body: (await Promise.all(results)).map(encodeResult) };
  }

  private take(command: Command, forwarded: boolean): Promise<CommandResult> {
    if (this.closing !== undefined) {
      return Promise.reject(new HubError('going_away', 'This node is stopping. Go to another one.'));
    }
    if (forwarded && this.parts.replica.role !== 'leader') return Promise.reject(notLeader('refused'));
    const result = this.queue.add(command, forwarded, PROPOSE_DEADLINE_MS);
    this.kick();
    return result;
  }

  /** One turn of the microtask queue gathers all that arrives in the same event. While the cluster is given a rest, it waits too. */
  private kick(): void {
    if (this.gathering || this.retry !== undefined) return;
    this.gathering = true;
    void Promise.resolve().then(() => {
      this.gathering = false;
      this.dispatch();
    });
  }

  private dispatch(): void {
    const { replica, nodeId, isConnected } = this.parts;
    while (!this.queue.isEmpty) {
      if (replica.role === 'leader') {
        if (replica.writeFault !== undefined || this.underWay.size >= MAX_BATCHES_UNDER_WAY) return;
        if (!this.proposeBatch()) return this.again();
      } else {
        const { leader } = replica;
        if (leader === 0 || leader === nodeId || !isConnected(leader)) return this.again();
        if (this.passedOn.size >= MAX_BATCHES_UNDER_WAY) return;
        void this.forward(leader, this.queue.takeBatch());
      }
    }
  }

  private again(): void {
    this.retry ??= setTimeout(() => {
      this.retry = undefined;
      this.dispatch();
    }, FORWARD_RETRY_MS);
  }

  /** @returns false when the core takes nothing now */
  private proposeBatch(): boolean {
    const { replica, machine, now } = this.parts;
    const batch = this.understood(this.queue.takeBatch());
    if (batch.length === 0) return true;
    const commands = { receivedAt: new Date(now()).toISOString(), commands: batch.map(({ command }) => command) };
    const data = encodeBatch(commands);
    const result = replica.propose(data);
    if (result.kind !== 'appended') {
      this.queue.putBack(batch);
      return false;
    }
    for (const waiting of batch) waiting.isMaybeTaken = true;
    this.underWay.set(result.index, { term: result.term, batch });
    machine.remember(result.index, data, commands);
    return true;
  }

  /** Of a batch, what all members understand; the rest is refused, because whoever could not apply it would fall out. */
  private understood(batch: readonly Waiting[]): readonly Waiting[] {
    const { address, speaks } = this.parts.oldest();
    const isKnown = ({ command }: Waiting): boolean => commandSince(command) <= speaks;
    const why = `The node at ${address} runs an older ctx, which does not know this yet. Update it, then try again.`;
    for (const waiting of batch) if (!isKnown(waiting)) waiting.reject(new HubError('unsupported_version', why));
    return batch.filter(isKnown);
  }

  private async forward(leader: number, batch: readonly Waiting[]): Promise<void> {
    const request: PassedOn = { leader, batch, isAbandoned: false };
    this.passedOn.add(request);
    const before = batch.map(({ isMaybeTaken }) => isMaybeTaken);
    // From here on, until the leader says otherwise: a deadline that passes meanwhile must not say that nothing was stored.
    for (const waiting of batch) waiting.isMaybeTaken = true;
    const refused = (waiting: Waiting, at: number): void => void (waiting.isMaybeTaken = before[at] ?? true);
    try {
      const body = batch.map(({ command }) => command);
      const { head } = await this.parts.request(leader, 'propose', body, PROPOSE_DEADLINE_MS);
      const results = Array.isArray(head) ? head.map(decodeResult) : [];
      batch.forEach((waiting, at) => {
        const result = results[at];
        if (request.isAbandoned && (result === undefined || result instanceof HubError)) return;
        if (result instanceof HubError && result.outcome === 'refused') refused(waiting, at);
        this.settleForwarded(waiting, result);
      });
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      if (request.isAbandoned) return;
      if (error.outcome === 'refused') batch.forEach(refused);
      this.queue.putBack(batch);
      this.again();
    } finally {
      this.passedOn.delete(request);
      this.kick();
    }
  }

  /** A leader that fell silent keeps what it was asked until the deadline: the next one is asked at once. Twice in the log counts once. */
  private abandon(): void {
    const { leader } = this.parts.replica;
    if (leader === 0) return;
    for (const request of this.passedOn) {
      if (request.leader === leader) continue;
      request.isAbandoned = true;
      this.passedOn.delete(request);
      this.queue.putBack(request.batch);
    }
  }

  private settleForwarded(waiting: Waiting, result: ForwardedResult | undefined): void {
    if (result === undefined) {
      return waiting.reject(new HubError('internal', 'The leader gave no answer.', { outcome: 'unknown' }));
    }
    if (!(result instanceof HubError)) return waiting.resolve(result);
    const { code } = result;
    // It does not lead any more, or is about to end: the next leader will know.
    if (code === 'no_leader' || code === 'going_away') {
      this.queue.putBack([waiting]);
      this.again();
    } else if (waiting.isMaybeTaken && result.outcome === 'refused') {
      // This try was refused; what became of an earlier one is not known.
      waiting.reject(new HubError(code, result.message, { outcome: 'unknown', cause: result }));
    } else waiting.reject(result);
  }

  /** An entry was applied: whoever proposed it here learns what became of it. */
  applied(entry: Entry, results: readonly CommandResult[]): void {
    const mine = this.underWay.get(entry.index);
    this.underWay.delete(entry.index);
    if (mine?.term === entry.term) {
      mine.batch.forEach((waiting, at) => {
        const result = results[at];
        if (result === undefined) throw new Error('a batch answers every command');
        waiting.resolve(result);
      });
    } else if (mine !== undefined) this.takeBack(mine.batch);
    if (!this.queue.isEmpty) this.kick();
  }

  /** Role or leader changed. What an old leadership left behind is tried again: a command in the log twice counts once. */
  changed(): void {
    if (this.parts.replica.role !== 'leader') {
      const left = [...this.underWay.values()];
      this.underWay.clear();
      for (const { batch } of left) this.takeBack(batch);
    }
    this.abandon();
    clearTimeout(this.retry);
    this.retry = undefined;
    this.kick();
  }

  private takeBack(batch: readonly Waiting[]): void {
    const own = batch.filter(({ forwarded }) => !forwarded);
    for (const waiting of batch) if (waiting.forwarded) waiting.reject(notLeader('unknown'));
    this.queue.putBack(own);
  }

  private why(): string {
    const { replica } = this.parts;
    if (replica.writeFault !== undefined) return replica.writeFault;
    if (replica.leader !== 0) return 'the leader does not answer';
    const unreached = this.parts.unreached();
    return `no majority of the cluster is in contact${unreached === '' ? '' : `, ${unreached}`}`;
  }

  readonly status = (): EngineStatus => ({
    engine: 'raft',
    role: this.parts.replica.role === 'leader' ? 'leader' : 'follower',
    head: this.parts.head(),
    writeFault: this.parts.replica.writeFault,
  });

  readonly handOver = (): Promise<void> => this.parts.handOver();

  readonly close = (): Promise<void> => (this.closing ??= this.drain());

  private async drain(): Promise<void> {
    await this.queue.whenEmpty();
    clearTimeout(this.retry);
    await this.parts.closeParts();
  }
}

const notLeader = (outcome: 'refused' | 'unknown'): HubError =>
  new HubError('no_leader', 'This node does not lead the cluster (any more).', { outcome });
