/** What a hub with one listener costs while nothing happens. */
import { pause } from '../children';
import { Closer, type Bench } from '../bench';
import { startHub } from '../hub';
import { cpuSeconds, hasProc, residentBytes } from '../machine';
import { atMost, figureRow, missingRow, type Row } from '../report';

const GROUP = 'idle';
const SETTLE_MS = 2_000;
const MB = 1e6;

export async function idleGroup(bench: Bench): Promise<readonly Row[]> {
  if (!hasProc)
    return [missingRow({ group: GROUP, name: 'idle', note: 'processor time is read from /proc, which is not here' })];
  const watchedMs = bench.quick ? 5_000 : 30_000;
  bench.say(`idle, ${watchedMs / 1000} s`);
  const closer = new Closer();
  try {
    const hub = closer.add(await startHub(bench.place.dir('hub')));
    await hub.fanOut(1);
    await pause(SETTLE_MS);
    const before = cpuSeconds(hub.child.pid);
    const began = performance.now();
    await pause(watchedMs);
    const percent = ((cpuSeconds(hub.child.pid) - before) / ((performance.now() - began) / 1000)) * 100;
    const memory = residentBytes(hub.child.pid) / MB;
    const facts = { group: GROUP, durability: '' };
    return [
      figureRow({
        ...facts,
        name: `processor, over ${watchedMs / 1000} s`,
        unit: '% of a core',
        ours: percent,
        goal: atMost(0.5),
      }),
      figureRow({ ...facts, name: 'memory', unit: 'MB', ours: memory, goal: atMost(80) }),
    ];
  } finally {
    await closer.closeAll();
  }
}
