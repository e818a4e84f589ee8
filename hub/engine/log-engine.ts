/**
 * What orders commands and makes them durable. The hub's state and store belong to the hub; an engine drives them. One
 * conformance suite runs over every engine.
 */
import type { Cursor } from '../../core/cursor';
import type { Command, CommandResult } from '../state/commands';

export interface EngineStatus {
  readonly engine: 'file' | 'raft';
  readonly role: 'leader' | 'follower';
  readonly head: Cursor;
  /** Why writes are refused now, in words for the operator; `undefined` = they are not. */
  readonly writeFault: string | undefined;
}

export interface LogEngine {
  /**
   * Resolves when the command's effect is durable; commands proposed while a write is under way share the next one.
   * @throws HubError with an honest `outcome`: `disk_full`, `store_failed`, `no_leader`, `going_away`, …
   */
  readonly propose: (command: Command) => Promise<CommandResult>;
  readonly status: () => EngineStatus;
  /** Gives up leadership, when there is somebody to give it to: before a stop. */
  readonly handOver?: () => Promise<void>;
  /** Refuses new commands with `going_away`, finishes those under way, closes the store cleanly. */
  readonly close: () => Promise<void>;
}
