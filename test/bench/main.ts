/** `npm run bench`: runs the chosen groups, prints a table each, writes test-output/bench.json. Never fails by a time. */
import { findPeers, describePeers } from './peers/peers';
import type { Bench, Group } from './bench';
import { clusterGroup } from './groups/cluster';
import { fanOutGroup } from './groups/fanout';
import { idleGroup } from './groups/idle';
import { memoryGroup } from './groups/memory';
import { publishGroup } from './groups/publish';
import { recoveryGroup } from './groups/recovery';
import { replayGroup } from './groups/replay';
import { shareToSeenGroup } from './groups/share-to-seen';
import { startupGroup } from './groups/startup';
import { describeMachine } from './machine';
import { Place } from './place';
import { formatTable, writeJson, type Row } from './report';

const GROUPS: Readonly<Record<string, Group>> = {
  publish: publishGroup,
  fanout: fanOutGroup,
  replay: replayGroup,
  recovery: recoveryGroup,
  memory: memoryGroup,
  startup: startupGroup,
  idle: idleGroup,
  'share-to-seen': shareToSeenGroup,
  cluster: clusterGroup,
};

const RESULT = 'test-output/bench.json';
const USAGE = `usage: npm run bench -- [--only ${Object.keys(GROUPS).join(',')}] [--quick]`;
const EXIT_USAGE = 64;

interface Arguments {
  readonly groups: readonly (readonly [string, Group])[];
  readonly quick: boolean;
}

function parseArguments(argv: readonly string[]): Arguments | undefined {
  let names = Object.keys(GROUPS);
  let quick = false;
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--quick') quick = true;
    else if (word === '--only') names = (rest.shift() ?? '').split(',');
    else return undefined;
  }
  const groups = names.flatMap((name) => {
    const group = GROUPS[name];
    return group === undefined ? [] : [[name, group] as const];
  });
  return groups.length === names.length ? { groups, quick } : undefined;
}

async function runGroup(name: string, group: Group, bench: Bench): Promise<readonly Row[]> {
  const rows = await group(bench);
  console.log(`\n${formatTable(name, rows)}\n`);
  return rows;
}

async function main(): Promise<number> {
  const chosen = parseArguments(process.argv.slice(2));
  if (chosen === undefined) {
    console.error(USAGE);
    return EXIT_USAGE;
  }
  const place = new Place();
  process.once('exit', () => place.remove());
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  const peers = findPeers();
  const machine = { ...describeMachine(), peers: describePeers(peers), quick: String(chosen.quick) };
  console.log(
    Object.entries(machine)
      .map(([key, value]) => `${key}: ${value}`)
      .join('\n'),
  );
  const bench: Bench = { quick: chosen.quick, place, peers, say: (text) => console.error(`… ${text}`) };
  const rows: Row[] = [];
  let failed = 0;
  for (const [name, group] of chosen.groups) {
    try {
      rows.push(...(await runGroup(name, group, bench)));
    } catch (error) {
      failed += 1;
      console.error(
        `${name} could not be measured: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    }
  }
  writeJson(RESULT, machine, rows);
  console.log(`Written: ${RESULT}`);
  return failed === 0 ? 0 : 1;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
