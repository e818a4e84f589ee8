// Bugs in how local files are read and changed: the splice, the lock, the atomic write, secrets on disk.

import { patchesIn } from './patched.mjs';

const patch = patchesIn('');
const unit = (file) => `test/unit/core/${file}.test.ts`;

export const tests = [
  unit('context/insert'),
  unit('context/parse'),
  unit('node/context-file'),
  unit('node/atomic-file'),
  unit('node/file-lock'),
];

const INSERT = 'core/context/insert.ts';
const ATOMIC = 'core/node/atomic-file.ts';
const LOCK = 'core/node/file-lock.ts';
const FILE = 'core/node/context-file.ts';

export const mutants = [
  {
    name: 'lock: takes a folder by another name for a copy of it',
    patches: [
      patch(
        LOCK,
        'return one.ino === other.ino && one.dev === other.dev ? undefined : holder.place;',
        'return one === other ? undefined : holder.place;',
      ),
    ],
  },
  {
    name: 'splice: swallows the byte behind the place',
    patches: [patch(INSERT, 'text.slice(span.end)', 'text.slice(span.end + 1)')],
  },
  {
    name: 'splice: always writes LF',
    patches: [patch(INSERT, "inserted.replaceAll('\\n', lineEndOf(text))", 'inserted')],
  },
  {
    name: 'splice: ends a file that had no final newline',
    patches: [patch(INSERT, "(ended ? '\\n' : '')", "'\\n'")],
  },
  {
    name: 'splice: appends inside an unclosed comment',
    patches: [patch(INSERT, 'if (open === undefined) return;', 'return;')],
  },
  {
    name: 'splice: puts entries among those that another tool writes',
    patches: [patch(INSERT, 'headings.filter(({ start }) => !isInside(start, managed))', '[...headings]')],
  },
  {
    name: 'splice: uses the table of contents as a section',
    patches: [patch(INSERT, 'if (isIndexSection(title)) {', 'if (false) {')],
  },
  {
    name: 'splice: the text is not read back before it is written',
    patches: [
      patch(
        FILE,
        'if (entry?.title !== titleAsRead(draft) || after.entries.length !== before.entries.length + 1) {',
        'if (false) {',
      ),
    ],
  },
  {
    name: 'file: adds an entry whose id is there a second time',
    patches: [patch(FILE, 'if (existing !== undefined) return existing;', '')],
  },
  {
    name: 'file: replaces what an editor saved meanwhile',
    patches: [patch(ATOMIC, 'if (isSame(now, options.expected.stats)) return;', 'return;')],
  },
  {
    name: 'file: bytes that are no UTF-8 become replacement characters',
    patches: [patch(FILE, 'fatal: true', 'fatal: false')],
  },
  {
    name: 'file: the byte order mark is lost',
    patches: [patch(FILE, 'ignoreBOM: true', 'ignoreBOM: false')],
  },
  {
    name: 'atomic write: writes in place',
    patches: [
      patch(ATOMIC, 'await writeTemporary(temporary, data, before, options);', 'await fsp.writeFile(file, data);'),
      patch(ATOMIC, 'await replaceFile(temporary, file, () => checkExpected(file, options));', ''),
    ],
  },
  {
    name: 'atomic write: renames before the new text is on disk',
    patches: [patch(ATOMIC, 'await handle.sync();', '')],
  },
  {
    name: 'atomic write: the rename may be lost with the power',
    patches: [patch(ATOMIC, 'await syncDirectory(dir);', '')],
  },
  {
    name: 'atomic write: follows a symbolic link',
    patches: [patch(ATOMIC, 'if (stats.isSymbolicLink()) refuse', 'if (false) refuse')],
  },
  {
    name: 'atomic write: replaces a read-only file',
    patches: [patch(ATOMIC, 'if (isMarkedReadOnly(stats.mode)) refuse', 'if (false) refuse')],
  },
  {
    name: 'atomic write: the mode of the replaced file is lost',
    patches: [patch(ATOMIC, 'if (before !== undefined) await keepOwnerAndMode', 'if (false) await keepOwnerAndMode')],
  },
  {
    name: 'atomic write: a secret keeps its loose mode',
    patches: [patch(ATOMIC, 'options.forceMode === true && options.mode !== undefined', 'false')],
  },
  {
    name: 'lock: everyone gets it',
    patches: [
      patch(LOCK, "if (errnoOf(error) === 'EEXIST') return false;\n    if (!NO_HARD", 'return true;\n    if (!NO_HARD'),
    ],
  },
  {
    name: 'lock: taken from a holder that lives',
    patches: [patch(LOCK, 'if (!isProcessAlive(holder.pid)) return true;', 'return true;')],
  },
  {
    name: 'lock: a dead holder blocks for ever',
    patches: [patch(LOCK, 'if (!isProcessAlive(holder.pid)) return true;', 'return false;')],
  },
  {
    name: 'lock: one of another boot is in the way for long',
    patches: [patch(LOCK, 'isSilent || (await isDead(holder, clock))', 'await isDead(holder, clock)')],
  },
  {
    name: 'lock: a machine of the same name is dead even while it touches its lock',
    patches: [patch(LOCK, 'this.watched.modifiedMs !== modifiedMs', 'false')],
  },
  {
    name: 'lock: a process with a used pid counts as the holder',
    patches: [patch(LOCK, 'return started !== holder.started;', 'return false;')],
  },
  {
    name: 'lock: removes whatever lock stands there by then',
    patches: [patch(LOCK, 'if (now?.nonce === dead.nonce) await', 'await')],
  },
  {
    name: 'lock: gives back what is held by another by then',
    patches: [patch(LOCK, 'if (holder?.nonce === nonce) await', 'await')],
  },
  {
    name: 'lock: waits without an end',
    patches: [patch(LOCK, 'if (performance.now() >= end) throw', 'if (false) throw')],
  },
];
