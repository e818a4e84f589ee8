/** What servers say to one another. The names follow the thesis's remote procedure calls; each call is two messages. */
import type { Entry, EntryContent, LogPosition, NodeId, Snapshot } from './entry';

export interface Envelope {
  readonly from: NodeId;
  readonly to: NodeId;
  /** The sender's term; for a pre-vote the term it would begin; 0 where the term does not matter (forwarded requests). */
  readonly term: number;
}

export type MessageBody =
  /** §3.5; an empty one is a probe or tells the commit index. */
  | {
      readonly kind: 'append';
      readonly previous: LogPosition;
      readonly entries: readonly Entry[];
      readonly commit: number;
    }
  /** Everything up to `index` matches. */
  | { readonly kind: 'append-accepted'; readonly index: number }
  /** The log does not hold the entry at `index`; `hint` is where it may meet the leader's. */
  | { readonly kind: 'append-rejected'; readonly index: number; readonly hint: LogPosition }
  | { readonly kind: 'heartbeat'; readonly commit: number; readonly read?: string | undefined }
  | { readonly kind: 'heartbeat-response'; readonly read?: string | undefined }
  /** §5.3; answered by `append-accepted`. */
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot }
  /** §3.4 and, for `preVote`, §9.6. `transfer`: the leader itself asked for this election (§3.10). */
  | {
      readonly kind: 'request-vote';
      readonly preVote: boolean;
      readonly last: LogPosition;
      readonly transfer: boolean;
    }
  | { readonly kind: 'vote'; readonly preVote: boolean; readonly granted: boolean }
  /** The leader asks the receiver to begin an election at once (§3.10). */
  | { readonly kind: 'timeout-now' }
  | { readonly kind: 'forward-proposals'; readonly proposals: readonly EntryContent[] }
  | { readonly kind: 'forward-transfer'; readonly target: NodeId }
  /** §6.4 */
  | { readonly kind: 'forward-read'; readonly read: string }
  | { readonly kind: 'read-answer'; readonly read: string; readonly index: number };

export type Message = Envelope & MessageBody;
export type MessageOf<Kind extends MessageBody['kind']> = Envelope & Extract<MessageBody, { readonly kind: Kind }>;

/** Answers count only from members: anybody else's are void. */
export function isAnswer(message: MessageBody): boolean {
  switch (message.kind) {
    case 'append-accepted':
    case 'append-rejected':
    case 'heartbeat-response':
    case 'vote':
    case 'read-answer':
      return true;
    default:
      return false;
  }
}
