/** The Raft log on disk: what was promised is there after any crash, what is damaged is named, a full disk takes nothing away. */
import assert from 'node:assert/strict';
import { HubError } from '../../../../core/errors';
import type { Entry } from '../../../../hub/raft/entry';
import { RaftLog, type OpenedRaftLog, type RaftWrite, type Recovered } from '../../../../hub/raft-log/raft-log';
import { scaled } from '../../../support/scale';
import { SimulatedDisk, seeded, type Crash, type Fault, type Plan } from '../../../support/simulated-disk';

const FOLDER = '/data/raft';
const CRASHES: readonly Crash[] = ['kill', 'lost', 'torn', 'nul', 'kept'];
const FAULTS: readonly Fault[] = ['eio', 'enospc', 'short'];

const entry = (term: number, index: number): Entry => ({
  term,
  index,
  kind: 'data',
  data: Buffer.from(`entry ${index} of term ${term} ${'x'.repeat((index * 37) % 300)}`),
});

function newDisk(seed = 1, plan?: Plan): SimulatedDisk {
  const disk = new SimulatedDisk(plan, seeded(seed));
  disk.poke('/data', 'folder');
  return disk;
}

function neverFull(): never {
  throw new Error('the disk was full');
}

const warnings: string[] = [];
const open = (disk: SimulatedDisk, segmentBytes = 2_000): Promise<OpenedRaftLog> =>
  RaftLog.open({ disk, folder: FOLDER, warn: (message) => warnings.push(message), segmentBytes });

/** What a node has been told is durable. */
class Model {
  term = 0;
  vote = 0;
  base = 0;
  entries: Entry[] = [];
  /** A write or compaction that was not confirmed: either state is right. */
  pending: RaftWrite | { readonly compact: number } | undefined;

  confirm({ hardState, restore, entries }: RaftWrite): void {
    if (hardState !== undefined) ({ term: this.term, vote: this.vote } = hardState);
    if (restore !== undefined) {
      this.base = restore.index;
      this.entries = [];
    }
    const first = entries[0]?.index;
    if (first !== undefined) this.entries = this.entries.filter(({ index }) => index < first);
    this.entries.push(...entries);
  }

  check({ hardState, entries, base }: Recovered, at: string): void {
    const { pending } = this;
    const write = pending !== undefined && 'entries' in pending ? pending : undefined;
    assert.ok(hardState.term >= this.term, `${at}: the term went back from ${this.term} to ${hardState.term}`);
    if (hardState.term === this.term) assert.equal(hardState.vote, this.vote, `${at}: vote`);
    if (base.index === write?.restore?.index) return;
    const replacedFrom = write?.entries[0]?.index ?? Infinity;
    const found = new Map(entries.map((each) => [each.index, each]));
    for (const kept of this.entries) {
      if (kept.index <= base.index || kept.index >= replacedFrom) continue;
      assert.deepEqual(found.get(kept.index), kept, `${at}: entry ${kept.index}`);
    }
    for (const each of entries) {
      const known = [...this.entries, ...(write?.entries ?? [])].some(
        ({ index, term }) => index === each.index && term === each.term,
      );
      assert.ok(known, `${at}: entry ${each.index} of term ${each.term} was never written`);
    }
  }
}

