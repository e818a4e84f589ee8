/** How long short commands take, against a Node that does nothing. One slice is as many runs as fit. */
import fs from 'node:fs';
import path from 'node:path';
import { race, roundsWanted, type Bench } from '../bench';
import { CTX } from '../hub';
import { atMost, comparisonRow, missingRow, type Goal, type Row } from '../report';
import type { Contender, Sample } from '../rounds';
import { runNode } from '../run-node';

const GROUP = 'startup';
const BARE_NODE = 'node -e 0';
const ADD = 'ctx add';
const VERSION = 'ctx --version';

const ONLY_IN_AN_EDITOR = 'the bench starts no editor';
const IN_AN_EDITOR: readonly (readonly [name: string, goal: Goal])[] = [
  ['extension, its own part of the activation, ms', atMost(50)],
  ['extension, a feed of 10,000 entries opens, ms', atMost(200)],
];

const ADD_ARGUMENTS = [
  ...['add', 'decision', 'Keep the log as JSON lines', '--context', 'Operators read it with jq'],
  ...['--rationale', 'Plain text lasts', '--consequence', 'Every line is parsed on start'],
];

export async function startupGroup(bench: Bench): Promise<readonly Row[]> {
  bench.say('start-up of commands');
  const project = bench.place.dir('project');
  const env = { ...process.env, HOME: project, CTX_HOME: path.join(project, 'home') };
  const run = (args: readonly string[]): Promise<void> => runNode(args, { cwd: project, env });
  await run([CTX, 'init']);
  const decisions = path.join(project, '.context', 'DECISIONS.md');
  const initial = fs.readFileSync(decisions);
  const contenders: readonly Contender[] = [
    { name: BARE_NODE, slice: (ms) => repeat(ms, () => run(['-e', '0'])) },
    { name: VERSION, slice: (ms) => repeat(ms, () => run([CTX, '--version'])) },
    {
      name: ADD,
      slice: async (ms) => {
        fs.writeFileSync(decisions, initial);
        return repeat(ms, () => run([CTX, ...ADD_ARGUMENTS]));
      },
    },
  ];
  const finished = await race(bench, contenders);
  const row = { group: GROUP, other: BARE_NODE, measure: 'time', unit: 'runs/s' } as const;
  const rounds = roundsWanted(bench);
  return [
    comparisonRow(finished, rounds, {
      ...row,
      name: `${ADD}, time`,
      ours: ADD,
      goal: atMost(2.5),
      durability: 'the file is synced',
    }),
    comparisonRow(finished, rounds, {
      ...row,
      name: `${VERSION}, time`,
      ours: VERSION,
      goal: atMost(1.5),
      durability: '',
    }),
    // Needs an editor: no goal of it is forgotten, but none is measured here.
    ...IN_AN_EDITOR.map(([name, goal]) => missingRow({ group: GROUP, name, goal, note: ONLY_IN_AN_EDITOR })),
  ];
}

async function repeat(sliceMs: number, run: () => Promise<void>): Promise<Sample> {
  const began = performance.now();
  let count = 0;
  do {
    await run();
    count += 1;
  } while (performance.now() - began < sliceMs);
  return { count, seconds: (performance.now() - began) / 1000 };
}
