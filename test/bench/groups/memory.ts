/** Resident memory of the hub: after taking 100,000 entries over the wire, and what a million old ones add to a start. */
import { pause } from '../children';
import { Closer, type Bench } from '../bench';
import { launchHub, startHub } from '../hub';
import { makeLog } from '../log-maker';
import { hasProc, residentBytes } from '../machine';
import { atMost, figureRow, missingRow, type Row } from '../report';

const GROUP = 'memory';
const TAKEN = 100_000;
const PER_REQUEST = 64;
const REQUESTS_UNDER_WAY = 8;
/** Time for the collector and the allocator to give back what a start or a load used. */
const SETTLE_MS = 3_000;
const MB = 1e6;
const DURABILITY = 'hub: fdatasync before an answer';

export async function memoryGroup(bench: Bench): Promise<readonly Row[]> {
  if (!hasProc)
    return [missingRow({ group: GROUP, name: 'memory', note: 'memory is read from /proc, which is not here' })];
  const entries = bench.quick ? 200_000 : 1_000_000;
  bench.say('memory, publishing');
  const taken = await afterTaking(bench);
  bench.say(`memory, starting with ${entries} entries`);
  const empty = await afterStart(bench.place.dir('hub'));
  const folder = bench.place.dir('hub');
  await makeLog(folder, entries);
  const full = await afterStart(folder);
  const many = entries.toLocaleString('en-US');
  const facts = { group: GROUP, durability: DURABILITY };
  return [
    figureRow({
      ...facts,
      name: `after taking ${TAKEN.toLocaleString('en-US')} entries`,
      unit: 'MB',
      ours: taken / MB,
      goal: atMost(130),
    }),
    figureRow({ ...facts, name: 'started with no entries', unit: 'MB', ours: empty / MB }),
    figureRow({ ...facts, name: `started with ${many} entries`, unit: 'MB', ours: full / MB }),
    figureRow({
      ...facts,
      name: `per entry, of ${many}`,
      unit: 'bytes',
      ours: Math.max(0, full - empty) / entries,
      goal: atMost(64),
    }),
  ];
}

async function afterTaking(bench: Bench): Promise<number> {
  const closer = new Closer();
  try {
    const hub = closer.add(await startHub(bench.place.dir('hub')));
    const session = await hub.openSession();
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < TAKEN) {
        next += PER_REQUEST;
        await session.publishMany(PER_REQUEST);
      }
    };
    await Promise.all(Array.from({ length: REQUESTS_UNDER_WAY }, lane));
    await pause(SETTLE_MS);
    return residentBytes(hub.child.pid);
  } finally {
    await closer.closeAll();
  }
}

async function afterStart(folder: string): Promise<number> {
  const { child } = await launchHub(folder);
  try {
    await pause(SETTLE_MS);
    return residentBytes(child.pid);
  } finally {
    await child.stop();
  }
}
