// Bugs in the parts of the extension that need no editor: the feed's model, what is said in each state, foreign Markdown, the hub
// of this machine, whose connection files are used, and what the manifest has in common with the code.

import { patchesIn } from './patched.mjs';

const patch = patchesIn('extension/');
const inCore = patchesIn('core/');
const unit = (name) => `test/unit/extension/${name}.test.ts`;

export const tests = [unit('feed-model'), unit('gather'), unit('status'), unit('version')];

const MODEL = 'feed/feed-model.ts';
const STATUS = 'project/status.ts';
const MARKDOWN = ['test/security/S33-foreign-markdown.test.ts'];
const CONSENT = ['test/security/S34-connection-consent.test.ts'];
const LOCAL_HUB = [unit('local-hub')];
const MANIFEST = [unit('manifest')];
const REGISTRATION = ['test/unit/core/node/registration.test.ts'];

export const mutants = [
  {
    name: 'feed: the oldest first',
    patches: [patch(MODEL, 'b.sequence - a.sequence', 'a.sequence - b.sequence')],
  },
  {
    name: 'feed: an entry that comes again is shown again',
    patches: [patch(MODEL, '!known.ids.has(entry.id)', 'true')],
  },
  {
    name: 'feed: rows move while somebody works in the list',
    patches: [patch(MODEL, 'if (this.#holding) known.held.push(...fresh);', 'if (false) known.held.push(...fresh);')],
  },
  {
    name: 'feed: what waited is lost when the list may move again',
    patches: [patch(MODEL, 'if (!holding) this.showHeld();', '')],
  },
  {
    name: 'feed: more is not loaded',
    patches: [patch(MODEL, 'this.#limit += this.pageSize;', '')],
  },
  {
    name: 'feed: never says that there is more',
    patches: [patch(MODEL, 'return this.#merged().length > this.#limit;', 'return false;')],
  },
  {
    name: 'feed: what was read is unread again',
    patches: [patch(MODEL, 'if (source.ids.has(id)) source.beyond.add(id);', ';')],
  },
  {
    name: 'feed: what waits is not counted as unread',
    patches: [patch(MODEL, ' + source.held.filter(unread).length', '')],
  },
  {
    name: 'feed: an entry of two projects is shown twice',
    patches: [patch(MODEL, 'if (seen.has(entry.id)) continue;', '')],
  },
  {
    name: 'feed: grows without end',
    patches: [patch(MODEL, 'source.shown.splice(MAX_FEED_ENTRIES)', 'source.shown.splice(Number.MAX_SAFE_INTEGER)')],
  },
  {
    name: 'gathering: the first arrival waits like the others',
    patches: [
      patch(
        'feed/gather.ts',
        '      tell();\n      rest();\n    },\n    close',
        '      again = true;\n      rest();\n    },\n    close',
      ),
    ],
  },
  {
    name: 'gathering: every change of a burst is drawn',
    patches: [patch('feed/gather.ts', '        again = true;\n        return;', '        tell();\n        return;')],
  },
  {
    name: 'state: an untrusted workspace looks like any other',
    patches: [patch(STATUS, "return trusted || best === 'noContext' ? best : 'untrusted';", 'return best;')],
  },
  {
    name: 'state: offers to start a hub that is somewhere else',
    patches: [patch(STATUS, "isLocal ? 'localUnreachable' : 'unreachable'", "'localUnreachable'")],
  },
  {
    name: 'state: a refusal looks like an outage',
    patches: [patch(STATUS, "status.sync.lastError === undefined ? away : 'refused'", 'away')],
  },
  {
    name: 'state: nothing subscribed looks like nothing shared',
    patches: [patch(STATUS, "types.length === 0 ? 'nothingSubscribed' : 'empty'", "'empty'")],
  },
  {
    name: 'status item: does not say what waits',
    patches: [patch(STATUS, "pending === 0 ? '' :", "true ? '' :")],
  },
  {
    name: 'lens: an edited entry counts as shared',
    patches: [patch('language/share-states.ts', "state.kind === 'shared' && state.sha256 !== sha256", 'false')],
  },
  {
    name: 'version: compares as text',
    patches: [
      patch(
        'hub/version.ts',
        'const [a, b] = [parse(version), parse(than)];',
        'if (version.length > 0) return version < than;\n  const [a, b] = [parse(version), parse(than)];',
      ),
    ],
  },
  {
    name: 'foreign Markdown: links act',
    patches: [
      patch(
        'feed/inert-markdown.ts',
        "return visibleText(text).replaceAll(/[!-/:-@[-`{-~]/g, '\\\\$&');",
        'return visibleText(text);',
      ),
    ],
    tests: MARKDOWN,
  },
  {
    name: 'foreign Markdown: a fence in a fence ends it',
    patches: [patch('feed/inert-markdown.ts', "'`'.repeat(longest + 1)", "'```'")],
    tests: MARKDOWN,
  },
  {
    name: 'notification: a link in a title acts',
    patches: [patch('one-line.ts', ".replaceAll('](', '] (')", '')],
    tests: MARKDOWN,
  },
  {
    name: 'consent: a connection file that came with the repository is used',
    patches: [patch('project/consent.ts', 'if (!(await isTracked(paths))) return undefined;', 'return undefined;')],
    tests: CONSENT,
  },
  {
    name: 'consent: given once, given for any bytes',
    patches: [
      patch('project/consent.ts', 'this.#known().includes(await fingerprint(paths))', 'this.#known().length > 0'),
    ],
    tests: CONSENT,
  },
  {
    name: 'local hub: a stranger on its port is believed',
    patches: [
      inCore('node/local-hub/local-control.ts', 'health?.instance !== instanceOf(file.nonce)', 'health === undefined'),
    ],
    tests: LOCAL_HUB,
  },
  {
    name: 'local hub: its own certificate is not trusted',
    patches: [patch('hub/local-hub.ts', 'fingerprint === undefined ? {} : { fingerprint }', '{}')],
    tests: LOCAL_HUB,
  },
  {
    name: 'local hub: forgets its port',
    patches: [patch('hub/local-hub.ts', '(last === undefined ? [] : [last])', '[]')],
    tests: LOCAL_HUB,
  },
  {
    name: 'local hub: no other port is tried',
    patches: [patch('hub/local-hub.ts', 'const PORTS_TO_TRY = 20;', 'const PORTS_TO_TRY = 1;')],
    tests: LOCAL_HUB,
  },
  {
    name: 'manifest: a command that nothing implements',
    patches: [patch('names.ts', "  'copyDiagnostics',\n", '')],
    tests: MANIFEST,
  },
  {
    name: 'manifest: a setting about where data goes is not restricted',
    patches: [
      patch(
        'names.ts',
        "  'ctxHub.localHub.dataDirectory',\n  'ctxHub.localHub.startOnDemand',",
        "  'ctxHub.localHub.startOnDemand',",
      ),
    ],
    tests: MANIFEST,
  },
  {
    name: 'manifest: a state of the feed without words',
    patches: [patch('names.ts', "  'refused',\n", "  'refused',\n  'other',\n")],
    tests: MANIFEST,
  },
  {
    name: 'registration: keeps what another hub knew',
    patches: [{ file: 'core/node/registration.ts', find: 'before.hub_id !== hub)', replace: 'false)' }],
    tests: REGISTRATION,
  },
  {
    name: 'registration: the admin token is kept',
    patches: [
      {
        file: 'core/node/registration.ts',
        find: '    token,\n    project,',
        replace: '    token: registration.adminToken,\n    project,',
      },
    ],
    tests: REGISTRATION,
  },
  {
    name: 'registration: forgets what was subscribed',
    patches: [{ file: 'core/node/registration.ts', find: 'before?.types === undefined ?', replace: 'true ?' }],
    tests: REGISTRATION,
  },
  {
    name: 'registration: any token will do',
    patches: [{ file: 'core/node/registration.ts', find: "session.hello.identity.kind === 'admin'", replace: 'true' }],
    tests: REGISTRATION,
  },
];
