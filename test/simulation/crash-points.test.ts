/** Every crash point of a fixed workload, over the code that ships: P1, P5, P8, FM-02, FM-20, FM-21, FM-22, FM-26. */
import assert from 'node:assert/strict';
import type { ClientRecord } from '../../hub/state/commands';
import { checkHistory } from '../support/history';
import { noteFigures } from '../support/reliability';
import { scaled } from '../support/scale';
import { seeded, SimulatedDisk, type Crash, type Fault, type Plan } from '../support/simulated-disk';
import { clientRecord, FOLDER, SimulatedHub } from '../support/simulated-hub';

const LOG = `${FOLDER}/entries.jsonl`;
const CRASHES: readonly Crash[] = ['kill', 'lost', 'torn', 'nul', 'kept'];
const FAULTS: readonly Fault[] = ['eio', 'enospc', 'short'];

/** What the workload knows to be true of the clients, whatever happens next. */
interface Expected {
  readonly clients: Map<string, ClientRecord>;
  /** Changed without an answer: either state is right. */
  readonly uncertain: Set<string>;
}

async function register(hub: SimulatedHub, expected: Expected, id: string): Promise<void> {
  const wanted = clientRecord(id, { client: `client-${id}` });
  if (await hub.change({ kind: 'register', record: wanted })) expected.clients.set(wanted.id, wanted);
  else expected.uncertain.add(wanted.id);
}

async function revoke(hub: SimulatedHub, expected: Expected, id: string): Promise<void> {
  const { id: clientId } = clientRecord(id);
  const known = expected.clients.get(clientId);
  if (await hub.change({ kind: 'revoke', clientId, at: '2026-02-01T00:00:00.000Z' })) {
    if (known !== undefined) expected.clients.set(clientId, { ...known, revoked_at: '2026-02-01T00:00:00.000Z' });
  } else expected.uncertain.add(clientId);
}

/** Restarts after a fault that stopped the store, and carries on when space has been freed. */
async function attend(hub: SimulatedHub): Promise<void> {
  if (hub.disk.isFull) hub.disk.freeSpace();
  if (hub.opened.engine.status().writeFault === undefined) return;
  await hub.opened.engine.close();
  await hub.open();
}

async function publish(hub: SimulatedHub, client: string, ...ids: string[]): Promise<void> {
  const told = await hub.publish(client, ...ids);
  const full = told.some((each) => each.kind === 'refused' && each.code === 'disk_full');
  await attend(hub);
  if (!full) return;
  // The next append after space was freed succeeds, without a restart.
  const again = await hub.publish(client, ...ids);
  assert.ok(
    again.every((each) => each.kind === 'ok'),
    'the publish after space was freed',
  );
}

async function openAgain(hub: SimulatedHub): Promise<void> {
  try {
    await hub.open();
  } catch (error) {
    // A start may fail while the disk does; then it is started again.
    if (hub.disk.isDead || hub.disk.happened.length === 0) throw error;
    hub.disk.freeSpace();
    await hub.open();
  }
}

/** About 350 operations of the disk: starts, stops, single publishes, bursts, duplicates, client changes, idle times. */
async function workload(hub: SimulatedHub, expected: Expected): Promise<void> {
  let next = 0;
  for (let round = 0; round < 5; round++) {
    await openAgain(hub);
    await register(hub, expected, `${round}1`);
    await attend(hub);
    for (let i = 0; i < 9; i++) await publish(hub, 'ada@laptop', `e-${next++}`);
    await hub.opened.idle();
    for (let i = 0; i < 4; i++) {
      await publish(hub, 'bob@server', `e-${next++}`, `e-${next++}`, `e-${next - 2}`, 'e-0');
      const burst = Array.from({ length: 3 }, () => publish(hub, 'ada@laptop', `e-${next++}`));
      await Promise.all(burst);
    }
    if (round % 2 === 0) await revoke(hub, expected, `${round}1`);
    await attend(hub);
    await hub.opened.engine.close();
  }
}

/** Nothing that was acknowledged is missing, nothing that was refused is there. */
async function verify(hub: SimulatedHub, expected: Expected): Promise<void> {
  const lines = await hub.log();
  assert.deepEqual(checkHistory({ operations: hub.operations, logs: [{ node: 'hub', lines }] }), []);
  for (const [id, wanted] of expected.clients) {
    if (!expected.uncertain.has(id)) assert.deepEqual(hub.opened.clients.find(id), wanted);
  }
}

