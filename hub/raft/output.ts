/** What a server wants done, as plain data: what to write, what to send, what to apply, and in which order. */
import type { Entry, HardState, NodeId, Snapshot } from './entry';
import type { Message } from './message';
import type { ReadState, Role } from './state';

/** May be shown and acted on, need not be remembered. */
export interface SoftState {
  readonly leader: NodeId;
  readonly role: Role;
}

/** One write. The next begins only after `persisted(number)`; meanwhile inputs are taken and outputs without one given. */
export interface Persist {
  readonly number: number;
  /**
   * Goes before the entries of the same write: whoever holds a configuration entry must also know how far the log was
   * committed when it came. A torn write may so keep a commit index beyond its entries; recovery lowers it to the log's end.
   */
  readonly hardState: HardState | undefined;
  /** Replaces the whole log on disk, and the state machine's content. */
  readonly snapshot: Snapshot | undefined;
  /** The first one's index and everything above is cut off on disk before these are written. */
  readonly entries: readonly Entry[];
  /** Must survive a power cut before `persisted` is called. Else only the commit index moved: that may get lost. */
  readonly mustSync: boolean;
}

export interface Output {
  /** Present when it changed. */
  readonly softState: SoftState | undefined;
  readonly persist: Persist | undefined;
  /** May happen at once. */
  readonly now: {
    readonly messages: readonly Message[];
    /** Committed and durable here. */
    readonly apply: readonly Entry[];
    readonly reads: readonly ReadState[];
  };
  /** Only when `persist` is durable; empty without one. */
  readonly afterPersist: {
    readonly messages: readonly Message[];
    /** Committed entries, some of which are in this write. */
    readonly apply: readonly Entry[];
  };
}
