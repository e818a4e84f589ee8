/** Share in one project, see it in the feed of another: the main story, through commands, in one window with two projects. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { v7 as uuid } from 'uuid';
import * as vscode from 'vscode';
import { revisionId } from '../../../core/context/derived-id';
import { sha256 } from '../../../core/node/sha256';
import { shareEntry, type ShareOutcome } from '../../../core/node/share';
import type { FeedRow } from '../../../extension/feed/feed-model';
import { entryUri } from '../../../extension/feed/entry-uri';
import { entryAt } from '../../../extension/share/local-entry';
import { until } from '../../support/processes';
import { killHub, readHub } from '../support/hub';
import { connectBoth, extensionApi, homeDir, isLive, project, run, show, statusOf } from './host';

const DECISION = {
  title: 'Prefer boring technology',
  context: 'Three services run on three databases',
  rationale: 'One that we know well has fewer surprises',
  consequence: 'New services use PostgreSQL',
};

function rowOf(title: string): Promise<FeedRow> {
  return until(`"${title}" is in the feed`, async () => {
    const { feed } = await extensionApi();
    return feed.rows.find((row) => row.entry.title === title);
  });
}

function shared(outcome: unknown): Extract<ShareOutcome, { kind: 'shared' }> {
  const it = outcome as ShareOutcome;
  assert.equal(it.kind, 'shared', JSON.stringify(outcome));
  return it;
}

const nodeOf = (row: FeedRow): unknown => ({ kind: 'entry', ...row });

describe('sharing', () => {
  before(connectBoth);

  it('writes the local file first, then the entry arrives in the other project, unread', async () => {
    await show(project('alpha').files.decision);
    const { id, sequence } = shared(await run('shareDecision', DECISION));
    const text = fs.readFileSync(project('alpha').files.decision, 'utf8');
    assert.match(text, new RegExp(`## \\[[\\d-]+\\] ${DECISION.title}\\n\\n<!-- ctx:id=${id} -->`));
    assert.ok(text.indexOf(DECISION.title) < text.indexOf('Use UTC everywhere'), 'the newest comes first');
    const row = await rowOf(DECISION.title);
    assert.equal(row.entry.origin, 'alpha');
    assert.equal(row.entry.sequence, sequence);
    assert.equal(row.source, project('beta').root);
    assert.equal(row.unread, true);
  });

  it('refuses a placeholder and writes nothing', async () => {
    const before = fs.readFileSync(project('alpha').files.decision, 'utf8');
    assert.equal(await run('shareDecision', { ...DECISION, rationale: 'tbd' }), undefined);
    assert.equal(fs.readFileSync(project('alpha').files.decision, 'utf8'), before);
  });

  it('keeps unsaved changes of the file it writes to', async () => {
    const editor = await show(project('alpha').files.learning);
    await editor.edit((edit) => edit.insert(new vscode.Position(1, 0), '\nTyped, not saved.\n'));
    assert.equal(editor.document.isDirty, true);
    shared(
      await run('shareLearning', {
        title: 'Dirty files are kept',
        context: 'An editor had unsaved text',
        lesson: 'Write through the editor then',
        application: 'Nothing typed is lost',
      }),
    );
    const text = fs.readFileSync(project('alpha').files.learning, 'utf8');
    assert.match(text, /Typed, not saved\./);
    assert.match(text, /Dirty files are kept/);
    assert.equal(editor.document.isDirty, false);
  });

  it('shares an entry that is in the file already, and an edited one again in its place', async () => {
    const file = project('alpha').files.decision;
    const editor = await show(file);
    const offset = (): number => editor.document.getText().indexOf('Use UTC everywhere');
    const place = (): unknown => ({ uri: editor.document.uri.toString(), offset: offset() });
    const first = shared(await run('shareEntry', place()));
    const { id, sequence } = shared(await run('shareEntry', place()));
    assert.deepEqual(
      { id, sequence },
      { id: first.id, sequence: first.sequence },
      'once, however often it is asked for',
    );
    const at = editor.document.positionAt(editor.document.getText().indexOf('Local time is for display only'));
    await editor.edit((edit) => edit.insert(at, 'Always: '));
    const second = shared(await run('shareEntry', place()));
    assert.ok(second.sequence > first.sequence);
    // The id that `ctx` on another machine gives to the same change.
    const text = editor.document.getText();
    const content = entryAt('decision', text, offset())?.content ?? '';
    assert.match(content, /Always: Local time/);
    assert.equal(second.id, revisionId({ supersedes: first.id, type: 'decision', content }, sha256));
    const row = await rowOf('Use UTC everywhere');
    assert.equal(row.entry.origin, 'alpha');
  });

  it('does not share an entry that lacks its reasons', async () => {
    const editor = await show(project('alpha').files.decision);
    const offset = editor.document.getText().indexOf('A decision without its reasons');
    // The message that says so waits for an answer, which nobody gives here.
    void run('shareEntry', { uri: editor.document.uri.toString(), offset });
    const title = 'A decision without its reasons';
    shared(await run('shareTask', { title: 'Come after it' }));
    await rowOf('Come after it');
    const { feed } = await extensionApi();
    assert.equal(
      feed.rows.some((row) => row.entry.title === title),
      false,
    );
  });

  it('shows an entry as a read-only document in which nothing acts (S33)', async () => {
    const content = [
      'Innocent [title](command:workbench.action.terminal.new)',
      '',
      '**Context**: [click](command:workbench.action.terminal.new) <img src=x onerror=alert(1)>',
      '',
      '![pixel](https://evil.example/p.png) <script>alert(1)</script>',
    ].join('\n');
    const id = uuid();
    const entry = { id, type: 'decision', content, timestamp: new Date().toISOString() } as const;
    shared(await shareEntry(project('alpha').root, entry, { env: process.env }));
    const row = await rowOf(content.split('\n')[0] ?? '');
    const document = await vscode.workspace.openTextDocument(entryUri(row.source, row.entry));
    assert.match(document.getText(), /from \*\*alpha\*\*/);
    const html = await vscode.commands.executeCommand<string>('markdown.api.render', document.getText());
    assert.match(html, /Innocent/);
    assert.doesNotMatch(html, /<(img|script|a)\b/i);
    await run('feed.openEntry', nodeOf(row));
    assert.equal((await rowOf(row.entry.title)).unread, false);
    const tab = vscode.window.tabGroups.activeTabGroup.activeTab;
    assert.ok(tab?.input instanceof vscode.TabInputCustom || tab?.input instanceof vscode.TabInputText);
  });

  it('copies an entry of the feed into the project in front, under an id of its own', async () => {
    await show(project('beta').files.decision);
    const row = await rowOf(DECISION.title);
    await run('feed.copyIntoProject', nodeOf(row));
    const text = fs.readFileSync(project('beta').files.decision, 'utf8');
    assert.match(text, new RegExp(`\\] ${DECISION.title}\\n`));
    assert.match(text, /\*\*Rationale\*\*: One that we know well has fewer surprises/);
    assert.doesNotMatch(text, new RegExp(row.entry.id));
  });

  it('marks everything as read', async () => {
    await run('markAllRead');
    assert.equal((await extensionApi()).feed.unreadCount, 0);
  });

  it('keeps an entry that cannot be shared now, and sends it by itself when the hub is back', async () => {
    await show(project('alpha').files.convention);
    const killed = killHub(homeDir());
    await until('the outage is noticed', async () => {
      const { status } = await statusOf('alpha');
      return status.kind === 'connected' && status.sync.phase === 'waiting';
    });
    const title = 'Entries survive an outage';
    const outcome = (await run('shareConvention', { title, section: 'Sharing' })) as ShareOutcome;
    assert.equal(outcome.kind, 'pending');
    assert.match(
      fs.readFileSync(project('alpha').files.convention, 'utf8'),
      /## Sharing\n\n- Entries survive an outage/,
    );
    await until('it is counted', async () => (await statusOf('alpha')).pending === 1);
    const { feed, statusBarText } = await extensionApi();
    assert.match(statusBarText(), /1 pending/);
    assert.ok(feed.rows.length > 0, 'what arrived before stays');
    await run('startLocalHub');
    assert.notEqual(readHub(homeDir())?.pid, killed.pid);
    assert.equal(readHub(homeDir())?.port, killed.port, 'the address that projects know');
    await rowOf(title);
    await until('nothing is pending', async () => (await statusOf('alpha')).pending === 0);
    for (const name of ['alpha', 'beta'] as const) await until(`${name} is live`, () => isLive(name), 35_000);
  }).timeout(60_000);
});
