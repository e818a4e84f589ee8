/**
 * The main story as users live it, by keyboard and mouse, with the packaged VSIX installed: a local hub started from the palette,
 * a decision shared in one window and seen in another, an outage, and a reload.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { isProcessAlive } from '../../../core/node/platform';
import { ctx, userEnv } from '../../support/processes';
import { Driver } from '../support/driver';
import { makeProject } from '../support/fixture';
import { freePort, killHub, readHub } from '../support/hub';
import { uiSetup } from '../support/ui-setup';
import { openWorkbench, type Workbench } from '../support/workbench';

const STEP_DEADLINE_MS = 120_000;

describe('two windows', function () {
  this.timeout(STEP_DEADLINE_MS);
  // Each step builds on the one before.
  this.bail(true);

  let bench: Workbench;
  let alpha: Driver;
  let beta: Driver;
  const windows: Driver[] = [];
  const { shots, ...setup } = uiSetup();

  async function open(folder: string, trusted: boolean): Promise<Driver> {
    const driver = new Driver(await bench.openWindow({ open: folder }), shots);
    windows.push(driver);
    await driver.ready();
    await driver.trust(trusted);
    return driver;
  }

  /** As the hub counts them. */
  async function openSessions(): Promise<unknown> {
    const env = userEnv(bench.home);
    const { stdout, stderr } = await ctx(['hub', 'status', '--json'], { cwd: bench.dir, env });
    assert.match(stdout, /"sessions":\d+/, stderr);
    return /"sessions":(\d+)/.exec(stdout)?.[1];
  }

  const textOf = (project: string, file: string): string =>
    fs.readFileSync(path.join(bench.dir, project, '.context', file), 'utf8');

  before(async () => {
    bench = await openWorkbench({
      ...setup,
      workspaceTrust: true,
      machineSettings: { 'ctxHub.localHub.port': await freePort() },
    });
    for (const name of ['alpha', 'beta']) makeProject(path.join(bench.dir, name));
    const folders = ['alpha', 'beta'].map((name) => open(path.join(bench.dir, name), true));
    [alpha, beta] = (await Promise.all(folders)) as [Driver, Driver];
  });

  afterEach(async function () {
    if (this.currentTest?.state !== 'failed') return;
    for (const [at, driver] of windows.entries()) await driver.screenshot(`failed-${at}`).catch(() => undefined);
  });

  after(() => (bench as Workbench | undefined)?.close());

  it('a new project says what to do next', async () => {
    await alpha.openFeed();
    await alpha.welcome('Connect this project to a hub').waitFor();
    await alpha.screenshot('01-not-connected');
  });

  it('the local hub is started from the palette, and the project is connected to it', async () => {
    await alpha.palette('Start Local Hub');
    await alpha.status(/ctx Hub #0/);
    await alpha.welcome('Nothing shared by other projects yet').waitFor();
    assert.ok(readHub(bench.home));
    await alpha.screenshot('02-connected-empty');
  });

  it('another window connects its project with one click', async () => {
    await beta.openFeed();
    await beta.clickWelcome('Connect to the Local Hub');
    await beta.status(/ctx Hub #0/);
  });

  it('a decision shared through the palette appears in the other window', async () => {
    await alpha.palette('Share Decision');
    await alpha.answer([
      ['What was decided?', 'Prefer boring technology'],
      ['What made it necessary?', 'Three services run on three databases'],
      ['Why this and not something else?', 'One that we know well has fewer surprises'],
    ]);
    await alpha.page.locator('.quick-input-widget:visible', { hasText: 'What follows from it?' }).waitFor();
    await alpha.page.keyboard.insertText('New services use PostgreSQL');
    await alpha.screenshot('03-share-step');
    const began = performance.now();
    await alpha.page.keyboard.press('Enter');
    await beta.row('Prefer boring technology').waitFor();
    console.log(`      from the last Enter to the other window's screen: ${Math.round(performance.now() - began)} ms`);
    await alpha.status(/Shared as #1/);
    assert.match(textOf('alpha', 'DECISIONS.md'), /Prefer boring technology/);
    await beta.page.locator('.activitybar .badge-content', { hasText: '1' }).waitFor();
    const label = await beta.row('Prefer boring technology').getAttribute('aria-label');
    assert.match(label ?? '', /^decision from alpha, now, unread: Prefer boring technology/);
  });

  it('a click opens it as a read-only document', async () => {
    await beta.row('Prefer boring technology').click();
    await beta.page.locator('.tab', { hasText: 'Prefer boring technology' }).waitFor();
    await beta.page.locator('.activitybar .badge-content', { hasText: '1' }).waitFor({ state: 'hidden' });
    const preview = beta.page.frameLocator('iframe.webview').frameLocator('#active-frame');
    await preview.locator('h1', { hasText: 'Prefer boring technology' }).waitFor();
    await beta.screenshot('04-entry');
  });

  it('with the hub killed, a share is kept: one warning, and it waits', async () => {
    killHub(bench.home);
    await alpha.palette('Share Learning');
    await alpha.answer([
      ['What was learned?', 'Outages are quiet'],
      ['Where did it come up?', 'The hub was killed in the middle of the day'],
      ['What is the lesson?', 'Nothing is lost, and nobody waits'],
      ['What to do with it from now on?', 'Go on working'],
    ]);
    await alpha.toasts('Saved in .context. Not shared').waitFor();
    await alpha.status(/1 pending/);
    await alpha.screenshot('05-pending');
    await alpha.palette('Share Task');
    await alpha.answer([['What is to be done?', 'Look at the hub']]);
    await alpha.choose('high');
    await alpha.status(/2 pending/);
    assert.equal(await alpha.toasts('Saved in .context. Not shared').count(), 1, 'one warning per outage');
    assert.match(textOf('alpha', 'LEARNINGS.md'), /Outages are quiet/);
    assert.match(textOf('alpha', 'TASKS.md'), /Look at the hub #priority:high/);
  });

  it('once it is started again, what waited arrives by itself', async () => {
    await alpha.palette('Start Local Hub');
    await alpha.status(/ctx Hub #3$/);
    // Somebody works in that list: it says what came, and moves when asked to.
    await beta.title(/2 new/).waitFor();
    assert.equal(await beta.row('Outages are quiet').count(), 0);
    await beta.screenshot('06-held');
    await beta.page.locator('.sidebar .action-label[aria-label*="Show New Entries"]').first().click();
    await beta.row('Outages are quiet').waitFor();
    await beta.row('Look at the hub').waitFor();
    assert.equal(await beta.row('Prefer boring technology').count(), 1);
    await beta.screenshot('07-arrived');
  });

  it('a reloaded window finds the hub again, and its feed', async () => {
    const hub = readHub(bench.home);
    await beta.page.reload({ waitUntil: 'commit' });
    await beta.ready();
    await beta.status(/ctx Hub #3$/);
    await beta.row('Outages are quiet').waitFor();
    assert.deepEqual(readHub(bench.home), hub);
  });

  it('the menu of the status item offers what there is to do', async () => {
    await alpha.page.locator('.statusbar-item a', { hasText: 'ctx Hub #' }).first().click();
    await alpha.page.locator('.quick-input-list .monaco-list-row', { hasText: 'Stop Local Hub' }).waitFor();
    await alpha.screenshot('08-menu');
    await alpha.page.keyboard.press('Escape');
    assert.ok(isProcessAlive(readHub(bench.home)?.pid ?? 0), 'a click never stops anything');
  });

  it('a file of the project shows its entries’ state', async () => {
    await alpha.page.keyboard.press('Control+P');
    await alpha.input.waitFor();
    await alpha.page.keyboard.insertText('DECISIONS.md');
    await alpha.page.locator('.quick-input-list .monaco-list-row', { hasText: 'DECISIONS.md' }).first().waitFor();
    await alpha.page.keyboard.press('Enter');
    await alpha.page.locator('.codelens-decoration', { hasText: 'Shared as #1' }).first().waitFor();
    await alpha.screenshot('09-lenses');
  });

  it('an untrusted workspace shows what it has and connects to nothing (S34)', async () => {
    const copy = path.join(bench.dir, 'gamma');
    fs.cpSync(path.join(bench.dir, 'beta'), copy, { recursive: true });
    const before = await openSessions();
    const gamma = await open(copy, false);
    await gamma.openFeed();
    await gamma.row('Outages are quiet').waitFor();
    await gamma.palette('Start Local Hub');
    await gamma.toasts('Restricted Mode').waitFor();
    await gamma.screenshot('10-untrusted');
    assert.equal(await openSessions(), before, 'no session was opened');
    await gamma.page.close();
  });
});
