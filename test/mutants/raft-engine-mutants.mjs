// Bugs in what the engine of a cluster says of commands that are on their way.

import fs from 'node:fs';
import { patchesIn } from './patched.mjs';

const patch = patchesIn('hub/engine/raft/');

const engine = 'test/unit/hub/engine/raft';
// Without the foundings, which take a minute and see none of these.
export const tests = fs
  .readdirSync(engine)
  .filter((name) => name.endsWith('.test.ts') && name !== 'founding.test.ts')
  .map((name) => `${engine}/${name}`);

export const mutants = [
  {
    name: 'P5 says that nothing was stored while the leader has the command',
    patches: [patch('raft-engine.ts', 'for (const waiting of batch) waiting.isMaybeTaken = true;\n    const', 'const')],
  },
  {
    name: 'P5 forgets that an earlier try was lost',
    patches: [patch('raft-engine.ts', 'waiting.isMaybeTaken = before[at] ?? true', 'waiting.isMaybeTaken = false')],
  },
  {
    name: 'asks one that does not lead again and again without a rest',
    patches: [
      patch('raft-engine.ts', 'if (this.gathering || this.retry !== undefined) return;', 'if (this.gathering) return;'),
    ],
  },
  {
    name: 'P5 takes a strange answer for a refusal',
    patches: [patch('command-batch.ts', "is not understood.', { outcome: 'unknown' }", "is not understood.', {}")],
  },
  {
    name: 'FM-30 a publish that meets the end of a leadership is given up',
    patches: [
      patch('raft-engine.ts', "if (code === 'no_leader' || code === 'going_away') {", "if (code === 'going_away') {"),
    ],
  },
  {
    name: 'FM-30 a publish that meets a leader which is about to end is given up',
    patches: [
      patch('raft-engine.ts', "if (code === 'no_leader' || code === 'going_away') {", "if (code === 'no_leader') {"),
    ],
  },
  {
    name: 'P10 waits for the answer of a leader that is no more',
    patches: [patch('raft-engine.ts', '    this.abandon();\n', '')],
  },
  {
    name: 'P5 believes a refusal of the leader before',
    patches: [
      patch(
        'raft-engine.ts',
        'if (request.isAbandoned && (result === undefined || result instanceof HubError)) return;',
        '',
      ),
    ],
  },
  {
    name: 'P10 stands only once when the votes were split',
    patches: [patch('standing.ts', 'if (tries + 1 < CLOSED_LEADER_TRIES) this.wait(tries + 1);', '')],
  },
  {
    name: 'stands although somebody leads',
    patches: [patch('standing.ts', 'if (!this.parts.isLeaderless()) return;', '')],
  },
  {
    name: 'FM-23 votes without entries that it has applied lines of',
    patches: [patch('open-data.ts', '      await requireLines(disk, folder, raft, mark.index);\n', '')],
  },
  {
    name: 'FM-23 votes without entries that clients.json is of',
    patches: [patch('open-data.ts', "if (snapshot !== 'begun') requireClients(", 'if (false) requireClients(')],
  },
  {
    name: 'FM-23 takes a snapshot of once for an excuse for ever',
    patches: [
      patch(
        'open-data.ts',
        'const { snapshot, clients, ...state } = mark;',
        'const { snapshot, clients } = mark, state = mark;',
      ),
    ],
  },
  {
    name: 'FM-23 suspects a node of having lost what a snapshot brought',
    patches: [patch('open-data.ts', "mark.snapshot !== 'begun'", 'true')],
  },
  {
    name: 'FM-23 does not say that a snapshot has begun',
    patches: [patch('state-machine.ts', "await this.mark(false, 'begun');", '')],
  },
  {
    name: 'FM-20 a leader begins to hand over anew each time it is told to',
    patches: [patch('cluster-admin.ts', 'this.handingOver ??= ', 'this.handingOver = ')],
  },
  {
    name: 'FM-23 forgets the verdict when it cannot be kept',
    patches: [
      patch(
        'lost-node.ts',
        'new HubError(verdict.code, `${verdict.message} ${unsaid}`',
        'new HubError(verdict.code, unsaid',
      ),
    ],
  },
];
