/** Crash points of what changes a data directory outside the running hub: repair, upgrade, backup, the cut of a torn tail (FM-22, FM-25, FM-29). */
import assert from 'node:assert/strict';
import { HubError } from '../../core/errors';
import { backUpData } from '../../hub/store/backup';
import { inspect } from '../../hub/store/inspect';
import { entry, publish } from '../support/entries';
import type { SimulatedDisk } from '../support/simulated-disk';
import { atEachOperation } from './crash-points';
import {
  diskWith,
  FILES,
  FOLDER,
  linesOf,
  NO_BYTES,
  openOn,
  quarantine,
  refusal,
  stoppedStore,
  textOf,
} from './stopped-stores';

const MAX_MS = 120_000;

/** What the store has, by starting it once. */
async function served(disk: SimulatedDisk): Promise<readonly string[]> {
  const opened = await openOn(disk);
  const lines = await opened.reader.readAfter(0, Infinity);
  await opened.engine.close();
  return lines.map(({ bytes }) => textOf(bytes));
}

const saved = (disk: SimulatedDisk, part: string): string =>
  disk.files.map((name) => (name.includes(part) ? textOf(disk.peek(name)) : '')).join('');

describe('every crash point of repair, upgrade, backup and start', () => {
  it('repair --quarantine: what is good stays, what is moved is kept, the same repair finishes it', async function () {
    this.timeout(MAX_MS);
    const files = await stoppedStore(12);
    const lines = linesOf(files);
    const changed = lines[9]?.replace('Title', 'Totle') ?? '';
    const bad = lines.with(3, 'garbage').with(9, changed).toSpliced(6, 1);
    const damaged = new Map([...files, [FILES.entries, Buffer.from(`${bad.join('\n')}\n`)]]);
    const good = lines.filter((_, i) => i !== 3 && i !== 6 && i !== 9);
    const happened = await atEachOperation({
      files: damaged,
      work: quarantine,
      check: async (disk, finished) => {
        const before = await refusal(disk);
        assert.ok(!finished || before === undefined, `repaired, and refused: ${before?.message}`);
        if (!finished) await quarantine(disk);
        assert.deepEqual(await served(disk), good);
        for (const moved of ['garbage\n', `${changed}\n`]) assert.ok(saved(disk, 'quarantine').includes(moved));
        const { gaps } = JSON.parse(textOf(disk.peek(FILES.meta))) as { gaps: { first: number; last: number }[] };
        assert.deepEqual(
          gaps.map(({ first, last }) => [first, last]),
          [
            [4, 4],
            [7, 7],
            [10, 10],
          ],
        );
        assert.deepEqual((await inspect({ disk, folder: FOLDER })).faults, []);
      },
    });
    assert.ok(happened >= 100, `${happened} faults`);
  });

  it('upgrade of the original data: the old files are kept as they were, the next start finishes it', async function () {
    this.timeout(MAX_MS);
    const old = (sequence: number): object => ({
      ...{ id: `old-${sequence}`, type: 'decision', content: `Old ${sequence}\n\nBody.`, origin: 'Project 0' },
      ...{ timestamp: '2026-01-31T09:30:00+01:00', sequence },
    });
    const files = new Map<string, Uint8Array>([
      [FILES.entries, Buffer.from([1, 2, 3].map((n) => `${JSON.stringify(old(n))}\n`).join(''))],
      [FILES.meta, Buffer.from('{"sequence_counter":3,"created_at":"2026-01-01T00:00:00Z"}')],
      [FILES.clients, Buffer.from('[{"id":"client_0","project_name":"Project 0","token":"ctx_cli_0123456789abcdef"}]')],
    ]);
    const happened = await atEachOperation({
      files,
      work: async (disk) => (await openOn(disk)).engine.close(),
      check: async (disk) => {
        const found = (await served(disk)).map((line) => (JSON.parse(line) as { id: string }).id);
        assert.deepEqual(found, ['old-1', 'old-2', 'old-3']);
        for (const [name, bytes] of files) {
          const copy = disk.peek(name.replace(FOLDER, `${FOLDER}/backup-before-upgrade`));
          assert.equal(textOf(copy), textOf(bytes), `the copy of ${name}`);
        }
      },
    });
    assert.ok(happened >= 100, `${happened} faults`);
  });

  it('backup: complete and verified, or no data directory; the original stays as it is', async function () {
    this.timeout(MAX_MS);
    const files = await stoppedStore(12);
    const target = '/srv/copy';
    const { watermark } = JSON.parse(textOf(files.get(FILES.meta))) as {
      watermark: { sequence: number; length: number; digest: string };
    };
    const happened = await atEachOperation({
      files,
      work: async (disk) => {
        await backUpData({ disk, folder: FOLDER, target, point: watermark });
      },
      check: async (disk, finished) => {
        const isThere = disk.peek(`${target}/meta.json`) !== undefined;
        assert.ok(isThere || !finished, 'a backup that was reported is there');
        if (isThere) {
          assert.deepEqual((await inspect({ disk, folder: target })).faults, []);
          assert.equal(textOf(disk.peek(`${target}/entries.jsonl`)), textOf(files.get(FILES.entries)));
        }
        assert.deepEqual(await served(disk), linesOf(files));
      },
    });
    assert.ok(happened >= 50, `${happened} faults`);
  });

  it('backup: a fault that leaves the process alive leaves nothing of half a backup', async () => {
    const files = await stoppedStore(3);
    const { watermark } = JSON.parse(textOf(files.get(FILES.meta))) as {
      watermark: { sequence: number; length: number; digest: string };
    };
    const target = '/srv/copy';
    for (const what of ['eio', 'enospc'] as const) {
      for (let at = 2; at < 8; at++) {
        const disk = diskWith(files);
        disk.restart({ at, what });
        const failed = await backUpData({ disk, folder: FOLDER, target, point: watermark }).catch((e: unknown) => e);
        if (disk.happened.length === 0) continue;
        assert.ok(failed instanceof HubError, `${what} at ${at}`);
        assert.deepEqual(
          disk.files.filter((name) => name.startsWith(target)),
          [],
          `${what} at ${at}`,
        );
      }
    }
  });

  it('start on a torn tail: it is cut only when its bytes are safe elsewhere', async function () {
    this.timeout(MAX_MS);
    const running = diskWith(new Map());
    const { engine } = await openOn(running);
    for (let i = 0; i < 5; i++) await engine.propose(publish(entry(`e-${i}`)));
    const files = new Map(running.files.map((name) => [name, running.peek(name) ?? NO_BYTES]));
    const lines = linesOf(files);
    const tail = `${lines[4]?.slice(0, 150)}\0\0\0\0`;
    const torn = new Map([...files, [FILES.entries, Buffer.from(`${lines.join('\n')}\n${tail}`)]]);
    const happened = await atEachOperation({
      files: torn,
      work: async (disk) => (await openOn(disk)).engine.close(),
      check: async (disk) => {
        assert.deepEqual(await served(disk), lines);
        assert.ok(saved(disk, 'partial-').includes(tail), 'the tail is kept');
      },
    });
    assert.ok(happened >= 50, `${happened} faults`);
  });
});
