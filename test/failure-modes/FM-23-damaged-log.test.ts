/** FM-23 and FM-62: damage below is never served or cut; the refusal says where it is and what to do. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { filledData, hubCommand, logFile, logText, refusedStart, saveLog, snapshot } from '../support/hub-log';
import { removeTempDirs } from '../support/processes';

function rewrite(dataDir: string, change: (lines: string[]) => void): void {
  const lines = logText(dataDir);
  change(lines);
  saveLog(dataDir, lines);
}

type Damage = readonly [name: string, line: number, reason: RegExp, change: (lines: string[]) => void];

const DAMAGES: readonly Damage[] = [
  ['a line that is no JSON', 3, /no id and type/, (lines) => (lines[2] = lines[2]?.replace('{"id"', '{id') ?? '')],
  ['half a line', 2, /no digest at its end/, (lines) => (lines[1] = lines[1]?.slice(0, 50) ?? '')],
  [
    'a changed word, still valid JSON',
    3,
    /digest does not match/,
    (lines) => (lines[2] = lines[2]?.replace('Body', 'Bode') ?? ''),
  ],
  ['a changed origin', 4, /digest does not match/, (lines) => (lines[3] = lines[3]?.replace('alpha', 'gamma') ?? '')],
  [
    'a changed digest',
    2,
    /no digest at its end/,
    (lines) => (lines[1] = lines[1]?.replace(/\..([^.]*)$/, '.+$1') ?? ''),
  ],
  ['a missing line', 3, /sequence is 4 where 3 belongs/, (lines) => lines.splice(2, 1)],
  [
    'two swapped lines',
    2,
    /sequence is 3 where 2 belongs/,
    (lines) => lines.splice(1, 2, lines[2] ?? '', lines[1] ?? ''),
  ],
  ['a line twice', 3, /sequence is 2 where 3 belongs/, (lines) => lines.splice(1, 0, lines[1] ?? '')],
  ['an empty line', 4, /no digest at its end/, (lines) => lines.splice(3, 0, '')],
  ['a foreign line', 5, /digest does not match/, (lines) => lines.splice(4, 0, lines[4]?.replace('e-5', 'evil') ?? '')],
];

describe('FM-23: damaged log', () => {
  after(removeTempDirs);

  for (const [name, line, reason, change] of DAMAGES) {
    it(`${name}: the start refuses with line, byte offset, reason and repair command, and changes nothing`, async () => {
      const dataDir = await filledData(6);
      const offset = logText(dataDir)
        .slice(0, line - 1)
        .join('\n').length;
      rewrite(dataDir, change);
      const before = snapshot(dataDir);
      const { code, stdout, stderr } = await refusedStart(dataDir);
      assert.deepEqual([code, stdout], [65, '']);
      assert.match(stderr, new RegExp(`line ${line} at byte ${line === 1 ? 0 : offset + 1}:`));
      assert.match(stderr, reason);
      assert.ok(stderr.includes(`ctx hub repair --quarantine --data-dir ${dataDir}`));
      const after = snapshot(dataDir);
      for (const file of Object.keys(before)) if (file !== 'audit.jsonl') assert.equal(after[file], before[file], file);
      const verify = await hubCommand(dataDir, 'verify');
      assert.equal(verify.code, 65);
      assert.match(verify.stderr, reason);
    });
  }

  it('after a kill -9, too: a good later batch proves that the bad line is no torn tail', async () => {
    const dataDir = await filledData(6, 'kill9');
    rewrite(dataDir, (lines) => (lines[4] = '{"id":"e-5","type":"decision","content":"half'));
    const { code, stderr } = await refusedStart(dataDir);
    assert.equal(code, 65);
    assert.match(stderr, /line 5 at byte/);
  });

  it('the log of another hub is not taken for ours', async () => {
    const [ours, other] = [await filledData(3), await filledData(3)];
    fs.copyFileSync(logFile(other), logFile(ours));
    const { code, stderr } = await refusedStart(ours);
    assert.equal(code, 65);
    assert.match(stderr, /line 1 at byte 0: .*log of another hub/);
  });
});
