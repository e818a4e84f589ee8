/**
 * What a leader sends is checked before consensus sees it, as commands are at the front door: what could not be applied never
 * gets into this node's log, so that no entry can stop a node, now or at each of its next starts.
 */
import { HubError } from '../../../core/errors';
import type { Entry } from '../../raft/entry';
import type { Message } from '../../raft/message';
import { decodeSnapshot, memberIn } from './cluster';
import { decodeBatch } from './command-batch';
import type { StateMachine } from './state-machine';

export interface ArrivalsParts {
  readonly machine: Pick<StateMachine, 'now' | 'remember'>;
  readonly warn: (message: string) => void;
}

export class Arrivals {
  private refused: { readonly from: number; readonly why: string } | undefined;

  constructor(private readonly parts: ArrivalsParts) {}

  /** What was refused of the leader and has not been replaced by something better, in words for the operator. */
  faultOf(leader: number): string | undefined {
    return this.refused?.from === leader ? this.refused.why : undefined;
  }

  /** @returns false for a message that is not to be taken; it is named once */
  takes(message: Message, from: number): boolean {
    if (message.kind !== 'append' && message.kind !== 'snapshot') return true;
    try {
      if (message.kind === 'snapshot') decodeSnapshot(message.snapshot.data);
      else for (const entry of message.entries) this.check(entry);
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      this.refuse(from, `What node ${from} sends is refused: ${error.message}`);
      return false;
    }
    if (message.kind === 'snapshot' || message.entries.length > 0) this.refused = undefined;
    return true;
  }

  private check(entry: Entry): void {
    const { index } = entry;
    try {
      if (entry.kind === 'configuration') memberIn(entry.change);
      if (entry.kind !== 'data') return;
      const batch = decodeBatch(entry.data);
      // Not again when it is applied. What came late is applied already.
      if (index > this.parts.machine.now.index) this.parts.machine.remember(index, entry.data, batch);
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      throw new HubError(error.code, `Raft entry ${index}: ${error.message}`, { cause: error });
    }
  }

  private refuse(from: number, why: string): void {
    if (why !== this.refused?.why) this.parts.warn(why);
    this.refused = { from, why };
  }
}
