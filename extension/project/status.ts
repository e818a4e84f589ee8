/** What a project's connection looks like from outside, and what the feed and the status bar make of it. Pure. */
import type { EntryType } from '../../core/entry';
import type { SyncSnapshot } from '../../core/sync/snapshot';
import type { FeedState } from '../names';

export interface ConnectionFacts {
  readonly address: string;
  readonly project: string;
  readonly client: string;
  readonly hubId: string;
  /** The hub is the one of this machine: it can be started here. */
  readonly isLocal: boolean;
  readonly types: readonly EntryType[];
}

export type ProjectStatus =
  | { readonly kind: 'noContext' }
  | { readonly kind: 'notConnected' }
  /** A connection file is there that is not used; `reason` says why. */
  | { readonly kind: 'foreign'; readonly reason: string }
  | { readonly kind: 'connected'; readonly connection: ConnectionFacts; readonly sync: SyncSnapshot };

/** Entries to go until the hub's end of the log is reached. */
export function lagOf({ cursor, head }: SyncSnapshot): number {
  return Math.max(0, (head?.sequence ?? 0) - (cursor?.sequence ?? 0));
}

function stateOf(status: ProjectStatus): FeedState {
  if (status.kind !== 'connected') return status.kind;
  const { types, isLocal } = status.connection;
  const away = isLocal ? 'localUnreachable' : 'unreachable';
  switch (status.sync.phase) {
    case 'idle':
    case 'connecting':
    case 'replaying':
      return 'connecting';
    case 'live':
      return types.length === 0 ? 'nothingSubscribed' : 'empty';
    case 'waiting':
      return away;
    case 'stopped':
      return status.sync.lastError === undefined ? away : 'refused';
  }
}

/** From what works best to what needs most: with several folders, the best one speaks for the empty feed. */
const BEST_FIRST: readonly FeedState[] = [
  'empty',
  'connecting',
  'nothingSubscribed',
  'localUnreachable',
  'unreachable',
  'refused',
  'foreign',
  'notConnected',
  'noContext',
];

export function feedState(statuses: readonly ProjectStatus[], trusted: boolean): FeedState {
  if (statuses.length === 0) return 'noFolder';
  const states = statuses.map(stateOf);
  const best = BEST_FIRST.find((each) => states.includes(each)) ?? 'noContext';
  return trusted || best === 'noContext' ? best : 'untrusted';
}

/** Said above entries that are shown although nothing comes in. @returns `undefined` while everything is as it should be */
export function cachedNote(state: FeedState): string | undefined {
  switch (state) {
    case 'empty':
    case 'connecting':
      return undefined;
    case 'untrusted':
      return 'Restricted Mode: showing what arrived before.';
    case 'localUnreachable':
    case 'unreachable':
      return 'The hub cannot be reached: showing what arrived before.';
    case 'nothingSubscribed':
      return 'Nothing is subscribed: showing what arrived before.';
    case 'refused':
      return 'The hub refused this project: showing what arrived before.';
    case 'noFolder':
    case 'noContext':
    case 'notConnected':
    case 'foreign':
      return 'Not connected: showing what arrived before.';
  }
}

export interface StatusText {
  /** With codicons. */
  readonly text: string;
  readonly problem: boolean;
}

/** @returns `undefined` when there is nothing to say */
export function statusText(
  status: ProjectStatus | undefined,
  trusted: boolean,
  pending: number,
): StatusText | undefined {
  if (status === undefined || status.kind === 'noContext') return undefined;
  const waiting = pending === 0 ? '' : ` · ${pending} pending`;
  const say = (icon: string, problem = false): StatusText => ({ text: `$(${icon}) ctx Hub${waiting}`, problem });
  if (!trusted) return say('shield');
  if (status.kind === 'notConnected') return say('debug-disconnect');
  if (status.kind === 'foreign') return say('warning', true);
  switch (status.sync.phase) {
    case 'idle':
    case 'connecting':
      return say('sync~spin');
    case 'replaying': {
      const lag = lagOf(status.sync);
      return { text: `$(sync~spin) ctx Hub · ${lag} to go${waiting}`, problem: false };
    }
    case 'live':
      return { text: `$(broadcast) ctx Hub #${status.sync.cursor?.sequence ?? 0}${waiting}`, problem: false };
    case 'waiting':
      return say('cloud', true);
    case 'stopped':
      return say('error', true);
  }
}

export function phaseWords(status: ProjectStatus): string {
  switch (status.kind) {
    case 'noContext':
      return 'no .context folder';
    case 'notConnected':
      return 'not connected to a hub';
    case 'foreign':
      return `connection not used: ${status.reason}`;
    case 'connected':
      return syncWords(status.sync);
  }
}

function syncWords(sync: SyncSnapshot): string {
  switch (sync.phase) {
    case 'idle':
      return 'about to connect';
    case 'connecting':
      return 'connecting';
    case 'replaying':
      return `catching up, ${lagOf(sync)} to go`;
    case 'live':
      return sync.waitsForApproval === true ? "waits for the operator's approval" : 'live';
    case 'waiting':
      return `not reachable, next try in ${Math.ceil((sync.retryInMs ?? 0) / 1000)} s`;
    case 'stopped':
      return 'refused by the hub';
  }
}
