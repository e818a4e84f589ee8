/** P7 while a hub runs: a start from the checkpoint looks at the tail first and at the rest behind; what is bad is never served. */
import assert from 'node:assert/strict';
import { HubError } from '../../../../core/errors';
import { openFileEngine } from '../../../../hub/engine/file';
import type { OpenedEngine } from '../../../../hub/engine/log-engine';
import type { Disk } from '../../../../hub/store/disk';
import { entry, publish } from '../../../support/entries';
import { until } from '../../../support/processes';
import { seeded, SimulatedDisk } from '../../../support/simulated-disk';

const FOLDER = '/srv/data';
const LOG = `${FOLDER}/entries.jsonl`;
/** Several slices of what is verified behind. */
const ENTRIES = 3000;

interface Reads {
  readonly disk: Disk;
  /** Where the log was read, in order. */
  readonly at: { readonly position: number; readonly length: number }[];
}

/** The disk, with a note of where the log is read. */
function noting(disk: SimulatedDisk): Reads {
  const at: { position: number; length: number }[] = [];
  const noted: Disk = {
    open: async (path, mode) => {
      const file = await disk.open(path, mode);
      if (path !== LOG) return file;
      return {
        ...file,
        read: (into, position) => {
          at.push({ position, length: into.length });
          return file.read(into, position);
        },
      };
    },
    facts: disk.facts,
    list: disk.list,
    makeFolder: disk.makeFolder,
    protect: disk.protect,
    rename: disk.rename,
    remove: disk.remove,
    syncFolder: disk.syncFolder,
  };
  return { disk: noted, at };
}

async function open(disk: Disk, warnings: string[] = []): Promise<OpenedEngine> {
  return openFileEngine({
    folder: FOLDER,
    disk,
    warn: (message) => warnings.push(message),
    later: () => () => undefined,
    fullVerifyBytes: 0,
  });
}

async function filled(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk(undefined, seeded(1));
  disk.poke('/srv', 'folder');
  const { engine } = await open(disk);
  for (let i = 0; i < ENTRIES; i += 100) {
    await engine.propose(publish(...Array.from({ length: 100 }, (_, n) => entry(`e-${i + n}`))));
  }
  await engine.close();
  return disk;
}

/** Changes a letter of an entry's title, in the file itself: also under a hub that has it open. */
async function damage(disk: SimulatedDisk, id: string): Promise<void> {
  const at = Buffer.from(disk.peek(LOG) ?? []).indexOf(`Title of ${id}\\n`);
  assert.ok(at > 0);
  const file = await disk.open(LOG, 'update');
  await file.write(Buffer.from('X'), at);
  await file.close();
}

