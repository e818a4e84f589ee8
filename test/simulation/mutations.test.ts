/** Changes of cleanly stopped stores (P6, P7, FM-23, FM-26, FM-47): each is found and named, and never served. */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { HubError } from '../../core/errors';
import type { OpenedEngine } from '../../hub/engine/log-engine';
import { inspect } from '../../hub/store/inspect';
import { scaled } from '../support/scale';
import { seeded } from '../support/simulated-disk';
import { firstDifference, mutated, MUTATION_KINDS, type MutationKind } from './mutations';
import {
  checkRepair,
  diskWith,
  FILES,
  FOLDER,
  killedStore,
  linesOf,
  NO_BYTES,
  openOn,
  refusal,
  repairedStore,
  serveOnlyGood,
  stoppedStore,
  textOf,
  type Files,
} from './stopped-stores';

const MAX_MS = 600_000;
/** Every so many mutations `ctx hub verify` has to find it, too. */
const VERIFY_EVERY = 8;
const OF_BYTES = MUTATION_KINDS.filter((kind) => kind !== 'json' && kind !== 'rechained');

/** Random numbers of one mutation, so that each can be made again alone. */
const randomOf = (number: number): (() => number) => seeded(number * 2654435761);

/** The place is where the bytes begin to differ; or, where only an end is missing, by how much. */
function checkNamed(message: string, before: Uint8Array, after: Uint8Array, kind: MutationKind): void {
  const told = /line (\d+) at byte (\d+): \S.*/.exec(message);
  const behind = /entries\.jsonl is behind meta\.json by \d+ entries \((\d+) bytes\)/.exec(message);
  if (told !== null) {
    const { line, offset } = firstDifference(before, after);
    assert.deepEqual([Number(told[1]), Number(told[2])], [line, offset]);
    assert.match(message, /ctx hub repair --quarantine/);
  } else if (behind !== null) assert.equal(Number(behind[1]), before.length - after.length);
  else {
    assert.equal(kind, 'rechained', `no place is named: ${message}`);
    assert.match(message, /of different histories/);
  }
}

/** Members that no hub knows, their order, white space, and a checksum that is not there change nothing. */
function sameMeaning(before: Uint8Array, after: Uint8Array): boolean {
  const [a, b] = [before, after].map((bytes): Record<string, unknown> => {
    try {
      return { ...(JSON.parse(textOf(bytes)) as Record<string, unknown>), checksum: undefined };
    } catch {
      return { text: textOf(bytes).trim() };
    }
  });
  return Object.entries(a ?? {}).every(([key, value]) => isDeepStrictEqual(value, b?.[key]));
}

