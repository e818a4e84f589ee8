// Bugs in how a hub lets people in, stamps, answers and fans out; seen from outside, by the built command.

import { patchesIn } from './patched.mjs';

const patch = patchesIn('');
const security = (name) => [`test/security/${name}.test.ts`];
const failureMode = (name) => [`test/failure-modes/${name}.test.ts`];
const hub = (name) => [`test/hub/${name}.test.ts`];

export const products = true;

export const tests = ['test/hub'];

const FEED = 'hub/server/feed.ts';
const SESSION = 'hub/server/session.ts';
const STATE = 'hub/state/hub-state.ts';
const TABLE = 'hub/state/client-table.ts';

export const mutants = [
  {
    name: 'S01 listens on a network in clear without being told to',
    patches: [patch('hub/config.ts', 'if (isOpen && !insecure) {', 'if (false) {')],
    tests: security('S01-network'),
  },
  {
    name: 'S05 lets every web page in',
    patches: [
      patch(
        'hub/server/web-guard.ts',
        'headers.origin !== undefined && !guard.origins.has(headers.origin)',
        'guard.origins.size < 0',
      ),
    ],
    tests: security('S05-S06-browsers'),
  },
  {
    name: 'S06 answers under every name',
    patches: [patch('hub/server/web-guard.ts', "return host === own ? undefined : 'host';", 'return undefined;')],
    tests: security('S05-S06-browsers'),
  },
  {
    name: 'S06 is controlled from another machine',
    patches: [
      patch('hub/server/web-guard.ts', 'LOOPBACK.test(remoteAddress) || remoteAddress === localAddress', 'true'),
    ],
    tests: ['test/unit/hub/server/decisions.test.ts'],
  },
  {
    name: 'S07 takes any secret of a known token',
    patches: [patch('hub/server/authenticator.ts', 'parsed !== undefined && matches', 'parsed !== undefined')],
    tests: security('S07-S08-authentication'),
  },
  {
    name: 'S16 answers guesses at once',
    patches: [patch('hub/server/gate.ts', 'if (delayMs === 0) return answer(401);', 'return answer(401);')],
    tests: security('S07-S08-authentication'),
  },
  {
    name: 'S10 lets a client do what the operator may',
    patches: [patch('hub/server/roles.ts', 'if (allowed.includes(identity.kind)) return;', 'return;')],
    tests: security('S10-roles'),
  },
  {
    name: 'S10 believes the origin that an entry claims',
    patches: [
      patch(
        'hub/server/publish.ts',
        'if (entry.origin !== undefined && entry.origin !== identity.project) {',
        'if (false) {',
      ),
      patch(
        'hub/server/publish.ts',
        'const { project: origin, client } = identity;',
        'const origin = entry.origin ?? identity.project, client = identity.client;',
      ),
    ],
    tests: security('S10-roles'),
  },
  {
    name: 'S15 a revoked token goes on in open sessions',
    patches: [patch('hub/server/authenticator.ts', 'return kept === identity.digest;', 'return true;')],
    tests: hub('lifecycle'),
  },
  {
    name: 'FM-42 a revoked token may open new sessions',
    patches: [
      patch(
        'hub/server/authenticator.ts',
        'return record?.revoked_at === undefined ? record : undefined;',
        'return record;',
      ),
    ],
    tests: hub('lifecycle'),
  },
  {
    name: 'S17 half-valid JSON is taken as it comes',
    patches: [patch(SESSION, 'value = parseStrictJson(text);', 'value = JSON.parse(text);')],
    tests: security('S17-S23-bad-messages'),
  },
  {
    name: 'S18 negotiates compression',
    patches: [patch('hub/server/hub-server.ts', 'perMessageDeflate: false', 'perMessageDeflate: true')],
    tests: security('S17-S23-bad-messages'),
  },
  {
    name: 'S19 any number of sessions per token',
    patches: [
      patch(
        'hub/server/hub-server.ts',
        'return sessions.countOf(identity) >= limits.maxSessionsPerToken ? 429 : undefined;',
        'return undefined;',
      ),
    ],
    tests: security('S19-S21-limits'),
  },
  {
    name: 'S20 no limit of publishing',
    patches: [patch(SESSION, 'if (retryAfterMs > 0) {', 'if (false) {')],
    tests: security('S19-S21-limits'),
  },
  {
    name: 'S26 starts on files that others can read',
    patches: [patch('hub/store/data-directory.ts', 'if (isOpenToOthers(facts.mode)) {', 'if (false) {')],
    tests: security('S26-private-files'),
  },
  {
    name: 'S26 does not narrow the umask',
    patches: [
      patch('hub/lifecycle.ts', 'process.umask(0o077);', ''),
      patch('hub/store/lock.ts', 'process.umask(0o077);', ''),
    ],
    tests: security('S26-private-files'),
  },
  {
    name: 'S09 keeps the secret of a token instead of its digest',
    patches: [
      patch('hub/server/secrets.ts', "return createHash('sha256').update(secret).digest('hex');", 'return secret;'),
    ],
    tests: security('S26-private-files'),
  },
  {
    name: 'an entry that is sent twice is stored twice',
    patches: [patch(STATE, 'if (known === undefined) return this.append(entry);', 'return this.append(entry);')],
    tests: hub('publish-listen'),
  },
  {
    name: 'another content under a known id counts as the same',
    patches: [patch(STATE, 'if (this.isSame(known, entry)) return', 'return')],
    tests: hub('publish-listen'),
  },
  {
    name: 'sequences leave gaps',
    patches: [patch(STATE, 'const sequence = this.nextSequence++;', 'const sequence = (this.nextSequence += 2) - 2;')],
    tests: hub('publish-listen'),
  },
  {
    name: 'S21 a listener that lags is served from a queue without end',
    patches: [patch(FEED, 'socket.offer(frame, MAX_UNSENT_FEED_BYTES)', 'socket.offer(frame, Infinity)')],
    tests: ['test/unit/hub/server/feed.test.ts'],
  },
  {
    name: 'S22 a listener joins the live ones before it has caught up',
    patches: [patch(FEED, 'if (listener.position === this.flushed.sequence) {', 'if (listener.position >= 0) {')],
    tests: ['test/cli/main-job.test.ts'],
  },
  {
    name: 'S22 a listener joins without looking at what goes out in this turn',
    patches: [patch(FEED, 'while (listener.position > this.flushed.sequence) await nextTurn();', '')],
    tests: ['test/unit/hub/server/feed.test.ts'],
  },
  {
    name: 'a filter lets every type through',
    patches: [patch('hub/server/line-filter.ts', 'maskOf(wanted) & maskOf(access.types)', 'maskOf(access.types)')],
    tests: hub('publish-listen'),
  },
  {
    name: 'S12 a client gets the types that it asks for, not those that it is granted',
    patches: [patch('hub/server/line-filter.ts', 'maskOf(wanted) & maskOf(access.types)', 'maskOf(wanted)')],
    tests: security('S12-limited-reads'),
  },
  {
    name: 'S12 origins are not looked at',
    patches: [patch('hub/server/line-filter.ts', 'origins === undefined || isOfOrigins', 'true || isOfOrigins')],
    tests: security('S12-limited-reads'),
  },
  {
    name: 'S12 the origin is taken from what the content says',
    patches: [
      patch(
        'hub/server/line-filter.ts',
        'parts.tailStart + ORIGIN_OPEN_LENGTH',
        'parts.valueStart + ORIGIN_OPEN_LENGTH',
      ),
    ],
    tests: ['test/unit/hub/server/decisions.test.ts'],
  },
  {
    name: 'S12 listeners of other origins share a frame',
    patches: [
      patch('hub/server/line-filter.ts', "key: `${mask} ${[...origins].join(' ')}`", 'key: `${mask} ${origins.size}`'),
    ],
    tests: ['test/unit/hub/server/decisions.test.ts'],
  },
  {
    name: 'S12 a change of access is not noticed by open sessions',
    patches: [patch(SESSION, '!== this.openedWith) this.endChanged();', '!== this.openedWith) this.noteSeen();')],
    tests: security('S12-limited-reads'),
  },
  {
    name: 'S12 a listener goes on after its access was changed',
    patches: [
      patch(
        SESSION,
        "this.endUntrusted(\n      new HubError('going_away'",
        "this.fail(null,\n      new HubError('going_away'",
      ),
    ],
    tests: security('S12-limited-reads'),
  },
  {
    name: 'FM-36 a change of access made at another node is not noticed by open sessions',
    patches: [patch('hub/running-hub.ts', 'parts.cluster?.onClients(() => this.sessions.recheck());', '')],
    tests: ['test/cluster/access.test.ts'],
  },
  {
    name: 'FM-41 who waits for approval reads',
    patches: [patch(SESSION, 'if (access?.pending === true) {', 'if (false) {')],
    tests: failureMode('FM-41-stolen-admin-token'),
  },
  {
    name: 'FM-41 registrations need no approval',
    patches: [
      patch(
        'hub/server/client-admin.ts',
        'const record: ClientRecord = needsApproval',
        'const record: ClientRecord = false',
      ),
    ],
    tests: failureMode('FM-41-stolen-admin-token'),
  },
  {
    name: 'FM-41 who registers an approved name again is approved',
    patches: [patch(TABLE, '{ ...before, ...record.access }', '{ ...record.access, ...before, pending: undefined }')],
    tests: failureMode('FM-41-stolen-admin-token'),
  },
  {
    name: 'FM-41 who registers again loses the limits',
    patches: [patch(TABLE, '{ ...before, ...record.access }', '{ ...record.access }')],
    tests: ['test/unit/hub/state/client-access.test.ts'],
  },
  {
    name: 'FM-41 limiting approves',
    patches: [patch(TABLE, 'pending: before.pending,', 'pending: undefined,')],
    tests: ['test/unit/hub/state/client-access.test.ts'],
  },
  {
    name: 'FM-44 clients.json reads back in another order than it was written',
    patches: [
      patch(
        'hub/store/clients-file.ts',
        'access: accessSchema.optional(),\n  revoked_at: z.string().optional(),',
        'revoked_at: z.string().optional(),\n  access: accessSchema.optional(),',
      ),
    ],
    tests: ['test/unit/hub/state/client-access.test.ts'],
  },
  {
    name: 'FM-30 does not say goodbye',
    patches: [patch(SESSION, 'this.socket.close(1001, message);', 'this.socket.terminate();')],
    tests: hub('lifecycle'),
  },
  {
    name: 'FM-30 ends sessions while answers are under way',
    patches: [
      patch(
        'hub/server/session-table.ts',
        'await Promise.all([...this.members.keys()].map((session) => session.whenIdle()));',
        '',
      ),
    ],
    tests: hub('lifecycle'),
  },
];
