/** A hub starts with a million entries, by its checkpoint and without one. One slice is one start of a real process. */
import fs from 'node:fs';
import path from 'node:path';
import { race, type Bench } from '../bench';
import { NEWLINE_SCAN, newlineScan } from '../floors/newline-scan';
import { launchHub } from '../hub';
import { makeLog } from '../log-maker';
import { atMost, comparisonRow, type Row } from '../report';
import type { Sample } from '../rounds';

const GROUP = 'recovery';
const VERIFIED = 'hub, everything verified';
const CHECKPOINT = 'hub, by its checkpoint';
const ROUNDS = 5;

export async function recoveryGroup(bench: Bench): Promise<readonly Row[]> {
  const entries = bench.quick ? 100_000 : 1_000_000;
  const rounds = bench.quick ? 3 : ROUNDS;
  const folder = bench.place.dir('hub');
  bench.say(`recovery, making a log of ${entries} entries`);
  await makeLog(folder, entries);
  const log = path.join(folder, 'entries.jsonl');
  const megabytes = Math.round(fs.statSync(log).size / 1e6);
  bench.say(`recovery, ${megabytes} MB`);
  const start = async (): Promise<Sample> => ({ count: entries, seconds: await startSeconds(folder) });
  const finished = await race(
    bench,
    [
      {
        name: VERIFIED,
        slice: () => {
          fs.rmSync(path.join(folder, 'entries.index'), { force: true });
          return start();
        },
      },
      { name: CHECKPOINT, slice: start },
      { name: NEWLINE_SCAN, slice: () => Promise.resolve(scan(log, entries)) },
    ],
    rounds,
  );
  const name = `start with ${entries.toLocaleString('en-US')} entries (${megabytes} MB), time`;
  const row = { group: GROUP, other: NEWLINE_SCAN, measure: 'time', unit: 'entries/s' } as const;
  const durability = 'time from the start of the process until it listens; the file is in the page cache';
  return [
    comparisonRow(finished, rounds, {
      ...row,
      name: `${name}, no checkpoint`,
      ours: VERIFIED,
      goal: atMost(12),
      durability,
    }),
    comparisonRow(finished, rounds, {
      ...row,
      name: `${name}, with checkpoint`,
      ours: CHECKPOINT,
      goal: atMost(1),
      durability,
    }),
  ];
}

function scan(log: string, entries: number): Sample {
  const began = performance.now();
  const lines = newlineScan(log);
  if (lines !== entries) throw new Error(`the log has ${lines} lines instead of ${entries}`);
  return { count: entries, seconds: (performance.now() - began) / 1000 };
}

async function startSeconds(folder: string): Promise<number> {
  const began = performance.now();
  const { child } = await launchHub(folder);
  const seconds = (performance.now() - began) / 1000;
  await child.stop();
  return seconds;
}