describe('mutations of cleanly stopped stores', () => {
  let single: Files, small: Files, large: Files, long: Files, repaired: Files;
  before(async () => {
    [single, small, large] = [await stoppedStore(1), await stoppedStore(14), await stoppedStore(40)];
    // Of several blocks: the last is looked at before the checkpoint is believed.
    long = await stoppedStore(200);
    repaired = await repairedStore();
  });

  async function checkFound(files: Files, kind: MutationKind, number: number): Promise<void> {
    const before = files.get(FILES.entries) ?? NO_BYTES;
    const after = mutated(before, kind, randomOf(number));
    const disk = diskWith(new Map([...files, [FILES.entries, after]]));
    const refused = await refusal(disk);
    assert.equal(refused?.code, 'bad_data');
    checkNamed(refused.message, before, after, kind);
    assert.ok(Buffer.from(after).equals(disk.peek(FILES.entries) ?? NO_BYTES), 'the file was changed');
    if (number % VERIFY_EVERY === 0) assert.notDeepEqual((await inspect({ disk, folder: FOLDER })).faults, []);
  }

  const each = scaled(300, 11_000);
  for (const kind of MUTATION_KINDS) {
    it(`${each} × ${kind} in entries.jsonl: the start refuses, names the place, and changes nothing`, async function () {
      this.timeout(MAX_MS);
      // A line whose line before is not there cannot be chained anew.
      const stores = kind === 'rechained' ? [small, large] : [single, small, large, repaired];
      for (let number = 0; number < each; number++) {
        try {
          await checkFound(stores[number % stores.length] ?? small, kind, number);
        } catch (error) {
          throw new Error(`${kind} number ${number}: ${String(error)}`, { cause: error });
        }
      }
    });
  }

  const killed = scaled(300, 4_000);
  it(`${killed} × in the log of a killed hub: cut and kept only where nothing good follows, refused elsewhere`, async function () {
    this.timeout(MAX_MS);
    const files = await killedStore(12);
    const lines = linesOf(files);
    const kinds = MUTATION_KINDS.filter((kind) => kind !== 'rechained');
    let started = 0;
    for (let number = 0; number < killed; number++) {
      const kind = kinds[number % kinds.length] ?? 'flip';
      const where = `${kind} number ${number}`;
      const before = files.get(FILES.entries) ?? NO_BYTES;
      const after = mutated(before, kind, randomOf(number));
      const disk = diskWith(new Map([...files, [FILES.entries, after]]));
      const refused = await refusal(disk);
      if (refused !== undefined) {
        checkNamed(refused.message, before, after, kind);
        continue;
      }
      started++;
      const kept = linesOf(new Map([[FILES.entries, disk.peek(FILES.entries) ?? NO_BYTES]]));
      assert.deepEqual(kept, lines.slice(0, kept.length), `${where}: a prefix`);
      const cut = after.subarray(disk.peek(FILES.entries)?.length);
      const good = new Set(lines.slice(kept.length + 1));
      assert.ok(
        !textOf(cut)
          .split('\n')
          .some((line) => good.has(line)),
        `${where}: a good later line was cut`,
      );
      const partial = disk.files.find((name) => name.includes('partial-'));
      assert.equal(textOf(partial === undefined ? NO_BYTES : disk.peek(partial)), textOf(cut), `${where}: kept aside`);
    }
    assert.ok(started > killed / 50, `${started} started`);
  });

  const served = scaled(300, 4_000);
  it(`${served} × behind a checkpoint: refused, or found while running; no changed line is ever served`, async function () {
    this.timeout(MAX_MS);
    const good = new Set(linesOf(long));
    let started = 0;
    for (let number = 0; number < served; number++) {
      const kind = MUTATION_KINDS[number % MUTATION_KINDS.length] ?? 'flip';
      const after = mutated(long.get(FILES.entries) ?? NO_BYTES, kind, randomOf(number));
      let opened: OpenedEngine;
      try {
        opened = await openOn(diskWith(new Map([...long, [FILES.entries, after]])), [], true);
      } catch (error) {
        assert.ok(error instanceof HubError && error.code === 'bad_data', `${kind} number ${number}: ${String(error)}`);
        continue;
      }
      started++;
      await serveOnlyGood(opened, good, `${kind} number ${number}`);
    }
    assert.ok(started > served / 20, `only ${started} starts believed the checkpoint`);
  });

  const others = scaled(300, 4_000);
  it(`${others} × in meta.json, hub.id, clients.json: refused or told, unless the meaning is the same`, async function () {
    this.timeout(MAX_MS);
    for (let number = 0; number < others; number++) {
      const name = [FILES.meta, FILES.hubId, FILES.clients][number % 3] ?? '';
      const kind = OF_BYTES[Math.floor(number / 3) % OF_BYTES.length] ?? 'flip';
      const before = small.get(name) ?? NO_BYTES;
      const after = mutated(before, kind, randomOf(number));
      const warnings: string[] = [];
      try {
        await (await openOn(diskWith(new Map([...small, [name, after]])), warnings)).engine.close();
      } catch (error) {
        if (!(error instanceof HubError)) throw error;
        assert.match(error.message, /meta\.json|hub\.id|clients\.json|entries\.jsonl/);
        continue;
      }
      const told = warnings.some((warning) => warning.includes(name));
      assert.ok(told || sameMeaning(before, after), `${name}, ${kind} number ${number}, was accepted without a word`);
    }
  });

  it(`${others} × in entries.index: a cache, whose loss or change costs nothing but time`, async function () {
    this.timeout(MAX_MS);
    const before = small.get(FILES.index) ?? NO_BYTES;
    assert.ok(before.length > 0, 'there is a checkpoint');
    for (let number = 0; number < others; number++) {
      const after = mutated(before, OF_BYTES[number % OF_BYTES.length] ?? 'flip', randomOf(number));
      const opened = await openOn(diskWith(new Map([...small, [FILES.index, after]])), [], true);
      assert.deepEqual(
        (await opened.reader.readAfter(0, Infinity)).map(({ bytes }) => textOf(bytes)),
        linesOf(small),
      );
      assert.deepEqual(opened.problems(), []);
      await opened.engine.close();
    }
  });

  const repairs = scaled(300, 4_000);
  it(`${repairs} × repair --quarantine: it starts, no byte is dropped, every missing sequence is on record`, async function () {
    this.timeout(MAX_MS);
    const kinds = MUTATION_KINDS.filter((kind) => kind !== 'rechained');
    for (let number = 0; number < repairs; number++) {
      const kind = kinds[number % kinds.length] ?? 'flip';
      const files = number % 20 < 10 ? small : large;
      const damaged = mutated(files.get(FILES.entries) ?? NO_BYTES, kind, randomOf(number));
      await checkRepair(files, damaged, `${kind} number ${number}`);
    }
  });
});
