/**
 * The hub of a team, by keyboard and mouse, with the packaged VSIX installed: connecting with address and token, what is
 * subscribed, sharing a selection, pages of the feed, the question before a first share, an outage, and folders with a hub each.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { ctx, removeTempDirs, until, userEnv } from '../../support/processes';
import { registerClient } from '../../support/hub-process';
import { watchArguments } from '../support/argument-watch';
import { Driver } from '../support/driver';
import { filesWith } from '../support/files-with';
import { makeProject } from '../support/fixture';
import { freePort, hubDataDir } from '../support/hub';
import { startTeamHub, type TeamHub } from '../support/team-hub';
import { uiSetup } from '../support/ui-setup';
import { openWorkbench, type Workbench } from '../support/workbench';

const STEP_DEADLINE_MS = 120_000;

describe('the hub of a team', function () {
  this.timeout(STEP_DEADLINE_MS);
  // Each step builds on the one before.
  this.bail(true);

  let team: TeamHub;
  let bench: Workbench;
  let alpha: Driver;
  let beta: Driver;
  const windows: Driver[] = [];
  const { shots, ...setup } = uiSetup();

  const inBench = (...names: readonly string[]): string => path.join(bench.dir, ...names);
  const textOf = (...names: readonly string[]): string => fs.readFileSync(inBench(...names), 'utf8');
  const shared = (title: string): number => team.log().filter(({ content }) => content.startsWith(title)).length;

  async function open(file: string): Promise<Driver> {
    const driver = new Driver(await bench.openWindow({ open: file }), shots);
    windows.push(driver);
    await driver.ready();
    return driver;
  }

  /** As a person does it on a terminal. */
  async function connectOnTerminal(project: string): Promise<void> {
    const token = path.join(team.process.dataDir, 'admin.token');
    const args = ['connection', 'register', team.typed, '--token-file', token];
    const { code, stderr } = await ctx(args, { cwd: inBench(project), env: userEnv(bench.home) });
    assert.equal(code, 0, stderr);
  }

  let pairs = 0;
  /** Shares a task and then a decision. @returns their number when only the decision arrived */
  async function tasksStayOut(): Promise<number | undefined> {
    pairs += 1;
    await team.share('task', `Task ${pairs} of gamma`);
    await team.share('decision', `Decision ${pairs} of gamma`);
    await alpha.row(`Decision ${pairs} of gamma`).waitFor();
    return (await alpha.row(`Task ${pairs} of gamma`).count()) === 0 ? pairs : undefined;
  }

  before(async () => {
    team = await startTeamHub();
    bench = await openWorkbench({
      ...setup,
      settings: { 'ctxHub.feed.pageSize': 10 },
      machineSettings: { 'ctxHub.localHub.port': await freePort() },
    });
    for (const name of ['alpha', 'beta', 'delta', 'epsilon']) makeProject(inBench(name));
    fs.writeFileSync(inBench('alpha', 'NOTES.md'), 'The cache ignores the environment\n');
    alpha = await open(inBench('alpha'));
  });

  afterEach(async function () {
    if (this.currentTest?.state !== 'failed') return;
    for (const [at, driver] of windows.entries()) await driver.screenshot(`failed-team-${at}`).catch(() => undefined);
  });

  after(async () => {
    await (bench as Workbench | undefined)?.close();
    await (team as TeamHub | undefined)?.stop();
    removeTempDirs();
  });

  it('Connect to a Hub connects with address and token typed; what is wrong with them is said at once', async () => {
    const { token } = await registerClient(team.process, 'delta');
    const box = alpha.page.locator('.quick-input-widget:visible');
    await alpha.openFeed();
    await alpha.clickWelcome('Connect to a Hub');
    await alpha.answer([['Address of the hub', 'no address at all']]);
    await box.filter({ hasText: 'is no hub address' }).waitFor();
    await alpha.page.keyboard.press('Control+A');
    await alpha.page.keyboard.insertText(team.typed);
    await alpha.page.keyboard.press('Enter');
    await box.locator('input[type=password]').waitFor();
    await alpha.answer([['Admin token', token]]);
    await box.filter({ hasText: 'not the admin token' }).waitFor();
    await alpha.screenshot('20-wrong-token');
    assert.equal(fs.existsSync(inBench('alpha', '.context/.connect.enc')), false);
    await alpha.answer([
      ['Try another one', team.process.adminToken],
      ['Name of this project', 'alpha'],
    ]);
    await alpha.status(/ctx Hub #0$/);
    await alpha.screenshot('21-connected');
  });

  it('the token that was typed is in no setting, argument or log (S35)', async () => {
    const token = team.process.adminToken;
    const watch = watchArguments(token);
    await alpha.palette('Connect to a Hub');
    await alpha.answer([
      ['Address of the hub', team.typed],
      ['Admin token', token],
      ['Name of this project', 'alpha'],
    ]);
    await alpha.status(/alpha is connected to ws:/);
    const { looks, seen } = watch.end();
    assert.ok(looks > 10, `looked ${looks} times`);
    assert.deepEqual(seen, []);
    assert.deepEqual(filesWith(team.process.dataDir, token), ['admin.token'], 'it can be found where it is');
    assert.deepEqual(filesWith(bench.dir, token), []);
  });

  it('Share Selection takes what is marked, from the menu of the editor', async () => {
    await alpha.openFile('NOTES.md');
    await alpha.page.keyboard.press('Control+A');
    const line = alpha.page.locator('.editor-instance .view-line').first();
    await alpha.contextMenu(line, 'Share with ctx Hub', 'Share Selection');
    await alpha.choose('Learning');
    await alpha.answer([
      ['What was learned?', 'Caches are keyed by what they read'],
      ['What is the lesson?', 'Name every variable in the key'],
      ['What to do with it', 'New steps declare their variables'],
    ]);
    await alpha.status(/ctx Hub #1$/);
    assert.match(
      textOf('alpha/.context/LEARNINGS.md'),
      /Caches are keyed by what they read[\s\S]*\*\*Context\*\*: The cache ignores the environment\n/,
    );
    const [entry] = team.log();
    assert.equal(entry?.origin, 'alpha');
    assert.match(entry.content, /^Caches are keyed by what they read\n/);
  });

  it('Choose Subscriptions decides what arrives, and what was left out is filled in later', async () => {
    await alpha.palette('Choose Subscriptions');
    await alpha.page.locator('.quick-input-list .monaco-list-row', { hasText: 'Tasks' }).waitFor();
    await alpha.screenshot('22-subscriptions');
    await alpha.toggle('Tasks');
    // What is on its way while the subscription changes may still come in.
    const last = await until('tasks stay out', async () => tasksStayOut(), 60_000);
    await alpha.screenshot('22-without-tasks');
    await alpha.palette('Choose Subscriptions');
    await alpha.toggle('Tasks');
    await alpha.row(`Task ${last} of gamma`).waitFor();
  });

  it('with nothing subscribed the feed says so, and what is shared still goes out', async () => {
    await alpha.palette('Choose Subscriptions');
    await alpha.toggle('Decisions', 'Learnings', 'Conventions', 'Tasks');
    await alpha.welcome('This project subscribes to no type of entry').waitFor();
    await alpha.palette('Share Task');
    await alpha.answer([['What is to be done?', 'Subscribe to something']]);
    await alpha.choose('Leave open');
    await until('it is shared', () => shared('Subscribe to something') === 1, 30_000);
    await alpha.screenshot('23-nothing-subscribed');
    await alpha.palette('Choose Subscriptions');
    await alpha.toggle('Decisions', 'Learnings', 'Conventions', 'Tasks');
    await alpha.row('Decision 1 of gamma').waitFor();
  });

  it('the feed shows a page, and more when asked', async () => {
    const titles = Array.from({ length: 12 }, (_, at) => `Convention number ${at + 1}`);
    await team.share('convention', ...titles);
    await alpha.row('Convention number 12').waitFor();
    await alpha.row('Load more').waitFor();
    assert.equal(await alpha.row('Convention number 2').count(), 0, 'ten are a page here');
    await alpha.screenshot('24-load-more');
    await alpha.row('Load more').click();
    await alpha.page.locator('.sidebar .monaco-list-row[aria-label$="Convention number 1"]').waitFor();
    await alpha.row('Decision 1 of gamma').waitFor();
    assert.equal(await alpha.row('Load more').count(), 0);
  });

  it('Copy into This Project makes an entry of its own', async () => {
    const copied = (): boolean => textOf('alpha/.context/DECISIONS.md').includes('] Decision 1 of gamma\n');
    await alpha.clickRowAction('Decision 1 of gamma', 'Copy into This Project', copied);
    const [theirs] = team.log().filter(({ content }) => content === 'Decision 1 of gamma');
    assert.ok(theirs);
    assert.equal(textOf('alpha/.context/DECISIONS.md').includes(theirs.id), false);
    assert.equal(shared('Decision 1 of gamma'), 1, 'a copy is not shared');
  });

  it('the first share from a connection that this window did not make names the hub it goes to', async () => {
    await connectOnTerminal('beta');
    beta = await open(inBench('beta'));
    await beta.status(/ctx Hub #\d+$/);
    const share = async (title: string): Promise<void> => {
      await beta.palette('Share Task');
      await beta.answer([['What is to be done?', title]]);
      await beta.choose('low');
    };
    await share('Kept to ourselves');
    await beta.dialog(`Share with the hub at ws://${team.typed}?`).waitFor();
    await beta.screenshot('25-first-share');
    await beta.clickDialog('Cancel');
    await share('Meant for all');
    await beta.dialog('everyone who is connected to that hub can read it').waitFor();
    await beta.clickDialog('Share');
    await until('it is shared', () => shared('Meant for all') === 1, 30_000);
    assert.equal(shared('Kept to ourselves'), 0);
    assert.match(textOf('beta/.context/TASKS.md'), /Kept to ourselves/);
    await share('Not asked again');
    await until('it is shared', () => shared('Not asked again') === 1, 30_000);
  });

  it('Publish Pending says why it cannot, and sends once when it can', async () => {
    await team.stop();
    await beta.palette('Share Convention');
    await beta.answer([
      ['What is the convention?', 'Pending entries are sent once'],
      ['Under which section?', 'Sharing'],
    ]);
    await beta.toasts('Saved in .context. Not shared').waitFor();
    await beta.status(/1 pending/);
    await beta.screenshot('26-outage');
    await beta.clearToasts();
    await beta.palette('Publish Pending');
    await beta.toasts('1 still pending').waitFor();
    await beta.clearToasts();
    await team.startAgain();
    await beta.palette('Publish Pending');
    await beta.status(/ctx Hub #\d+$/);
    await until('it is shared', () => shared('Pending entries are sent once') === 1, 30_000);
    assert.equal(shared('Pending entries are sent once'), 1);
  });

  it('each folder of a window has a connection of its own', async () => {
    await connectOnTerminal('delta');
    const file = inBench('both.code-workspace');
    fs.writeFileSync(file, JSON.stringify({ folders: [{ path: 'delta' }, { path: 'epsilon' }] }));
    const both = await open(file);
    await both.status(/ctx Hub #\d+$/);
    await both.palette('Connect to the Local Hub');
    await both.choose('epsilon');
    await both.status(/epsilon is connected to ws:/);
    for (const [folder, question] of [
      ['delta', true],
      ['epsilon', false],
    ] as const) {
      await both.palette('Share Task');
      await both.choose(folder);
      await both.answer([['What is to be done?', `Only for the hub of ${folder}`]]);
      await both.choose('low');
      if (question) await both.clickDialog('Share');
    }
    const local = (): string => {
      const log = path.join(hubDataDir(bench.home), 'entries.jsonl');
      return fs.existsSync(log) ? fs.readFileSync(log, 'utf8') : '';
    };
    await until('both are shared', () => shared('Only for the hub of delta') === 1 && local() !== '', 30_000);
    assert.match(local(), /Only for the hub of epsilon/);
    assert.doesNotMatch(local(), /Only for the hub of delta/);
    assert.equal(shared('Only for the hub of epsilon'), 0);
    await both.screenshot('27-two-folders');
  });
});
