/** What a follower does with its leader's messages (thesis §3.5, §5.3). */
import { NOBODY } from './entry';
import { allMembers } from './configuration';
import { LostEntriesError } from './invariant';
import type { MessageOf } from './message';
import { becomeFollower } from './roles';
import { send, type RaftState } from './state';

export function takeAppend(state: RaftState, append: MessageOf<'append'>): void {
  const { from, previous, entries, commit } = append;
  if (previous.index < state.log.committed) {
    // Old news: everything committed matches already.
    send(state, from, { kind: 'append-accepted', index: state.log.committed });
    return;
  }
  const matching = state.log.tryAppend(previous, entries);
  if (matching === undefined) {
    const nearest = Math.min(previous.index, state.log.lastIndex);
    const hint = state.log.lastAtOrBelow(nearest, previous.term);
    send(state, from, { kind: 'append-rejected', index: previous.index, hint });
    return;
  }
  // Beyond what this append verified the log may still differ from the leader's (thesis §3.5).
  state.log.commitTo(Math.min(commit, matching));
  send(state, from, { kind: 'append-accepted', index: matching });
}

export function takeHeartbeat(state: RaftState, { from, commit, read }: MessageOf<'heartbeat'>): void {
  // A leader tells a follower of no commit beyond what that follower has accepted.
  if (commit > state.log.lastIndex) throw new LostEntriesError(commit, state.log.lastIndex);
  state.log.commitTo(commit);
  send(state, from, { kind: 'heartbeat-response', read });
}

export function takeSnapshot(state: RaftState, message: MessageOf<'snapshot'>): void {
  const restored = restore(state, message);
  const index = restored ? state.log.lastIndex : state.log.committed;
  send(state, message.from, { kind: 'append-accepted', index });
}

/** Returns whether the snapshot replaced the log. */
function restore(state: RaftState, { snapshot }: MessageOf<'snapshot'>): boolean {
  // Committed entries must never be taken back, and a late snapshot lacks some.
  if (snapshot.index <= state.log.committed) return false;
  if (state.role !== 'follower') {
    // Cannot happen; if it does, a higher term keeps this server from harm.
    becomeFollower(state, state.term + 1, NOBODY);
    return false;
  }
  // A configuration without this server would leave it deaf: whoever sent this has made a mistake.
  if (!allMembers(snapshot.configuration).includes(state.options.id)) return false;
  if (state.log.matches(snapshot)) {
    // The log holds all of it: keep what follows (thesis §5.3), only the commit index is news.
    state.log.commitTo(snapshot.index);
    return false;
  }
  // Its configuration takes effect when it is durable: entries handed out before may hold changes to be applied first.
  state.log.restore(snapshot);
  return true;
}
