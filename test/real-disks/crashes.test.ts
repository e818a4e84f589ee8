/**
 * The store's promises at full size on real file systems, with the built hub (P1, P5, P8, FM-02, FM-20, FM-21, FM-22): kills, power
 * cuts, full disks, I/O errors. `.ci/run` runs this; what the machine does not allow is reported as not run. CTX_TEST_SCALE=full
 * gives the figures of the reliability plan.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { Crowd } from '../support/crowd';
import { diskFaults, diskFaultsImpossible } from '../support/faults/disk-faults';
import { fill } from '../support/faults/fill';
import { LoopDisk, loopDiskImpossible } from '../support/faults/loop-disk';
import { startHub, type HubProcess } from '../support/hub-process';
import { hubCommand } from '../support/hub-log';
import { removeTempDirs, tempDir, until } from '../support/processes';
import { noteFigures } from '../support/reliability';
import { scaled } from '../support/scale';

const MAX_MS = 900_000;
const DEADLINE_MS = 60_000;
const KILLS = scaled(3, 200);
const CUTS = scaled(3, 100);
const FULL_DISKS = scaled(2, 20);
const IO_ERRORS = scaled(3, 60);
/** The sum over all of them that the plan asks for. */
const LEAST_ACKNOWLEDGED = scaled(1_000, 100_000);
/** For each kill and cut, on average. */
const EACH_ROUND = Math.ceil((LEAST_ACKNOWLEDGED * 1.1) / (KILLS + CUTS));

const args = ['--no-rate-limit'];
const open = (dataDir: string, env: Record<string, string> = {}): Promise<HubProcess> =>
  startHub({ dataDir, args, env, deadlineMs: DEADLINE_MS });

const newCrowd = (): Crowd => new Crowd({ publishers: 8, mostEntries: 24 });

let acknowledged = 0;

/** Holds the history against the log, and the log against `ctx hub verify`. */
async function conclude(crowd: Crowd, dataDir: string, what: string): Promise<void> {
  const lines = crowd.check(dataDir);
  const { code, stderr } = await hubCommand(dataDir, 'verify');
  assert.equal(code, 0, stderr);
  acknowledged += crowd.acknowledged;
  const { refused, unknown } = crowd;
  console.log(
    `      ${what}: ${crowd.acknowledged} acknowledged, ${refused} refused, ${unknown} unknown; ${lines} lines, 0 lost`,
  );
}

/** Publishes until the next end, which comes at some moment after enough has been acknowledged. */
async function publishUntilEnd(
  crowd: Crowd,
  hub: HubProcess,
  round: number,
  end: () => Promise<unknown>,
): Promise<void> {
  const enough = crowd.acknowledged + EACH_ROUND + ((round * 37) % 60);
  const running = crowd.publish(hub);
  await until('entries are acknowledged', () => crowd.acknowledged >= enough, DEADLINE_MS);
  await end();
  await running;
}

/** So many rounds on one data directory: a longer log only makes each start longer. */
const ROUNDS_EACH = 25;

function shares(rounds: number): number[] {
  const count = Math.ceil(rounds / ROUNDS_EACH);
  return Array.from({ length: count }, (_, i) => Math.min(ROUNDS_EACH, rounds - i * ROUNDS_EACH));
}

async function powerCuts(rounds: number): Promise<void> {
  const disk = new LoopDisk(128);
  try {
    const dataDir = path.join(disk.folder, 'data');
    const crowd = newCrowd();
    let hub = await open(dataDir);
    await crowd.register(hub);
    for (let cut = 0; cut < rounds; cut++) {
      await publishUntilEnd(crowd, hub, cut, async () => {
        // Stopped first: nothing is acknowledged while the power goes.
        hub.process.process.kill('SIGSTOP');
        await until('the hub stands still', () => isStopped(hub), DEADLINE_MS);
        disk.cutPower();
        await hub.kill9();
      });
      disk.unmount();
      disk.mount();
      hub = await open(dataDir);
    }
    assert.equal((await hub.stop()).code, 0);
    await conclude(crowd, dataDir, `${rounds} power cuts`);
  } finally {
    disk.remove();
  }
}

