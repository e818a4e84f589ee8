/** Publishing with 1, 16 and 64 entries in flight over one connection, every one acknowledged when it is durable. */
import { Closer, race, roundsWanted, type Bench } from '../bench';
import { BARE_LOG, BARE_LOG_DURABILITY, startBareLog } from '../floors/bare-log';
import { SYNC_LOOP, SYNC_LOOP_DURABILITY, syncLoop } from '../floors/sync-loop';
import { HUB_DURABILITY, startHub } from '../hub';
import { publishLoop, warmUp, type PublishOne } from '../loops';
import { ETCD, ETCD_DURABILITY, startEtcd } from '../peers/etcd';
import { JETSTREAM, JETSTREAM_DURABILITY, startNats } from '../peers/nats';
import { NO_ETCD, NO_REDIS, noJetStream } from '../peers/peers';
import { REDIS, REDIS_DURABILITY, startRedis } from '../peers/redis';
import { atLeast, comparisonRow, missingRow, stretch, type Goal, type Row } from '../report';
import type { Contender, Finished } from '../rounds';

const GROUP = 'publish';
const HUB = 'hub';
const NO_SYNC = 'hub without sync';
/** A line of the bench's entries in entries.jsonl. */
const LINE_BYTES = 800;

interface Opponent {
  readonly name: string;
  readonly durability: string;
  /** Why it does not take part. */
  readonly missing?: string | undefined;
}

/** Goals by opponent and entries in flight. */
const GOALS: readonly (readonly [opponent: string, inFlight: number, goal: Goal | undefined])[] = [
  [SYNC_LOOP, 1, atLeast(0.6)],
  [BARE_LOG, 1, undefined],
  [JETSTREAM, 1, atLeast(1)],
  [ETCD, 1, atLeast(2)],
  [REDIS, 1, stretch(atLeast(1))],
  [BARE_LOG, 16, undefined],
  [JETSTREAM, 16, atLeast(5)],
  [REDIS, 16, stretch(atLeast(1))],
  [ETCD, 16, undefined],
  [BARE_LOG, 64, undefined],
  [JETSTREAM, 64, atLeast(10)],
  [ETCD, 64, atLeast(6)],
  [REDIS, 64, atLeast(1.5)],
  [NO_SYNC, 64, atLeast(0.5)],
];

export async function publishGroup(bench: Bench): Promise<readonly Row[]> {
  const closer = new Closer();
  try {
    const { publishers, opponents } = await open(bench, closer);
    const floor = closer.add(syncLoop(bench.place.dir('floor'), LINE_BYTES));
    const results = new Map<number, Finished>();
    bench.say('publish, warming up');
    for (const publish of publishers.values()) await warmUp(publish);
    for (const inFlight of new Set(GOALS.map(([, count]) => count))) {
      bench.say(`publish, ${inFlight} in flight`);
      const names = GOALS.filter(([, count]) => count === inFlight).map(([name]) => name);
      const contenders = [HUB, ...names].flatMap((name): Contender[] => {
        const publish = publishers.get(name);
        return publish === undefined ? [] : [{ name, slice: (sliceMs) => publishLoop(publish, inFlight, sliceMs) }];
      });
      results.set(inFlight, await race(bench, names.includes(SYNC_LOOP) ? [...contenders, floor] : contenders));
    }
    return GOALS.map(([name, inFlight, goal]) =>
      row(bench, opponents.get(name), results.get(inFlight), inFlight, goal),
    );
  } finally {
    await closer.closeAll();
  }
}

async function open(
  bench: Bench,
  closer: Closer,
): Promise<{ publishers: Map<string, PublishOne>; opponents: Map<string, Opponent> }> {
  const { place, peers } = bench;
  const publishers = new Map<string, PublishOne>();
  const opponents: Opponent[] = [
    { name: SYNC_LOOP, durability: SYNC_LOOP_DURABILITY },
    { name: BARE_LOG, durability: BARE_LOG_DURABILITY },
    { name: JETSTREAM, durability: JETSTREAM_DURABILITY, missing: noJetStream(peers) },
    { name: ETCD, durability: ETCD_DURABILITY, missing: peers.etcd === undefined ? NO_ETCD : undefined },
    { name: REDIS, durability: REDIS_DURABILITY, missing: peers.redis === undefined ? NO_REDIS : undefined },
  ];
  publishers.set(BARE_LOG, closer.add(await startBareLog(place.dir('bare'), LINE_BYTES)).publish);
  publishers.set(HUB, await hubPublisher(place.dir('hub'), closer));
  const memory = place.memoryDir('hub');
  if (memory !== undefined) publishers.set(NO_SYNC, await hubPublisher(memory, closer));
  opponents.push({
    name: NO_SYNC,
    durability: 'hub without sync: the same with its data directory in memory',
    missing: memory === undefined ? 'there is no file system in memory here' : undefined,
  });
  if (peers.redis !== undefined) {
    publishers.set(REDIS, closer.add(await startRedis(peers.redis, place.dir('redis'))).publish);
  }
  if (peers.etcd !== undefined)
    publishers.set(ETCD, closer.add(await startEtcd(peers.etcd, place.dir('etcd'))).publish);
  if (peers.nats?.syncsAlways === true) {
    publishers.set(JETSTREAM, closer.add(await startNats(peers.nats.command, place.dir('nats'), true)).publish);
  }
  return { publishers, opponents: new Map(opponents.map((each) => [each.name, each])) };
}

async function hubPublisher(dataDir: string, closer: Closer): Promise<PublishOne> {
  const session = await closer.add(await startHub(dataDir)).openSession();
  return session.publish;
}

function row(
  bench: Bench,
  opponent: Opponent | undefined,
  finished: Finished | undefined,
  inFlight: number,
  goal: Goal | undefined,
): Row {
  if (opponent === undefined || finished === undefined) throw new Error('a goal without an opponent');
  const facts = { group: GROUP, name: `${inFlight} in flight`, ...(goal && { goal }) };
  if (opponent.missing !== undefined) return missingRow({ ...facts, against: opponent.name, note: opponent.missing });
  return comparisonRow(finished, roundsWanted(bench), {
    ...facts,
    ours: HUB,
    other: opponent.name,
    unit: 'entries/s',
    durability: `${HUB_DURABILITY}; ${opponent.durability}`,
  });
}
