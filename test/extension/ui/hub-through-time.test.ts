/**
 * The local hub over days, by keyboard and mouse, with the packaged VSIX installed: an update of the extension, a reboot, and
 * a hub that its user has stopped.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { isProcessAlive } from '../../../core/node/platform';
import { ctx, until, userEnv } from '../../support/processes';
import { Driver } from '../support/driver';
import { makeProject } from '../support/fixture';
import { freePort, hubDataDir, killHub, readHub } from '../support/hub';
import { CURRENT_VERSION, OLD_VERSION, startOldHub } from '../support/old-hub';
import { uiSetup } from '../support/ui-setup';
import { openWorkbench, type Workbench } from '../support/workbench';

const STEP_DEADLINE_MS = 120_000;
const START_DEADLINE_MS = 60_000;

describe('the local hub through time', function () {
  this.timeout(STEP_DEADLINE_MS);
  // Each step builds on the one before.
  this.bail(true);

  let bench: Workbench;
  let alpha: Driver | undefined;
  const { shots, ...setup } = uiSetup();

  async function open(): Promise<Driver> {
    alpha = new Driver(await bench.openWindow({ open: path.join(bench.dir, 'alpha') }), shots);
    await alpha.ready();
    await alpha.openFeed();
    return alpha;
  }

  /** As shutting down the machine does: the editor says goodbye, the hub may not even get to that. */
  async function closeWindow(): Promise<void> {
    await alpha?.page.close({ runBeforeUnload: true });
    await until('the window is closed', () => alpha?.page.isClosed());
  }

  before(async () => {
    const port = await freePort();
    bench = await openWorkbench({ ...setup, machineSettings: { 'ctxHub.localHub.port': port } });
    makeProject(path.join(bench.dir, 'alpha'));
    startOldHub(bench.home, path.join(bench.dir, 'old'), port);
    const token = path.join(hubDataDir(bench.home), 'admin.token');
    const args = ['connection', 'register', `127.0.0.1:${port}`, '--token-file', token];
    const { code, stderr } = await ctx(args, { cwd: path.join(bench.dir, 'alpha'), env: userEnv(bench.home) });
    assert.equal(code, 0, stderr);
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await alpha?.screenshot('failed-time').catch(() => undefined);
  });

  after(() => (bench as Workbench | undefined)?.close());

  it('a hub older than the extension runs on until its user wants the restart that is offered', async () => {
    const old = readHub(bench.home);
    assert.equal(old?.version, OLD_VERSION, 'it is older');
    const window = await open();
    await window.status(/ctx Hub #0$/);
    const offer = `The local hub still runs version ${OLD_VERSION}; this extension is ${CURRENT_VERSION}`;
    await window.toasts(offer).waitFor();
    await window.screenshot('30-version-skew');
    assert.equal(readHub(bench.home)?.pid, old.pid, 'nothing happens unasked');
    await window.clickToast(offer, 'Restart the Hub');
    const hub = await until(
      'the new one runs',
      () => [readHub(bench.home)].find((each) => each?.version === CURRENT_VERSION),
      START_DEADLINE_MS,
    );
    assert.equal(hub.port, old.port, 'projects have its address');
    assert.equal(isProcessAlive(old.pid), false);
    await window.status(/ctx Hub #0$/);
  });

  it('after a reboot it is started again when a project of it is opened', async () => {
    await closeWindow();
    const gone = killHub(bench.home);
    await until('it is dead', () => !isProcessAlive(gone.pid));
    const window = await open();
    const hub = await until(
      'it runs again',
      () => [readHub(bench.home)].find((each) => each !== undefined && each.pid !== gone.pid),
      START_DEADLINE_MS,
    );
    assert.equal(hub.port, gone.port);
    await window.status(/ctx Hub #0$/);
  });

  it('one that its user has stopped stays stopped', async () => {
    const window = alpha;
    const running = readHub(bench.home);
    assert.ok(window !== undefined && running !== undefined);
    await window.palette('Stop Local Hub');
    await window.dialog('All windows and projects of this machine share it').waitFor();
    await window.screenshot('31-stop');
    await window.clickDialog('Stop');
    await until('it has ended', () => !isProcessAlive(running.pid), START_DEADLINE_MS);
    await window.welcome('starts when you say so').waitFor();
    await window.screenshot('32-stopped');
    await closeWindow();
    const again = await open();
    // Said only after the extension of this window has looked and decided.
    await again.welcome('starts when you say so').waitFor();
    assert.equal(isProcessAlive(readHub(bench.home)?.pid ?? running.pid), false);
    await again.clickWelcome('Start Local Hub');
    await again.status(/ctx Hub #0$/);
  });
});