describe('real file systems', () => {
  after(removeTempDirs);

  it(`${KILLS} kill -9 under 8 publishers`, async function () {
    this.timeout(MAX_MS);
    for (const rounds of shares(KILLS)) {
      const dataDir = path.join(tempDir('ctx-kill'), 'data');
      const crowd = newCrowd();
      let hub = await open(dataDir);
      await crowd.register(hub);
      for (let kill = 0; kill < rounds; kill++) {
        await publishUntilEnd(crowd, hub, kill, hub.kill9);
        hub = await open(dataDir);
      }
      assert.equal((await hub.stop()).code, 0);
      await conclude(crowd, dataDir, `${rounds} kills`);
    }
  });

  it(`${CUTS} power cuts of an ext4 file system on a loop device (root)`, async function () {
    this.timeout(MAX_MS);
    const why = loopDiskImpossible();
    if (why !== undefined) {
      console.log(`      NOT RUN: ${why}`);
      this.skip();
    }
    for (const rounds of shares(CUTS)) await powerCuts(rounds);
  });

  it(`an ext4 file system that is full ${FULL_DISKS} times, under 8 publishers and one hub (root)`, async function () {
    this.timeout(MAX_MS);
    const why = loopDiskImpossible();
    if (why !== undefined) {
      console.log(`      NOT RUN: ${why}`);
      this.skip();
    }
    const disk = new LoopDisk(64);
    try {
      const dataDir = path.join(disk.folder, 'data');
      const ballast = path.join(disk.folder, 'ballast');
      const crowd = newCrowd();
      const hub = await open(dataDir);
      await crowd.register(hub);
      const running = crowd.publish(hub);
      for (let full = 0; full < FULL_DISKS; full++) {
        const refused = crowd.refused;
        fill(ballast, disk.folder, 40_000 + full * 4_500);
        await until('entries are refused', () => crowd.refused > refused + 100, DEADLINE_MS);
        fs.rmSync(ballast);
        const before = crowd.acknowledged;
        await until('it goes on by itself', () => crowd.acknowledged > before + 100, DEADLINE_MS);
      }
      crowd.stop();
      await running;
      assert.equal((await hub.stop()).code, 0);
      await conclude(crowd, dataDir, `${FULL_DISKS} full disks`);
    } finally {
      disk.remove();
    }
  });

  it(`${IO_ERRORS} I/O errors: of writes and fsyncs of the log, and of what replaces meta.json`, async function () {
    this.timeout(MAX_MS);
    const why = diskFaultsImpossible();
    if (why !== undefined) {
      console.log(`      NOT RUN: ${why}`);
      this.skip();
    }
    const faults = diskFaults(tempDir('ctx-faults'));
    const dataDir = path.join(tempDir('ctx-io'), 'data');
    const crowd = newCrowd();
    let hub = await open(dataDir, faults.env);
    await crowd.register(hub);
    const kinds = ['write-eio entries.jsonl', 'sync-eio entries.jsonl', 'sync-eio meta.json.new'] as const;
    for (let error = 0; error < IO_ERRORS; error++) {
      const kind = kinds[error % kinds.length] ?? kinds[0];
      const running = crowd.publish(hub);
      const before = crowd.acknowledged;
      await until('entries are acknowledged', () => crowd.acknowledged > before + 20, DEADLINE_MS);
      if (kind === 'sync-eio meta.json.new') crowd.stop();
      faults.command(kind);
      await until(`${kind} happens`, faults.happened, DEADLINE_MS);
      if (kind === 'sync-eio entries.jsonl') {
        const unknown = crowd.unknown;
        await until('the outcome is unknown', () => crowd.unknown > unknown, DEADLINE_MS);
        crowd.stop();
        await running;
        await hub.stop();
        hub = await open(dataDir, faults.env);
      } else {
        crowd.stop();
        await running;
      }
    }
    await hub.stop();
    await conclude(crowd, dataDir, `${IO_ERRORS} I/O errors`);
  });

  it(`${LEAST_ACKNOWLEDGED} acknowledged in all, none lost`, function () {
    if (loopDiskImpossible() !== undefined) this.skip();
    console.log(`      ${acknowledged} acknowledged, 0 lost`);
    noteFigures('real-disks', {
      ...{ kills: KILLS, power_cuts: CUTS, full_disks: FULL_DISKS, io_errors: IO_ERRORS },
      ...{ acknowledged, lost: 0 },
    });
    assert.ok(acknowledged >= LEAST_ACKNOWLEDGED, `only ${acknowledged}`);
  });
});

/** As Linux says it of a process that got SIGSTOP. */
function isStopped(hub: HubProcess): boolean {
  const stat = fs.readFileSync(`/proc/${String(hub.process.process.pid)}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
}