async function damagedRange(work: Promise<unknown>): Promise<void> {
  const error = await work.catch((thrown: unknown) => thrown);
  assert.ok(error instanceof HubError);
  assert.equal(error.code, 'store_failed');
  assert.match(
    error.message,
    /entries\.jsonl is damaged \(lines \d+ to \d+ at bytes \d+ to \d+.*ctx hub repair --quarantine/,
  );
}

describe('a start from the checkpoint', () => {
  it('reads the tail before it serves, and the rest once, behind', async () => {
    const disk = await filled();
    const size = disk.peek(LOG)?.length ?? 0;
    const { disk: noted, at } = noting(disk);
    const opened = await open(noted);
    const first = at[0]?.position ?? 0;
    assert.ok(first > size * 0.95, `first the last lines, not byte ${first} of ${size}`);
    const [last] = await opened.reader.readAfter(ENTRIES - 1, 1);
    assert.equal(last?.sequence, ENTRIES);
    await until('the rest is read', () => at.some(({ position }) => position === 0));
    await until('up to its end', () => at.some(({ position, length }) => position > 0 && position + length >= size));
    assert.deepEqual(opened.problems(), []);
    await opened.engine.close();
  });

  it('never serves a range that is bad before the search behind has come there', async () => {
    const disk = await filled();
    await damage(disk, 'e-2500');
    const warnings: string[] = [];
    const opened = await open(disk, warnings);
    await damagedRange(opened.reader.readAfter(2500, 100));
    assert.equal(opened.problems().length, 1);
    assert.equal(warnings.length, 1);
    await opened.engine.close();
  });

  it('finds what is bad behind by itself, and says so once', async () => {
    const disk = await filled();
    await damage(disk, 'e-1200');
    const warnings: string[] = [];
    const opened = await open(disk, warnings);
    await until('the damage is found', () => opened.problems().length > 0);
    assert.match(opened.problems().join(), /line 1201: its digest does not match/);
    assert.deepEqual(warnings, opened.problems());
    await damagedRange(opened.reader.readAfter(1200, 100));
    const before = await opened.reader.readAfter(0, 1000);
    assert.equal(before[0]?.sequence, 1);
    assert.equal((await opened.reader.readAfter(2000, 100))[0]?.sequence, 2001);
    await opened.engine.close();
  });

  it('whose tail is bad is refused like any other', async () => {
    const disk = await filled();
    await damage(disk, `e-${ENTRIES - 1}`);
    await assert.rejects(open(disk), /line 3000 at byte \d+: its digest does not match/);
  });

  it('believes no checkpoint of a longer, another or a changed log', async () => {
    const disk = await filled();
    const { disk: noted, at } = noting(disk);
    const index = disk.peek(`${FOLDER}/entries.index`) ?? new Uint8Array(0);
    const changed = Buffer.from(index);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    disk.poke(`${FOLDER}/entries.index`, changed);
    const opened = await open(noted);
    assert.ok(
      at.some(({ position }) => position === 0),
      'the whole log was read',
    );
    const again = await opened.engine.propose(publish(entry('e-7')));
    assert.deepEqual(again, { kind: 'published', entries: [{ kind: 'duplicate', id: 'e-7', sequence: 8 }] });
    await opened.engine.close();
  });
});

describe('damage under a running hub', () => {
  it('is found at the next read: that range is not served, the rest is, writing goes on, the next start refuses', async () => {
    const disk = await filled();
    const warnings: string[] = [];
    const opened = await open(disk, warnings);
    await until('all is verified', async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return (await opened.reader.readAfter(0, Infinity)).length === ENTRIES;
    });
    await damage(disk, 'e-640');
    const page = await opened.reader.readAfter(0, Infinity);
    assert.ok(page.length > 500 && page.length <= 640, `the page ends before the damage: ${page.length}`);
    await damagedRange(opened.reader.readAfter(640, 100));
    await damagedRange(opened.reader.readAfter(640, 100));
    assert.equal(opened.problems().length, 1);
    assert.deepEqual(warnings, opened.problems());
    assert.equal((await opened.reader.readAfter(1000, 1))[0]?.sequence, 1001);
    const stored = await opened.engine.propose(publish(entry('new')));
    assert.deepEqual(stored, { kind: 'published', entries: [{ kind: 'stored', id: 'new', sequence: ENTRIES + 1 }] });
    // Whether it is the same entry cannot be known any more, so it is neither stored again nor called a duplicate.
    const unsure = await opened.engine.propose(publish(entry('e-640')));
    assert.ok(unsure.kind === 'published' && unsure.entries[0]?.kind === 'refused');
    assert.equal(unsure.entries[0].error.code, 'store_failed');
    await opened.engine.close();
    assert.equal(disk.peek(`${FOLDER}/entries.index`), undefined, 'the checkpoint is gone');
    await assert.rejects(open(disk), /line 641 at byte \d+: its digest does not match/);
  });

  it('a log that was cut under the hub is damage, not an end', async () => {
    const disk = await filled();
    const opened = await open(disk);
    const file = await disk.open(LOG, 'update');
    await file.truncate(1000);
    await file.close();
    await assert.rejects(opened.reader.readAfter(2000, 1), { code: 'store_failed' });
    await opened.engine.close();
  });
});