/** Retries everything that was not acknowledged, as a client would; then all of it is there, once. */
async function carryOn(hub: SimulatedHub, expected: Expected): Promise<void> {
  const ids = [...new Set(hub.operations.map(({ id }) => id))];
  const told = await hub.publish('ada@laptop', ...ids);
  ids.forEach((id, i) => assert.equal(told[i]?.kind, 'ok', `${id} after the recovery`));
  await verify(hub, expected);
  await hub.opened.engine.close();
  await hub.open();
  await verify(hub, expected);
  await hub.opened.engine.close();
}

async function run(plan: Plan, seed: number): Promise<{ happened: boolean }> {
  const disk = new SimulatedDisk(plan, seeded(seed));
  disk.poke('/srv', 'folder');
  const hub = new SimulatedHub(disk);
  const expected: Expected = { clients: new Map(), uncertain: new Set() };
  try {
    await workload(hub, expected);
  } catch (error) {
    if (!disk.isDead) throw error;
  }
  if (!disk.isDead) disk.crash('lost');
  disk.restart();
  await hub.open();
  await verify(hub, expected);
  await carryOn(hub, expected);
  return { happened: disk.happened.length > 0 };
}

async function countOperations(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk(undefined, seeded(1));
  disk.poke('/srv', 'folder');
  await workload(new SimulatedHub(disk), { clients: new Map(), uncertain: new Set() });
  return disk;
}

describe('every crash point of the store', () => {
  let operations = 0;
  let allRecoveries = 0;
  before(async () => {
    operations = (await countOperations()).operations.length;
    console.log(`    ${operations} disk operations`);
    assert.ok(operations >= 300, `the workload has only ${operations} disk operations`);
  });
  after(() => noteFigures('crash-points', { disk_operations: operations, recoveries: allRecoveries }));

  for (const what of [...CRASHES, ...FAULTS]) {
    it(`${what} at each operation: nothing acknowledged is lost, nothing refused appears, every start succeeds`, async function () {
      this.timeout(120_000);
      let happened = 0;
      // At small scale every fourth point, other ones for each kind; together they still touch every operation.
      const step = scaled(4, 1);
      const first = [...CRASHES, ...FAULTS].indexOf(what) % step;
      let recoveries = 0;
      for (let at = first; at < operations; at += step) {
        recoveries++;
        const seed = at * 8 + 1;
        try {
          if ((await run({ at, what }, seed)).happened) happened++;
        } catch (error) {
          throw new Error(`${what} at operation ${at} (seed ${seed}): ${String(error)}`, { cause: error });
        }
      }
      const least = what === 'short' || what === 'enospc' ? recoveries / 8 : recoveries;
      assert.ok(happened >= least, `the fault happened only ${happened} times`);
      console.log(`      ${happened} faults, ${recoveries} recoveries`);
      allRecoveries += recoveries;
    });
  }

  it('a batch that is refused because the disk is full never appears, even when the power goes right after', async () => {
    let halfWritten = 0;
    for (let seed = 0; seed < scaled(60, 400); seed++) {
      const disk = new SimulatedDisk(undefined, seeded(seed));
      disk.poke('/srv', 'folder');
      const hub = new SimulatedHub(disk);
      await hub.open();
      await hub.publish('ada@laptop', 'e-0');
      const size = disk.peek(LOG)?.length ?? 0;
      // Half of the write is on its way: the first lines of the batch are whole.
      disk.failNext('enospc');
      const told = await hub.publish('ada@laptop', 'r-1', 'r-2', 'r-3', 'r-4');
      assert.deepEqual(new Set(told.map((each) => each.kind)), new Set(['refused']));
      disk.crash('torn');
      if ((disk.peek(LOG)?.length ?? 0) !== size) halfWritten++;
      disk.restart();
      await hub.open();
      assert.deepEqual(
        checkHistory({ operations: hub.operations, logs: [{ node: 'hub', lines: await hub.log() }] }),
        [],
      );
    }
    assert.equal(halfWritten, 0, 'the cut was durable before the refusal');
  });
});
