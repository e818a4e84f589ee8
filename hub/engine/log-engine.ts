/**
 * What orders commands and makes them durable. The hub's state and store belong to the hub; an engine drives them. One
 * conformance suite runs over every engine.
 */
import type { Cursor } from '../../core/cursor';
import type { ClientRecord, Command, CommandResult } from '../state/commands';
import type { LogReader } from '../store/log-reader';
import type { Watermark } from '../store/meta';

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

/** The registered clients as committed. */
export interface ClientDirectory {
  readonly find: (id: string) => ClientRecord | undefined;
  /** Revoked ones included. */
  readonly list: () => readonly ClientRecord[];
}

/** An engine with what it has opened beneath it. */
export interface OpenedEngine {
  readonly engine: LogEngine;
  readonly reader: LogReader;
  readonly clients: ClientDirectory;
  /** What an operator should act on, in words: a failed store, damage found while running. Empty = all is well. */
  readonly problems: () => readonly string[];
  /** Looks whether the log is still in its place; what is wrong is among the problems from then on. */
  readonly lookAfter?: () => Promise<void>;
  /** End of the log on disk; what lies before it never changes. */
  readonly durableEnd: () => Watermark;
}
