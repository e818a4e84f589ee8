/** Three nodes on one machine: publishing at the leader with 64 in flight, and how long nothing is taken after its kill -9. */
import { Closer, race, roundsWanted, type Bench } from '../bench';
import { BARE_REPLICA, BARE_REPLICA_DURABILITY, startBareReplica } from '../floors/bare-replica';
import { HubCluster } from '../hub-cluster';
import { publishLoop, type PublishOne } from '../loops';
import { ETCD_CLUSTER, ETCD_CLUSTER_DURABILITY, EtcdCluster } from '../peers/etcd-cluster';
import { JETSTREAM_CLUSTER, JETSTREAM_CLUSTER_DURABILITY, startNatsCluster } from '../peers/nats-cluster';
import { NO_ETCD, noJetStream } from '../peers/peers';
import { atLeast, atMost, comparisonRow, figureRow, missingRow, type Goal, type Row } from '../report';
import { median, quantile } from '../statistics';

const GROUP = 'cluster';
const HUB = 'hub, 3 nodes';
const HUB_DURABILITY = 'hub: fdatasync on two of three before an answer';
const IN_FLIGHT = 64;
/** A line of the bench's entries in entries.jsonl. */
const LINE_BYTES = 800;
const KILLS = 11;
/** Half of etcd's default times, which are 1 s without a leader and a heartbeat of 100 ms. */
const ETCD_TUNED = ['--heartbeat-interval', '50', '--election-timeout', '500'];

export async function clusterGroup(bench: Bench): Promise<readonly Row[]> {
  return [...(await publishRows(bench)), ...(await failoverRows(bench))];
}

async function publishRows(bench: Bench): Promise<readonly Row[]> {
  const { place, peers } = bench;
  const closer = new Closer();
  try {
    const hub = closer.add(await HubCluster.start(place.dir('cluster')));
    const session = closer.add(await hub.openSession());
    const dirs = [place.dir('bare'), place.dir('bare'), place.dir('bare')] as const;
    const publishers = new Map<string, PublishOne>([
      [HUB, session.publish],
      [BARE_REPLICA, closer.add(await startBareReplica(dirs, LINE_BYTES)).publish],
    ]);
    if (peers.etcd !== undefined) {
      const etcd = closer.add(await EtcdCluster.start(peers.etcd, place.dir('etcd')));
      publishers.set(ETCD_CLUSTER, await etcd.publisher());
    }
    if (peers.nats?.syncsAlways === true) {
      publishers.set(
        JETSTREAM_CLUSTER,
        closer.add(await startNatsCluster(peers.nats.command, place.dir('nats'))).publish,
      );
    }
    bench.say(`cluster, ${IN_FLIGHT} in flight`);
    const finished = await race(
      bench,
      [...publishers].map(([name, publish]) => ({ name, slice: (ms) => publishLoop(publish, IN_FLIGHT, ms) })),
    );
    const row = (other: string, goal: Goal, durability: string, missing?: string): Row => {
      const facts = { group: GROUP, name: `3 nodes, ${IN_FLIGHT} in flight`, goal };
      if (missing !== undefined) return missingRow({ ...facts, against: other, note: missing });
      const how = { ours: HUB, other, unit: 'entries/s', durability: `${HUB_DURABILITY}; ${durability}` };
      return comparisonRow(finished, roundsWanted(bench), { ...facts, ...how });
    };
    return [
      row(BARE_REPLICA, atLeast(0.8), BARE_REPLICA_DURABILITY),
      row(JETSTREAM_CLUSTER, atLeast(1.5), JETSTREAM_CLUSTER_DURABILITY, noJetStream(peers)),
      row(ETCD_CLUSTER, atLeast(4), ETCD_CLUSTER_DURABILITY, peers.etcd === undefined ? NO_ETCD : undefined),
    ];
  } finally {
    await closer.closeAll();
  }
}

interface Failing {
  readonly failover: () => Promise<number>;
}

/** They take turns, so that what else the machine does hits all alike. */
async function failoverRows(bench: Bench): Promise<readonly Row[]> {
  const { place, peers } = bench;
  const closer = new Closer();
  const kills = bench.quick ? 3 : KILLS;
  try {
    const hub = closer.add(await HubCluster.start(place.dir('cluster')));
    const others = new Map<string, Failing>();
    if (peers.etcd !== undefined) {
      others.set('etcd, default times', closer.add(await EtcdCluster.start(peers.etcd, place.dir('etcd'))));
      others.set('etcd, half of them', closer.add(await EtcdCluster.start(peers.etcd, place.dir('etcd'), ETCD_TUNED)));
    }
    bench.say(`cluster, ${kills} times kill -9 of the leader`);
    const times = new Map<string, number[]>();
    for (let kill = 0; kill < kills; kill++) {
      for (const [name, cluster] of new Map<string, Failing>([[HUB, hub], ...others])) {
        times.set(name, [...(times.get(name) ?? []), (await cluster.failover()) * 1000]);
      }
    }
    return failoverTable(times, kills, peers.etcd === undefined);
  } finally {
    await closer.closeAll();
  }
}

function failoverTable(times: ReadonlyMap<string, readonly number[]>, kills: number, noEtcd: boolean): readonly Row[] {
  const base = { group: GROUP, unit: 'ms', durability: `${kills} kills, publishing at another node; median` };
  const name = 'leader kill -9 to next acknowledged write';
  const ours = times.get(HUB) ?? [];
  const row = (other: string, goal?: Goal): Row => {
    const facts = { ...base, name, against: other, ...(goal && { goal }) };
    const theirs = times.get(other);
    if (theirs === undefined) return missingRow({ ...facts, note: noEtcd ? NO_ETCD : 'not measured' });
    const ratio = median(ours) / median(theirs);
    const reached = goal === undefined ? {} : { reached: ratio <= goal.value };
    return { ...facts, ours: median(ours), other: median(theirs), ratio, ...reached };
  };
  return [
    row('etcd, default times', atMost(0.5)),
    row('etcd, half of them'),
    figureRow({ ...base, name: `${name}, slowest tenth`, ours: quantile(ours, 0.9) }),
  ];
}
