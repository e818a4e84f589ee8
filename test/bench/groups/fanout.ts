/** One publisher, many listeners: deliveries per CPU second of the server, and entries per second end to end. */
import { Closer, race, roundsWanted, type Bench } from '../bench';
import { RAW_TCP, RAW_TCP_DURABILITY, startRawFanOut } from '../floors/raw-fan-out';
import { HUB_DURABILITY, startHub } from '../hub';
import { burstSlices, endToEndSlices, warmUp, type FanOut } from '../loops';
import { hasProc } from '../machine';
import { JETSTREAM, JETSTREAM_DURABILITY, NATS_CORE, NATS_CORE_DURABILITY, startNats } from '../peers/nats';
import { NO_REDIS, noJetStream } from '../peers/peers';
import { REDIS, REDIS_DURABILITY, startRedis } from '../peers/redis';
import { atLeast, comparisonRow, missingRow, type Goal, type Row } from '../report';
import type { Contender } from '../rounds';

const GROUP = 'fanout';
const HUB = 'hub';
/** A frame of the bench's entry as the hub sends it. */
const FRAME_BYTES = 880;
const BURST = 16;
const WINDOW = 64;
const PER_CPU = 'deliveries per CPU second';

interface CpuGoal {
  readonly listeners: number;
  readonly burst: number;
  readonly goal: Goal;
}

const CPU_GOALS: readonly CpuGoal[] = [
  { listeners: 100, burst: 1, goal: atLeast(0.9) },
  { listeners: 1000, burst: 1, goal: atLeast(0.9) },
  { listeners: 100, burst: BURST, goal: atLeast(3.5) },
  { listeners: 1000, burst: BURST, goal: atLeast(8) },
];

const END_TO_END_LISTENERS = 100;
const END_TO_END: readonly { readonly name: string; readonly goal: Goal; readonly durability: string }[] = [
  { name: JETSTREAM, goal: atLeast(2), durability: JETSTREAM_DURABILITY },
  { name: REDIS, goal: atLeast(1.5), durability: REDIS_DURABILITY },
  { name: NATS_CORE, goal: atLeast(1), durability: NATS_CORE_DURABILITY },
];

export async function fanOutGroup(bench: Bench): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const goal of CPU_GOALS) rows.push(await perCpu(bench, goal));
  return [...rows, ...(await endToEnd(bench))];
}

async function perCpu(bench: Bench, { listeners, burst, goal }: CpuGoal): Promise<Row> {
  const many = listeners.toLocaleString('en-US');
  const name = burst === 1 ? `one at a time to ${many}` : `bursts of ${burst} to ${many}`;
  if (!hasProc) {
    const note = 'the CPU time of a process is read from /proc, which is not here';
    return missingRow({ group: GROUP, name, against: RAW_TCP, goal, note });
  }
  bench.say(`fan-out, ${name}`);
  const closer = new Closer();
  try {
    const hub = closer.add(await startHub(bench.place.dir('hub')));
    await warmUp((await hub.openSession()).publish);
    const raw = closer.add(await startRawFanOut(bench.place.root, listeners, FRAME_BYTES));
    const finished = await race(bench, [
      { name: HUB, slice: burstSlices(await hub.fanOut(listeners), burst) },
      { name: RAW_TCP, slice: burstSlices(raw, burst) },
    ]);
    const durability = `${HUB_DURABILITY}; ${RAW_TCP_DURABILITY}`;
    return comparisonRow(finished, roundsWanted(bench), {
      group: GROUP,
      name,
      ours: HUB,
      other: RAW_TCP,
      unit: PER_CPU,
      goal,
      durability,
    });
  } finally {
    await closer.closeAll();
  }
}

async function endToEnd(bench: Bench): Promise<readonly Row[]> {
  const name = `end to end to ${END_TO_END_LISTENERS}`;
  bench.say(`fan-out, ${name}`);
  const closer = new Closer();
  try {
    const fanOuts = await openAll(bench, closer);
    const contenders = [...fanOuts].map(([who, fanOut]): Contender => ({
      name: who,
      slice: endToEndSlices(fanOut, WINDOW),
    }));
    const finished = await race(bench, contenders);
    return END_TO_END.map(({ name: against, goal, durability }) => {
      const missing = whyMissing(bench, against);
      if (missing !== undefined) return missingRow({ group: GROUP, name, against, goal, note: missing });
      return comparisonRow(finished, roundsWanted(bench), {
        group: GROUP,
        name,
        ours: HUB,
        other: against,
        unit: 'entries/s',
        goal,
        durability: `${HUB_DURABILITY}; ${durability}`,
      });
    });
  } finally {
    await closer.closeAll();
  }
}

function whyMissing({ peers }: Bench, against: string): string | undefined {
  switch (against) {
    case REDIS:
      return peers.redis === undefined ? NO_REDIS : undefined;
    case JETSTREAM:
      return noJetStream(peers);
    default:
      return peers.nats === undefined ? noJetStream(peers) : undefined;
  }
}

async function openAll({ place, peers }: Bench, closer: Closer): Promise<Map<string, FanOut>> {
  const fanOuts = new Map<string, FanOut>();
  const hub = closer.add(await startHub(place.dir('hub')));
  await warmUp((await hub.openSession()).publish);
  fanOuts.set(HUB, await hub.fanOut(END_TO_END_LISTENERS));
  if (peers.redis !== undefined) {
    const redis = closer.add(await startRedis(peers.redis, place.dir('redis')));
    await warmUp(redis.publish);
    fanOuts.set(REDIS, await redis.fanOut(END_TO_END_LISTENERS));
  }
  if (peers.nats !== undefined) {
    const nats = closer.add(await startNats(peers.nats.command, place.dir('nats'), peers.nats.syncsAlways));
    await warmUp(nats.publish);
    if (peers.nats.syncsAlways) fanOuts.set(JETSTREAM, await nats.streamFanOut(END_TO_END_LISTENERS));
    fanOuts.set(NATS_CORE, await nats.coreFanOut(END_TO_END_LISTENERS));
  }
  return fanOuts;
}
