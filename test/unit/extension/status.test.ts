/** What feed and status bar say in each state of a project. */
import assert from 'node:assert/strict';
import { HubError } from '../../../core/errors';
import type { SyncPhase, SyncSnapshot } from '../../../core/sync/snapshot';
import { contextFile } from '../../../extension/language/context-file';
import { localState } from '../../../extension/language/share-states';
import { FEED_STATES } from '../../../extension/names';
import {
  cachedNote,
  feedState,
  phaseWords,
  statusText,
  type ConnectionFacts,
  type ProjectStatus,
} from '../../../extension/project/status';

const digest = '0.AAAAAAAAAAAAAAAAAAAAAA';

function connected(
  phase: SyncPhase,
  more: Partial<SyncSnapshot> = {},
  facts: Partial<ConnectionFacts> = {},
): ProjectStatus {
  const sync = {
    phase,
    address: 'ws://h:1',
    cursor: { sequence: 3, digest },
    head: { sequence: 10, digest },
    outbox: 0,
  };
  const types = ['decision'] as const;
  const connection = {
    ...{ address: 'ws://h:1', project: 'alpha', client: 'ada@pc', hubId: 'x', isLocal: false, types },
    ...facts,
  };
  return { kind: 'connected', connection, sync: { ...sync, ...more } };
}

const foreign: ProjectStatus = { kind: 'foreign', reason: 'another key' };
const none: ProjectStatus = { kind: 'noContext' };

describe('state of the feed', () => {
  it('names the next step for each situation', () => {
    const cases: readonly (readonly [ProjectStatus[], string])[] = [
      [[], 'noFolder'],
      [[none], 'noContext'],
      [[{ kind: 'notConnected' }], 'notConnected'],
      [[foreign], 'foreign'],
      [[connected('connecting')], 'connecting'],
      [[connected('replaying')], 'connecting'],
      [[connected('live')], 'empty'],
      [[connected('live', {}, { types: [] })], 'nothingSubscribed'],
      [[connected('waiting')], 'unreachable'],
      [[connected('waiting', {}, { types: [] })], 'unreachable'],
      [[connected('waiting', {}, { isLocal: true })], 'localUnreachable'],
      [[connected('stopped', { lastError: new HubError('unauthenticated', 'revoked') })], 'refused'],
    ];
    for (const [statuses, state] of cases) assert.equal(feedState(statuses, true), state);
  });

  it('in an untrusted workspace it is that, unless there is nothing at all', () => {
    assert.equal(feedState([{ kind: 'notConnected' }], false), 'untrusted');
    assert.equal(feedState([none], false), 'noContext');
  });

  it('of several projects the one that works best speaks', () => {
    assert.equal(feedState([none, foreign, connected('live')], true), 'empty');
    assert.equal(feedState([foreign, connected('waiting')], true), 'unreachable');
  });
});

describe('what stands above entries of before', () => {
  it('is nothing while they come in, and else why none do', () => {
    const silent = FEED_STATES.filter((state) => cachedNote(state) === undefined);
    assert.deepEqual(silent, ['connecting', 'empty']);
    assert.match(cachedNote('nothingSubscribed') ?? '', /Nothing is subscribed/);
    assert.match(cachedNote('untrusted') ?? '', /Restricted Mode/);
    assert.match(cachedNote('localUnreachable') ?? '', /cannot be reached/);
  });
});

describe('status item', () => {
  it('is hidden where there is nothing to say', () => {
    assert.equal(statusText(undefined, true, 0), undefined);
    assert.equal(statusText(none, true, 0), undefined);
  });

  it('says sequence, what is to come, and what waits', () => {
    assert.equal(statusText(connected('live'), true, 0)?.text, '$(broadcast) ctx Hub #3');
    assert.equal(statusText(connected('replaying'), true, 0)?.text, '$(sync~spin) ctx Hub · 7 to go');
    assert.deepEqual(statusText(connected('waiting'), true, 2), {
      text: '$(cloud) ctx Hub · 2 pending',
      problem: true,
    });
    assert.equal(phaseWords(connected('waiting', { retryInMs: 1_200 })), 'not reachable, next try in 2 s');
    assert.match(phaseWords(connected('live', { waitsForApproval: true })), /operator's approval/);
    assert.match(phaseWords(foreign), /another key/);
  });
});

describe('state of a local entry', () => {
  it('follows the text: what was edited since is not what was shared', () => {
    const shared = { kind: 'shared', id: 'a', sequence: 12, sha256: 'aa' } as const;
    assert.deepEqual(localState(undefined, 'aa'), { kind: 'local' });
    assert.deepEqual(localState(shared, 'aa'), shared);
    assert.deepEqual(localState(shared, 'bb'), { kind: 'changed', sequence: 12 });
  });
});

describe('files of the language server', () => {
  it('are the truth, the mirror, or put away', () => {
    assert.deepEqual(contextFile('/p/.context/DECISIONS.md'), { root: '/p', type: 'decision', role: 'truth' });
    assert.equal(contextFile('/p/.context/hub/tasks.md')?.role, 'mirror');
    assert.equal(contextFile('/p/.context/archive/decisions-2026.md')?.role, 'archive');
    assert.equal(contextFile('C:\\p\\.context\\LEARNINGS.md')?.type, 'learning');
    assert.equal(contextFile('/p/.context/NOTES.md'), undefined);
    assert.equal(contextFile('/p/DECISIONS.md'), undefined);
  });
});
