/** P7 at a start on many cores: stretches of the log are verified side by side, and every verdict is that of one thread alone. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { openFileEngine } from '../../../../hub/engine/file';
import { checkStretch } from '../../../../hub/store/check-stretch';
import { openCheckers, type StretchCheckers } from '../../../../hub/store/stretch-checkers';
import { diskWith, FILES, FOLDER, stoppedStore, type Files } from '../../../simulation/stopped-stores';
import { entry, publish } from '../../../support/entries';
import type { SimulatedDisk } from '../../../support/simulated-disk';

const ENTRIES = 300;
const STRETCH_BYTES = 4096;
const WORKER = path.resolve(process.env['CTX_DIST'] ?? 'dist', 'log-checker.js');

/** Checkers in this thread, that answer late and out of turn; and how many bytes they were given. */
function lateCheckers(): { checkers: StretchCheckers; given: () => number } {
  let given = 0;
  let turn = 0;
  const checkers: StretchCheckers = {
    stretchBytes: STRETCH_BYTES,
    room: 5,
    check: async (job) => {
      given += job.bytes.length;
      for (let waits = (turn++ * 7) % 5; waits > 0; waits--) await new Promise((resolve) => void setImmediate(resolve));
      return { bytes: job.bytes, facts: checkStretch(job) };
    },
    close: () => Promise.resolve(),
  };
  return { checkers, given: () => given };
}

interface Verdict {
  readonly lines: readonly string[];
  readonly warnings: readonly string[];
  readonly refusal: string | undefined;
  readonly duplicate: unknown;
  readonly files: readonly string[];
}

async function verdict(disk: SimulatedDisk, checkers: StretchCheckers | undefined): Promise<Verdict> {
  const warnings: string[] = [];
  const warn = (message: string): void => void warnings.push(message);
  const options = { folder: FOLDER, disk, warn, now: () => 1_769_850_000_000, later: () => () => undefined };
  try {
    const opened = await openFileEngine({ ...options, checkersFor: () => checkers });
    const lines = await opened.reader.readAfter(0, Infinity);
    const duplicate = await opened.engine.propose(publish(entry('e-7', { content: 'Another' })));
    await opened.engine.close();
    const texts = lines.map(({ bytes }) => Buffer.from(bytes).toString('utf8'));
    return { lines: texts, warnings, refusal: undefined, duplicate, files: disk.files };
  } catch (error) {
    return { lines: [], warnings, refusal: String(error), duplicate: undefined, files: disk.files };
  }
}

/** The log changed in many ways: bytes all over it, and lines dropped, doubled or swapped, of whole stretches too. */
function changedLogs(log: Buffer): Buffer[] {
  const bytes = Array.from({ length: 40 }, (_, i) => {
    const changed = Buffer.from(log);
    const at = Math.floor((log.length * (i + 0.5)) / 40);
    changed[at] = (changed[at] ?? 0) ^ 1;
    return changed;
  });
  const lines = log.toString('utf8').split('\n').slice(0, -1);
  const joined = (...parts: readonly (readonly string[])[]): Buffer => Buffer.from(`${parts.flat().join('\n')}\n`);
  const [a, b, c] = [lines.slice(0, 90), lines.slice(90, 180), lines.slice(180)];
  return [
    ...bytes,
    joined(a, c),
    joined(a, c, b),
    joined(a, b, b, c),
    joined(lines.slice(0, 17), lines.slice(18)),
    joined(a, [`{${'x'.repeat(3 * STRETCH_BYTES)}}`], b, c),
    joined(a, ['', ''], b, c),
    log.subarray(0, -30),
    Buffer.concat([log, Buffer.from('{"id":"half')]),
  ];
}

describe('a long log verified side by side', () => {
  let files: Files;
  let log: Buffer;

  before(async () => {
    files = await stoppedStore(ENTRIES);
    log = Buffer.from(files.get(FILES.entries) ?? []);
  });

  it('has the lines and ids that one thread finds', async () => {
    const { checkers, given } = lateCheckers();
    const side = await verdict(diskWith(files), checkers);
    assert.deepEqual(side, await verdict(diskWith(files), undefined));
    assert.equal(side.lines.length, ENTRIES);
    assert.match(JSON.stringify(side.duplicate), /id_conflict|refused/);
    assert.equal(given(), log.length);
  });

  it('is judged as by one thread, whatever is wrong with it', async () => {
    let refused = 0;
    for (const changed of changedLogs(log)) {
      const disks = [1, 2].map(() => diskWith(new Map(files).set(FILES.entries, changed)));
      const [side, alone] = disks;
      assert.ok(side !== undefined && alone !== undefined);
      const expected = await verdict(alone, undefined);
      assert.deepEqual(await verdict(side, lateCheckers().checkers), expected);
      assert.deepEqual(side.peek(FILES.entries), alone.peek(FILES.entries));
      if (expected.refusal !== undefined) refused++;
    }
    assert.ok(refused >= 40, `only ${refused} of the changed logs were refused`);
  });

  it('is not verified beyond the watermark, where a torn write may be', async () => {
    const disk = diskWith(files);
    const opened = await openFileEngine({ folder: FOLDER, disk, warn: () => undefined, later: () => () => undefined });
    await opened.engine.propose(publish(entry('after-the-mark')));
    const { checkers, given } = lateCheckers();
    const left = diskWith(new Map(disk.files.map((name) => [name, disk.peek(name) ?? new Uint8Array(0)])));
    const side = await verdict(left, checkers);
    assert.equal(side.lines.length, ENTRIES + 1);
    assert.equal(given(), log.length);
    await opened.engine.close();
  });

  it('is verified by threads', async function () {
    if (!fs.existsSync(WORKER)) this.skip(); // Built with the products.
    const checkers = openCheckers(WORKER, 2, STRETCH_BYTES);
    const checked: boolean[] = [];
    const counting: StretchCheckers = {
      ...checkers,
      check: async (job) => {
        const done = await checkers.check(job);
        checked.push(done.facts !== undefined);
        return done;
      },
    };
    const side = await verdict(diskWith(files), counting);
    assert.deepEqual(side, await verdict(diskWith(files), undefined));
    assert.ok(checked.length > 10 && checked.every(Boolean));
  });

  it('opens all the same when its threads die', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ctx-thread-'));
    const file = path.join(folder, 'dies.js');
    fs.writeFileSync(file, 'setTimeout(() => process.exit(3), 20)');
    try {
      const side = await verdict(diskWith(files), openCheckers(file, 1, STRETCH_BYTES));
      assert.equal(side.refusal, undefined);
      assert.equal(side.lines.length, ENTRIES);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});