/** A node's life: appends, votes, replaced suffixes, a snapshot, compactions, several segments. */
async function workload(log: RaftLog, model: Model, retry: () => void): Promise<void> {
  const write = async (given: Partial<RaftWrite>): Promise<void> => {
    const whole: RaftWrite = { entries: [], sync: true, ...given };
    model.pending = whole;
    try {
      await log.write(whole);
    } catch (error) {
      if (!(error instanceof HubError) || error.code !== 'disk_full') throw error;
      // The very same write again, with whatever it cuts off (the prototype lost queued truncations here).
      retry();
      await log.write(whole);
    }
    model.confirm(whole);
    model.pending = undefined;
  };
  const compact = async (term: number, index: number): Promise<void> => {
    model.pending = { compact: index };
    try {
      await log.compact({ term, index });
    } catch (error) {
      if (!(error instanceof HubError) || error.code !== 'disk_full') throw error;
      retry();
      await log.compact({ term, index });
    }
    model.pending = undefined;
  };
  await write({ hardState: { term: 1, vote: 2, commit: 0 } });
  for (let index = 1; index <= 12; index += 2) {
    await write({ entries: [entry(1, index), entry(1, index + 1)] });
    await write({ hardState: { term: 1, vote: 2, commit: index }, sync: false });
  }
  await write({ hardState: { term: 2, vote: 3, commit: 9 }, entries: [entry(2, 10), entry(2, 11)] });
  await compact(1, 8);
  for (let index = 12; index <= 24; index += 3) {
    await write({ entries: [entry(2, index), entry(2, index + 1), entry(2, index + 2)] });
  }
  await write({ hardState: { term: 4, vote: 0, commit: 20 }, entries: [entry(4, 21)] });
  await write({ restore: { term: 4, index: 40 }, hardState: { term: 5, vote: 1, commit: 40 } });
  await write({ entries: [entry(5, 41), entry(5, 42)] });
  await compact(5, 41);
  await write({ entries: [entry(5, 43)] });
}

