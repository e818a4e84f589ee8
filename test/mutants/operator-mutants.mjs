// Bugs in what an operator meets: odd files, hand edits, a log taken away; seen from outside, by the built command.

import { patchesIn } from './patched.mjs';

const store = patchesIn('hub/store/');
const patch = patchesIn('');
const failure = (name) => [`test/failure-modes/${name}.test.ts`];

export const products = true;

export const tests = failure('FM-26-pipes-and-lost-files');

export const mutants = [
  {
    name: 'FM-02 acknowledges into a log that was taken away',
    patches: [store('log-file.ts', '    await this.checkPlace();\n', '')],
    tests: failure('FM-02-log-taken-away'),
  },
  {
    name: 'FM-02 does not notice that the log was cut',
    patches: [store('log-file.ts', 'return size < this.end ?', 'return size < 0 ?')],
    tests: failure('FM-02-log-taken-away'),
  },
  {
    name: 'FM-20 a used up quota fails the store for good',
    patches: [patch('core/node/file-errors.ts', "if (errno === QUOTA) return 'EDQUOT';", '')],
    tests: failure('FM-20-disk-full'),
  },
  {
    name: 'FM-20 takes a first start on a full disk for a bug',
    patches: [store('whole-file.ts', 'this.code = errnoOf(cause);', 'this.code = undefined;')],
    tests: failure('FM-20-disk-full'),
  },
  {
    name: 'FM-26 waits for the other end of a pipe',
    patches: [store('node-disk.ts', 'read: O_RDONLY | NO_FOLLOW | NO_WAIT', 'read: O_RDONLY | NO_FOLLOW')],
  },
  {
    name: 'FM-28 tells to stop the hub that a folder was copied from',
    patches: [store('lock.ts', 'if (original !== undefined) throw', 'if (original === "") throw')],
    tests: failure('FM-28-one-hub-per-data-directory'),
    grep: 'a copy of a folder in use',
  },
  {
    name: 'FM-28 takes the hub that a folder was copied from for its own',
    patches: [
      patch(
        'core/node/local-hub/local-control.ts',
        "  if ((await copiedFrom(hubLockPath(dataDir))) !== undefined) return { kind: 'stopped' };\n",
        '',
      ),
    ],
    tests: failure('FM-28-one-hub-per-data-directory'),
    grep: 'a copy of a folder in use',
  },
  {
    name: 'FM-26 begins anew where log and meta.json were lost',
    patches: [store('data-directory.ts', 'left.some((facts) => facts !== undefined) ||', '')],
  },
  {
    name: 'FM-26 names a repair that does not mend half a line',
    patches: [store('recover-log.ts', "halfLine ? '--quarantine'", "halfLine ? '--rebuild-meta'")],
    tests: failure('FM-26-files-that-do-not-match'),
  },
  {
    name: 'waits for the other end of a pipe where a token is named',
    patches: [patch('core/node/small-file.ts', 'fs.constants.O_RDONLY | NO_WAIT', 'fs.constants.O_RDONLY')],
    tests: ['test/hub/strange-input.test.ts'],
    grep: 'a pipe, a device',
  },
  {
    name: 'takes any text for the fingerprint of a certificate',
    patches: [patch('core/fingerprint.ts', '{32}$/i.test(bare)', '*/i.test(bare)')],
    tests: ['test/hub/strange-input.test.ts'],
    grep: 'a fingerprint',
  },
  {
    name: 'FM-47 backs up a hub that has lost its clients',
    patches: [store('backup.ts', '  await checkClients(disk, from);\n', '')],
    tests: failure('FM-47-clients-edited-by-hand'),
  },
  {
    name: 'FM-29 makes a backup in the data directory itself',
    patches: [patch('hub/commands/backup.ts', '  refuseInside(dataDir, target);\n', '')],
    tests: failure('FM-29-backup'),
  },
  {
    name: 'FM-37 imports other text than the file has',
    patches: [store('import-file.ts', 'fatal: true', 'fatal: false')],
    tests: failure('FM-37-import'),
  },
  {
    name: 'FM-47 writes over an edit under the running hub',
    patches: [patch('hub/engine/file-engine.ts', 'replaceClients(plan.clients, true)', 'replaceClients(plan.clients)')],
    tests: failure('FM-47-clients-edited-by-hand'),
  },
  {
    name: 'FM-47 tells a piece of a token',
    patches: [
      store('json-file.ts', '  return text.replace(', "  if (text !== '') return text;\n  return text.replace("),
    ],
    tests: failure('FM-47-clients-edited-by-hand'),
  },
  {
    name: 'a node that cannot be reached is a bug in the words of the node that was asked to add it',
    patches: [patch('core/errors.ts', "  unreachable: 'timeout',\n", '')],
    tests: ['test/cluster/membership.test.ts'],
    grep: 'keeps every line|takes in two nodes|peer add says',
  },
];
