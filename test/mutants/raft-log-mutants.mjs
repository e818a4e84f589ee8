// Bugs put into the Raft log on disk, one at a time.

import { patchesIn } from './patched.mjs';

const patch = patchesIn('hub/raft-log/');

export const tests = ['test/unit/hub/raft-log'];

export const mutants = [
  { name: 'does not sync a write', patches: [patch('raft-log.ts', 'if (sync) await this.sync();', '')] },
  {
    name: 'goes on after a failed fsync',
    patches: [
      patch('raft-log.ts', 'this.fault = new HubError(', 'const fault = new HubError('),
      patch('raft-log.ts', 'return this.fault;', 'return fault;'),
    ],
  },
  {
    name: 'takes damage for a torn end',
    patches: [patch('recover.ts', 'if (next.durable > end) damaged(file, end);', '')],
  },
  {
    name: 'keeps what a new entry replaces',
    patches: [
      patch('replay.ts', 'this.entries.length = Math.max(0, Math.min(this.entries.length, entry.index - first));', ''),
    ],
  },
  {
    name: 'I2 commits by a torn write what that write was to replace',
    patches: [
      patch('raft-log.ts', 'const commit = Math.min(hardState.commit, kept);', 'const commit = hardState.commit;'),
    ],
  },
  {
    name: 'I2 commits by a torn write what a snapshot was to replace',
    patches: [patch('raft-log.ts', ' : onDisk.commit;', ' : restore.index;')],
  },
  {
    name: 'takes a log for whole that ends before what is committed',
    patches: [patch('replay.ts', 'Math.max(commit, this.lastIndex)', 'this.lastIndex')],
  },
];