describe('the Raft log on disk', () => {
  it('finds everything again, in order, after a clean close', async () => {
    const disk = newDisk();
    const { log } = await open(disk);
    const model = new Model();
    await workload(log, model, neverFull);
    await log.close();
    const { recovered } = await open(disk);
    assert.deepEqual(recovered.base, { term: 5, index: 41 });
    assert.deepEqual(
      recovered.entries.map(({ index, term }) => [index, term]),
      [
        [42, 5],
        [43, 5],
      ],
    );
    assert.deepEqual(recovered.hardState, { term: 5, vote: 1, commit: 41 });
    model.check(recovered, 'after a clean close');
  });

  it('keeps configuration changes and no-ops as they are', async () => {
    const disk = newDisk();
    const { log } = await open(disk);
    const entries: readonly Entry[] = [
      { term: 1, index: 1, kind: 'no-op' },
      {
        term: 1,
        index: 2,
        kind: 'configuration',
        change: {
          transition: 'auto',
          changes: [{ kind: 'add-learner', node: 4 }],
          context: Buffer.from('{"address":"a"}'),
        },
      },
    ];
    await log.write({ entries, sync: true });
    assert.deepEqual((await open(disk)).recovered.entries, entries);
  });

  it('at every disk operation: crash, power cut, I/O error, full disk; nothing promised is lost', async function () {
    this.timeout(120_000);
    const probe = newDisk();
    await workload((await open(probe)).log, new Model(), neverFull);
    const operations = probe.operations.length;
    assert.ok(operations > 60, `${operations} operations`);
    let recoveries = 0;
    let happened = 0;
    const step = scaled(2, 1);
    for (let at = 0; at < operations; at += step) {
      for (const what of [...CRASHES, ...FAULTS]) {
        const disk = newDisk(at + 1, { at, what });
        const model = new Model();
        const where = `${what} at operation ${at}`;
        await open(disk)
          .then(({ log }) => workload(log, model, () => disk.freeSpace()))
          .catch((error: unknown) => {
            if (!disk.isDead && !(error instanceof Error)) throw error;
          });
        happened += disk.happened.length;
        disk.freeSpace();
        // Power goes whenever the node ended: after a failed sync too.
        if (!disk.isDead) disk.crash('lost');
        disk.restart();
        const { recovered } = await open(disk).catch((error: unknown) => {
          assert.fail(`${where}: refused to start: ${String(error)}`);
        });
        model.check(recovered, where);
        recoveries++;
      }
    }
    assert.ok(happened > recoveries / 2, `${happened} faults happened in ${recoveries} lives`);
  });

  it('refuses damage below what a later write proves to be durable, and cuts a torn end', async () => {
    const disk = newDisk();
    const { log } = await open(disk, 1_000_000);
    for (let index = 1; index <= 20; index++) await log.write({ entries: [entry(1, index)], sync: true });
    await log.close();
    const file = disk.files.find((name) => name.endsWith('.log')) ?? '';
    const bytes = Buffer.from(disk.peek(file) ?? []);
    const place = Math.floor(bytes.length / 2);
    const middle = Buffer.from(bytes);
    middle.writeUInt8((middle[place] ?? 0) ^ 1, place);
    disk.poke(file, middle);
    await assert.rejects(open(disk), (error: unknown) => {
      assert.ok(error instanceof HubError);
      assert.equal(error.code, 'bad_data');
      assert.match(error.message, /damaged at byte \d+/);
      return true;
    });
    disk.poke(file, bytes.subarray(0, bytes.length - 5));
    warnings.length = 0;
    const { recovered } = await open(disk);
    assert.equal(recovered.entries.length, 19);
    assert.match(warnings.join(), /cut \d+ bytes/);
  });

  it('a full disk: refused as a whole, the next try succeeds and cuts what it must', async () => {
    const disk = newDisk();
    const { log } = await open(disk);
    await log.write({ entries: [entry(1, 1), entry(1, 2), entry(1, 3)], sync: true });
    disk.failAt({ at: disk.operations.length, what: 'enospc' });
    const replacing: RaftWrite = { entries: [entry(2, 2)], sync: true };
    await assert.rejects(log.write(replacing), { code: 'disk_full' });
    assert.ok(disk.isFull);
    disk.freeSpace();
    await log.write(replacing);
    const { recovered } = await open(disk);
    assert.deepEqual(
      recovered.entries.map(({ term }) => term),
      [1, 2],
    );
  });

  const WRITES: readonly { readonly name: string; readonly write: RaftWrite }[] = [
    {
      name: 'that replaces entries',
      write: { hardState: { term: 2, vote: 0, commit: 3 }, entries: [entry(2, 2), entry(2, 3)], sync: true },
    },
    {
      name: 'that takes a snapshot in',
      write: {
        hardState: { term: 2, vote: 0, commit: 3 },
        ...{ restore: { term: 2, index: 3 }, entries: [entry(2, 4)], sync: true },
      },
    },
  ];
  for (const { name, write } of WRITES) {
    it(`a write ${name}, torn anywhere: what it was to replace does not count as committed, nor an entry without its term`, async () => {
      const disk = newDisk();
      const { log } = await open(disk, 100_000);
      const entries = [entry(1, 1), entry(1, 2), entry(1, 3)];
      await log.write({ hardState: { term: 1, vote: 1, commit: 1 }, entries, sync: true });
      const file = disk.files.find((each) => each.endsWith('.log')) ?? '';
      const before = disk.peek(file)?.length ?? 0;
      await log.write(write);
      await log.close();
      const bytes = disk.peek(file) ?? new Uint8Array(0);
      const commits = new Set<number>();
      for (let end = before; end <= bytes.length; end += 1) {
        disk.poke(file, bytes.subarray(0, end));
        const { log: torn, recovered } = await open(disk, 100_000);
        await torn.close();
        const { base, hardState } = recovered;
        commits.add(hardState.commit);
        for (const { index, term } of recovered.entries) {
          assert.ok(term <= hardState.term, `cut at ${end}: entry ${index} of term ${term} without that term`);
          const isOld = index > 1 && term === 1;
          assert.ok(!isOld || index > hardState.commit, `cut at ${end}: entry ${index} of term ${term} is committed`);
        }
        assert.ok(hardState.commit <= base.index + recovered.entries.length, `cut at ${end}: committed beyond its end`);
      }
      assert.deepEqual([...commits], [1, 3]);
    });
  }

  it('a log that ends before what it says is committed is refused', async () => {
    const disk = newDisk();
    const { log } = await open(disk);
    await log.write({ entries: [entry(1, 1)], sync: true });
    await log.write({ hardState: { term: 1, vote: 1, commit: 2 }, entries: [], sync: true });
    await log.close();
    await assert.rejects(open(disk), { code: 'bad_data', message: /lacks entry 2: what was promised .* peer remove/ });
  });

  it('after a failed fsync nothing more is written', async () => {
    const disk = newDisk();
    const { log } = await open(disk);
    disk.failAt({ at: disk.operations.length + 1, what: 'eio' });
    await assert.rejects(log.write({ entries: [entry(1, 1)], sync: true }), { code: 'store_failed' });
    await assert.rejects(log.write({ entries: [entry(1, 1)], sync: true }), { code: 'store_failed' });
    assert.notEqual(log.failure, undefined);
  });
});
