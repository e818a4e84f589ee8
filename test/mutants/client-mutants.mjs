// Bugs put into the client and the command line one at a time: for each promise of theirs, one that breaks it, and the tests that
// must see it. Tests of the library run from their sources; those below test/cli and test/failure-modes run the built `ctx`.

import { patchesIn } from './patched.mjs';

const patch = patchesIn('');

export const products = true;
export const tests = [];

export const mutants = [
  {
    name: 'the packet for an agent goes over its budget',
    patches: [patch('core/agent/packet.ts', 'if (bytes > left) continue;', 'if (bytes > left + 400) continue;')],
    tests: ['test/unit/core/agent/packet.test.ts'],
    grep: 'a little over the budget',
  },
  {
    name: 'a shared entry can end its fence in the packet',
    patches: [patch('core/agent/packet.ts', 'const fence = fenceFor(content);', "const fence = '````';")],
    tests: ['test/unit/core/agent/packet.test.ts'],
  },
  {
    name: 'one project hides what another one wrote',
    patches: [
      patch('core/newest.ts', 'old?.origin !== entry.origin || old.sequence', 'old === undefined || old.sequence'),
    ],
    tests: ['test/unit/core/newest.test.ts'],
  },
  {
    name: 'the pointer leaves a trace when it is taken out',
    patches: [patch('core/node/agent-pointer.ts', "text.replace(PLACED, '')", "text.replace(BLOCK, '')")],
    tests: ['test/unit/core/node/agent-pointer.test.ts'],
  },
  {
    name: 'a hub of another version holds the command up',
    patches: [
      patch('core/node/hub-session.ts', '      this.#ws.terminate();\n      throw hello;', '      throw hello;'),
    ],
    tests: ['test/unit/core/node/hub-session.test.ts'],
  },
  {
    name: 'doctor does not see that the connection is in git',
    patches: [patch('cli/doctor/project-checks.ts', 'return index?.includes(`${name}\\0`) === true;', 'return false;')],
    tests: ['test/cli/doctor.test.ts'],
  },
  {
    name: 'the journal leaves out what is not subscribed',
    patches: [
      patch(
        'core/node/intake.ts',
        'return this.#options.journal === undefined ? this.#options.connection.types : undefined;',
        'return this.#options.connection.types;',
      ),
    ],
    tests: ['test/failure-modes/FM-37-journal.test.ts'],
  },
  {
    name: 'S34 a planted link to a device is followed',
    patches: [patch('core/node/plain-file.ts', 'flags | NO_FOLLOW | NO_WAIT', 'flags | NO_WAIT')],
    tests: ['test/security/S34-planted-files.test.ts'],
  },
  {
    name: 'the journal ends where files grow too long to be read whole',
    patches: [
      patch(
        'core/node/plain-file.ts',
        '    checkPlain(file, stats);\n',
        '    checkPlain(file, stats);\n    checkSize(file, stats);\n',
      ),
    ],
    tests: ['test/failure-modes/FM-37-journal.test.ts'],
  },
  {
    name: 'the journal writes again what a restored hub sends again',
    patches: [patch('core/node/journal.ts', 'sequence > after && this.#known?.has(id) !== true', 'sequence > after')],
    tests: ['test/failure-modes/FM-37-journal.test.ts'],
  },
  {
    name: 'a changed entry is sent under its old id',
    patches: [
      patch('core/node/versions.ts', 'if (newest === undefined) return entry;', 'if (newest !== null) return entry;'),
    ],
    tests: ['test/cli/changed-entries.test.ts'],
  },
  {
    name: "a colleague's different text is superseded without a word",
    patches: [
      patch(
        'core/node/versions.ts',
        'if (replace !== true && isUnsure(newest, entry))',
        'if (replace === undefined && isUnsure(newest, entry))',
      ),
    ],
    tests: ['test/cli/changed-entries.test.ts'],
  },
  {
    name: 'a share that fails is not reported as saved here',
    patches: [patch('cli/commands/connection/share-report.ts', '? CODE_FACTS.not_shared.exit : 0', '? 0 : 0')],
    tests: ['test/failure-modes/FM-14-no-leader.test.ts'],
  },
  {
    name: 'only the first address is ever tried',
    patches: [
      patch(
        'core/node/open-any.ts',
        'return [...new Set([connection.hub_addr, ...(connection.peers ?? [])])];',
        'return [connection.hub_addr];',
      ),
    ],
    tests: ['test/failure-modes/FM-12-another-address.test.ts'],
  },
  {
    name: 'FM-20 takes half a line of an outbox for a whole one',
    patches: [
      patch('core/node/plain-file.ts', 'done += bytesWritten;', 'done += Math.max(bytesWritten, bytes.length);'),
    ],
    tests: ['test/failure-modes/FM-20-disk-full.test.ts'],
    grep: 'outbox',
  },
  {
    name: 'silent addresses use up the time in which a node finds that nobody leads',
    patches: [
      patch('core/node/open-any.ts', 'Math.min(ALL_TRIED_MS, timeoutMs / 2) / addresses', 'timeoutMs / addresses'),
    ],
    tests: ['test/cluster/failure-modes.test.ts'],
    grep: 'FM-14',
  },
  {
    name: 'a restored hub is not given back what it lost',
    patches: [patch('core/node/outbox.ts', 'await appendLines(this.#paths.outbox, back);', '')],
    tests: ['test/failure-modes/FM-29-restored-hub.test.ts'],
  },
  {
    name: 'skewed clocks are not flagged',
    patches: [patch('cli/clock-skew.ts', '> SKEW_MS', '> SKEW_MS * 100')],
    tests: ['test/failure-modes/FM-51-skew-is-shown.test.ts'],
    grep: 'is flagged',
  },
  {
    name: 'what comes again is told and mirrored again',
    patches: [
      patch('core/sync/intake.ts', 'if (entry.sequence <= last) continue;', ''),
      patch('core/node/mirror-file.ts', 'entries.filter((entry) => !this.#ids.has(entry.id))', '[...entries]'),
    ],
    tests: ['test/failure-modes/FM-64-no-duplicates.test.ts'],
  },
  {
    name: 'a restored hub that has grown again is taken for the one it was',
    patches: [patch('core/node/sync-client.ts', 'result.sequence !== sent.sequence) throw', 'false) throw')],
    tests: ['test/failure-modes/FM-29-restored-hub.test.ts'],
  },
  {
    name: 'a hub that is silent holds a share up for long',
    patches: [patch('core/limits.ts', 'REQUEST_TIMEOUT_MS = 5_000', 'REQUEST_TIMEOUT_MS = 14_000')],
    tests: ['test/failure-modes/FM-17-hub-unreachable-on-share.test.ts'],
  },
  {
    name: 'sending is taken for a reason to send before the pause is over',
    patches: [patch('core/node/outbox-sender.ts', ' || this.#isPaused(session)', '')],
    tests: ['test/unit/core/node/sync-client.test.ts'],
    grep: 'obeys rate_limited',
  },
  {
    name: 'a hub that names no time is asked in a loop',
    patches: [
      patch(
        'core/node/outbox-sender.ts',
        'Math.max(afterMs + 1, backoffMs(this.#failures++, this.#options.random))',
        'afterMs',
      ),
    ],
    tests: ['test/unit/core/node/sync-client.test.ts'],
    grep: 'names no time to wait',
  },
  {
    name: 'a wait of years overflows into none',
    patches: [patch('core/wire.ts', 'Math.min(error.retry_after_ms, MAX_RETRY_AFTER_MS)', 'error.retry_after_ms')],
    tests: ['test/unit/core/sync/drain.test.ts'],
    grep: 'wait of years',
  },
  {
    name: 'publish waits for hours',
    patches: [patch('cli/commands/connection/publish.ts', ' || afterMs > MAX_PAUSE_MS', '')],
    tests: ['test/cli/slow-hub.test.ts'],
    grep: 'comes back with the reason',
  },
  {
    name: 'what was refused goes without a word',
    patches: [
      patch(
        'core/node/outbox-sender.ts',
        'this.#options.log(`Entry ${entry.id} was refused',
        '((_: string) => undefined)(`Entry ${entry.id} was refused',
      ),
    ],
    tests: ['test/unit/core/node/sync-client.test.ts'],
    grep: 'leaves the outbox with its reason',
  },
  {
    name: 'a node that lags is taken for another history',
    patches: [
      patch('core/node/sync-client.ts', 'sequence > head.sequence && cluster.length === 0', 'sequence > head.sequence'),
    ],
    tests: ['test/unit/core/node/sync-client.test.ts'],
    grep: 'that lags behind an own entry',
  },
  {
    name: 'a client reads on while it writes',
    patches: [
      patch('core/node/session-inbox.ts', 'this.#hold();\n', ''),
      patch('core/node/session-inbox.ts', 'await handled;', 'void handled;'),
    ],
    tests: ['test/floods/listeners.test.ts'],
    grep: 'that is stopped',
  },
  {
    name: 'a mirror is rewritten as a whole again and again',
    patches: [
      patch(
        'core/node/mirror-file.ts',
        'let from = Math.max(0, this.#places.length - keepEntries);',
        'let from = Math.min(0, keepEntries);',
      ),
    ],
    tests: ['test/floods/listeners.test.ts'],
    grep: 'costs as much at the end',
  },
  {
    name: 'the hub keeps all that a stopped listener has not read',
    patches: [
      patch('hub/limits.ts', 'MAX_UNSENT_FEED_BYTES = 1024', 'MAX_UNSENT_FEED_BYTES = 1024 * 1024'),
      patch('hub/limits.ts', 'MIN_UNSENT_FEED_BYTES = 64', 'MIN_UNSENT_FEED_BYTES = 1024 * 1024'),
    ],
    tests: ['test/floods/listeners.test.ts'],
    grep: 'that is stopped',
  },
  {
    name: 'a command gets --json and no test of it',
    patches: [patch('hub/commands/stop.ts', ".command('stop')", ".command('stop').option('--json', 'answer as JSON')")],
    tests: ['test/cli/json-answers.test.ts'],
    grep: 'every command has it',
  },
  {
    name: 'a JSON answer comes with a heading',
    patches: [
      patch(
        'cli/commands/browse-entries.ts',
        "io.stdout(jsonAnswer('entries', { entries: found }));",
        "io.stdout('Entries:\\n' + jsonAnswer('entries', { entries: found }));",
      ),
    ],
    tests: ['test/cli/json-answers.test.ts'],
    grep: 'of kind entries',
  },
  {
    name: 'an error comes with the beginning of an answer',
    patches: [
      patch('cli/commands/browse-entries.ts', 'const entry = findOne(', "io.stdout('{'); const entry = findOne("),
    ],
    tests: ['test/cli/json-answers.test.ts'],
    grep: 'an error leaves',
  },
  {
    name: 'status is silent about another history',
    patches: [
      patch('cli/commands/connection/status.ts', "if (hub.history !== 'another' && hub.hello.hub", 'if (hub.hello.hub'),
    ],
    tests: ['test/failure-modes/FM-63-missing-after-a-restore.test.ts'],
  },
  {
    name: 'a degraded hub is a healthy number',
    patches: [patch('hub/commands/status.ts', 'degraded: 1', 'degraded: 0')],
    tests: ['test/failure-modes/FM-66-status-by-exit-code.test.ts'],
  },
  {
    name: 'FM-44 a mirror that was read under other access goes on',
    patches: [patch('core/node/intake.ts', 'mirror === undefined || isSame(mirror.access, access)', 'true')],
    tests: ['test/failure-modes/FM-44-granted-reads.test.ts'],
  },
  {
    name: 'FM-44 a journal that was read under other access goes on',
    patches: [patch('core/node/intake.ts', '!isSame(journal.access, access)) await', 'false) await')],
    tests: ['test/failure-modes/FM-44-granted-reads.test.ts'],
  },
  {
    name: 'FM-44 the mirror forgets under which access it was read',
    patches: [patch('core/node/mirror-state.ts', 'access: toldAccessSchema.optional(),', '')],
    tests: ['test/failure-modes/FM-44-granted-reads.test.ts'],
  },
  {
    name: 'FM-41 who waits for approval listens all the same, is refused, and sends nothing',
    patches: [
      patch('core/node/sync-client.ts', 'filter?.length === 0 || this.#waitsForApproval', 'filter?.length === 0'),
    ],
    tests: ['test/failure-modes/FM-44-granted-reads.test.ts'],
  },
  {
    name: 'entries below an open fence are passed over',
    patches: [patch('cli/known-entries.ts', 'noteHidden(read.file, read.text, note);', '')],
    tests: ['test/cli/nothing-silent.test.ts'],
    grep: 'below a fence',
  },
  {
    name: 'a token is given out that cannot be kept here',
    patches: [patch('core/node/registration.ts', 'await tryWritingConnection(paths, env)', 'await Promise.resolve()')],
    tests: ['test/unit/core/node/registration.test.ts'],
  },
  {
    name: "a colleague's token is replaced without a word",
    patches: [patch('core/node/registration.ts', 'replaced: wasKnown && !wasOurs', 'replaced: false')],
    tests: ['test/cli/nothing-silent.test.ts'],
    grep: 'a name that is taken',
  },
  {
    name: 'a task gets two priorities',
    patches: [
      patch('core/context/draft.ts', 'if (draft.priority !== undefined && tag !== undefined) {', "if (tag === '') {"),
    ],
    tests: ['test/cli/nothing-silent.test.ts'],
    grep: 'another one beside it',
  },
  {
    name: 'what is in the archive is not found',
    patches: [patch('cli/known-entries.ts', 'archived ? await archiveFiles(paths, type) : []', '[]')],
    tests: ['test/cli/nothing-silent.test.ts'],
    grep: 'to its archive',
  },
  {
    name: 'a link in place of the connection is followed',
    patches: [patch('core/node/connection-file.ts', '(await readPlainFile(file))?.bytes', 'await readIfThere(file)')],
    tests: ['test/unit/core/node/connection-file.test.ts'],
    grep: 'a link or a folder',
  },
];
