/**
 * How long an entry takes from one project to another: shared as an editor does it (outbox, session, publish), seen when
 * `ctx connection listen` of the other project says so, which is after it is in that project's mirror.
 */
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { shareEntry } from '../../../core/node/share';
import { pause, runningPids, startChild, type Child } from '../children';
import { Closer, type Bench } from '../bench';
import { CTX, startHub, type Hub } from '../hub';
import { watchMachine } from '../machine';
import { payload } from '../payload';
import { atMost, figureRow, type Row } from '../report';
import { runNode } from '../run-node';
import { QUIET_CORES } from '../rounds';
import { quantile } from '../statistics';

const GROUP = 'share-to-seen';
const SEEN_DEADLINE_MS = 10_000;
/** People do not share all the time: each share finds everybody at rest. */
const REST_MS = 30;
const DURABILITY = 'outbox synced, hub synced before its answer, mirror written';

interface Project {
  readonly dir: string;
  readonly env: NodeJS.ProcessEnv;
}

export async function shareToSeenGroup(bench: Bench): Promise<readonly Row[]> {
  const shares = bench.quick ? 40 : 300;
  const closer = new Closer();
  try {
    const dataDir = bench.place.dir('hub');
    const hub = closer.add(await startHub(dataDir));
    const sharing = await connectedProject(bench, hub, dataDir, 'sharing');
    const listening = await connectedProject(bench, hub, dataDir, 'listening');
    const args = [CTX, 'connection', 'listen', '--json'];
    const listener = await startChild('ctx connection listen', process.execPath, args, {
      cwd: listening.dir,
      env: listening.env,
    });
    closer.add({ close: () => listener.stop() });
    await listener.says(/up to date/, SEEN_DEADLINE_MS);
    bench.say(`share to seen, ${shares} shares`);
    const stopWatching = watchMachine(runningPids);
    const times = await measure(sharing, listener, shares);
    return rows(times, stopWatching());
  } finally {
    await closer.closeAll();
  }
}

async function connectedProject(bench: Bench, hub: Hub, dataDir: string, name: string): Promise<Project> {
  const dir = bench.place.dir(name);
  const env = { ...process.env, HOME: dir, CTX_HOME: path.join(dir, 'home') };
  const run = (...args: string[]): Promise<void> => runNode([CTX, ...args], { cwd: dir, env });
  const address = `ws://127.0.0.1:${hub.port}`;
  await run('init');
  await run('connection', 'register', address, '--project', name, '--token-file', path.join(dataDir, 'admin.token'));
  await run('connection', 'subscribe', 'decision');
  return { dir, env };
}

async function measure({ dir, env }: Project, listener: Child, shares: number): Promise<number[]> {
  const times: number[] = [];
  for (let number = 0; number < shares; number += 1) {
    const id = randomUUID();
    const entry = { id, type: 'decision', content: payload(number), timestamp: new Date().toISOString() } as const;
    const began = performance.now();
    const seen = listener.says(new RegExp(id), SEEN_DEADLINE_MS).then(() => performance.now() - began);
    const outcome = await shareEntry(dir, entry, { env });
    if (outcome.kind !== 'shared') throw new Error(`an entry was not shared but is ${outcome.kind}`);
    times.push(await seen);
    await pause(REST_MS);
  }
  return times;
}

function rows(times: readonly number[], foreignCores: number | undefined): Row[] {
  const noisy = foreignCores !== undefined && foreignCores > QUIET_CORES;
  const rounds = { kept: times.length, discarded: 0, noisy };
  const facts = { group: GROUP, unit: 'ms', durability: DURABILITY, rounds };
  return [
    figureRow({ ...facts, name: 'p50', ours: quantile(times, 0.5), goal: atMost(50) }),
    figureRow({ ...facts, name: 'p99', ours: quantile(times, 0.99), goal: atMost(250) }),
  ];
}
