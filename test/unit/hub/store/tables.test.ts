/** The tables of the index, taken from a checkpoint, are those that were filled line by line. */
import assert from 'node:assert/strict';
import { fingerprint, IdTable } from '../../../../hub/store/id-table';
import { LineTable } from '../../../../hub/store/line-table';

/** More than a chunk of the line table, and several entries in every part of the id table. */
const LINES = 70_000;
const SEED = 12_345;
const LENGTHS = Array.from({ length: LINES }, (_, i) => 100 + ((i * 7919) % 4_000));

describe('the index of a long log', () => {
  it('takes at most 64 bytes an entry, however it was filled', () => {
    const ENTRIES = 300_000;
    const lines = new LineTable();
    const ids = new IdTable(SEED);
    lines.append(
      new Uint8Array(0),
      Array.from({ length: ENTRIES }, () => 700),
    );
    for (let i = 0; i < ENTRIES; i++) ids.add(`0193f0a0-0000-7000-9000-${i.toString(16).padStart(12, '0')}`, i);
    const perEntry = (lines.memoryBytes + ids.bytes) / ENTRIES;
    assert.ok(perEntry <= 64, `${perEntry} bytes`);
    assert.ok(perEntry > 4, 'both tables were counted');
  });
});

describe('a line table from a checkpoint', () => {
  it('has the lines and blocks of the one it was taken of, and goes on as that one does', () => {
    const filled = new LineTable();
    filled.append(new Uint8Array(0), LENGTHS);
    const { lengths, crcs } = filled.snapshot();
    const restored = LineTable.restore(lengths, crcs);
    assert.ok(restored !== undefined);
    for (const table of [filled, restored]) table.append(new Uint8Array(0), LENGTHS.slice(0, 200));
    assert.equal(restored.blockCount, filled.blockCount);
    for (let number = 0; number < filled.blockCount; number++) {
      assert.deepEqual(restored.block(number), filled.block(number));
    }
    for (const ordinal of [0, 1, 65_535, 65_536, LINES - 1, LINES, LINES + 199]) {
      assert.equal(restored.lengthOf(ordinal), filled.lengthOf(ordinal));
      assert.equal(restored.offsetOf(ordinal), filled.offsetOf(ordinal));
    }
  });

  it('is none when the numbers do not fit together', () => {
    assert.equal(LineTable.restore(Uint32Array.from(LENGTHS), new Uint32Array(3)), undefined);
  });
});

describe('an id table from a checkpoint', () => {
  it('finds every id under its ordinal', () => {
    const prints = Uint32Array.from({ length: LINES }, (_, i) => fingerprint(`e-${i}`, SEED));
    const restored = new IdTable(SEED, LINES);
    restored.addPrints(prints);
    for (let i = 0; i < LINES; i++) assert.ok(restored.candidates(`e-${i}`)?.includes(i), `e-${i}`);
    let count = 0;
    restored.each((print, ordinal) => {
      assert.equal(print, prints[ordinal]);
      count++;
    });
    assert.equal(count, LINES);
  });
});
