// Bugs put into the consensus core one at a time (gate G4): each must be caught by a test. A patch replaces text that occurs
// exactly once in its file, so that a change of the core which makes a patch void is noticed.

import { patchesIn } from './patched.mjs';

const patch = patchesIn('hub/raft/');

/** Folders or files of tests that may kill them. */
export const tests = ['test/unit/raft'];

export const mutants = [
  {
    name: '1 commits an entry of an older term by counting',
    patches: [patch('replication.ts', '.termAt(index) !== state.term) return', '.termAt(index) === undefined) return')],
  },
  {
    name: '2 refuses a vote only if its own log is longer and newer',
    patches: [
      patch(
        'entry.ts',
        'return log.term > other.term || (log.term === other.term && log.index >= other.index);',
        'return !(other.term > log.term && other.index > log.index);',
      ),
    ],
  },
  {
    name: '3 votes by length only',
    patches: [
      patch(
        'entry.ts',
        'return log.term > other.term || (log.term === other.term && log.index >= other.index);',
        'return log.index >= other.index;',
      ),
    ],
  },
  {
    name: '4 votes twice in a term',
    patches: [patch('election.ts', 'const maySupport = state.vote === from ||', 'const maySupport = true ||')],
  },
  {
    name: '5 keeps its vote in a new term',
    patches: [patch('roles.ts', 'state.vote = NOBODY;', '')],
  },
  {
    name: '6 does not sync a vote',
    patches: [patch('raw-node.ts', ' || before.vote !== this.state.vote;', ';')],
  },
  {
    name: '7 counts one too few for a majority',
    patches: [patch('quorum.ts', 'Math.floor(size / 2) + 1', 'Math.ceil(size / 2)')],
  },
  {
    name: '8 commits by the new majority alone in a joint configuration',
    patches: [
      patch(
        'quorum.ts',
        'return Math.min(majorityIndex(voters, acknowledged), majorityIndex(outgoing, acknowledged));',
        'return majorityIndex(voters, acknowledged);',
      ),
    ],
  },
  {
    name: '9 takes a second configuration change while one is pending',
    patches: [patch('membership.ts', 'state.pendingConfigurationIndex > state.log.applied', 'false')],
  },
  {
    name: '10 stands with a committed, unapplied configuration',
    patches: [patch('election.ts', "entry.kind === 'configuration'", 'false')],
  },
  {
    name: '11 sends its commit index in heartbeats as it is',
    patches: [patch('replication.ts', 'Math.min(progress.match, state.log.committed)', 'state.log.committed')],
  },
  {
    name: '12 commits past what an append verified',
    patches: [patch('follower.ts', 'Math.min(commit, matching)', 'Math.min(commit, state.log.lastIndex)')],
  },
  {
    name: '13 cuts off a matching suffix for a stale append',
    patches: [
      patch(
        'log.ts',
        'if (firstNew !== -1) this.replaceFrom(entries.slice(firstNew));',
        'this.replaceFrom(entries.filter((entry) => entry.index > this.committedIndex));',
      ),
    ],
  },
  {
    name: '14 does not check the term of the previous entry',
    patches: [
      patch(
        'log.ts',
        'if (!this.matches(previous)) return undefined;',
        'if (previous.index > this.lastIndex) return undefined;',
      ),
    ],
  },
  {
    name: '15 begins a term without a no-op',
    patches: [patch('roles.ts', "appendAsLeader(state, [{ kind: 'no-op' }]);", '')],
  },
  {
    name: '16 stays candidate although its term has a leader',
    patches: [
      patch('step.ts', 'becomeFollower(state, message.term, message.from);\n      takeFromLeader(state, message);', ''),
    ],
  },
  {
    name: '17 is talked out of a leader it hears',
    patches: [patch('election.ts', 'return checkQuorum &&', 'return false && checkQuorum &&')],
  },
  {
    name: '18 takes over the term of a pre-vote',
    patches: [patch('step.ts', 'return !preVote && !preVoteGrant;', 'return !preVoteGrant;')],
  },
  {
    name: '19 takes proposals in while it hands over',
    patches: [patch('proposals.ts', "if (state.transferTarget !== NOBODY) return dropped('transfer-under-way');", '')],
  },
  {
    name: '20 never gives a transfer up',
    patches: [patch('tick.ts', 'state.transferTarget = NOBODY;', '')],
  },
  {
    name: '21 takes a stale snapshot',
    patches: [
      patch('follower.ts', 'if (snapshot.index <= state.log.committed) return false;', ''),
      patch('log.ts', 'invariant(snapshot.index > this.committedIndex,', 'invariant(true,'),
    ],
  },
  {
    name: '22 answers reads before an entry of its own term is committed',
    patches: [patch('reads.ts', '!hasCommittedInTerm(state)) state', 'false) state')],
  },
  {
    name: '23 keeps match indexes of an earlier leadership',
    patches: [
      patch(
        'roles.ts',
        'if (node === id) fresh.match = state.log.lastIndex;',
        'fresh.match = node === id ? state.log.lastIndex : (state.progress.get(node)?.match ?? 0);',
      ),
    ],
  },
  {
    name: 'FM-23 follows a leader that counts on entries which are gone',
    patches: [
      patch(
        'follower.ts',
        'if (commit > state.log.lastIndex) throw new LostEntriesError(commit, state.log.lastIndex);',
        'commit = Math.min(commit, state.log.lastIndex);',
      ),
    ],
  },
];
