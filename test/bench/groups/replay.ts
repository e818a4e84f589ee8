/** A new listener reads a log of 100,000 entries from its beginning. One slice is one whole replay. */
import { Closer, race, type Bench } from '../bench';
import { startHub, type Hub } from '../hub';
import { openHubListener } from '../hub-listener';
import { makeLog } from '../log-maker';
import { within } from '../children';
import { JETSTREAM, startNats } from '../peers/nats';
import { noJetStream } from '../peers/peers';
import { atMost, comparisonRow, missingRow, type Row } from '../report';
import type { Sample } from '../rounds';

const GROUP = 'replay';
const HUB = 'hub';
const PEER = 'JetStream';
const ENTRIES = 100_000;
const GOAL = atMost(0.5);
const DEADLINE_MS = 60_000;
const ROUNDS = 7;
const NAME = `${ENTRIES.toLocaleString('en-US')} entries, time`;
const DURABILITY = 'what is read was synced before';

export async function replayGroup(bench: Bench): Promise<readonly Row[]> {
  const { nats } = bench.peers;
  if (nats === undefined) {
    return [
      missingRow({ group: GROUP, name: NAME, against: JETSTREAM, goal: GOAL, note: noJetStream(bench.peers) ?? '' }),
    ];
  }
  const closer = new Closer();
  try {
    bench.say(`replay, filling both with ${ENTRIES} entries`);
    const folder = bench.place.dir('hub');
    await makeLog(folder, ENTRIES);
    const hub = closer.add(await startHub(folder));
    // Reading does not depend on how writing was synced, and filling is faster without.
    const stream = closer.add(await startNats(nats.command, bench.place.dir('nats'), false));
    await stream.fill(ENTRIES);
    bench.say('replay');
    const rounds = bench.quick ? 3 : ROUNDS;
    const finished = await race(
      bench,
      [
        { name: HUB, slice: () => timed(() => replayHub(hub)) },
        { name: PEER, slice: () => timed(() => stream.replay(ENTRIES)) },
      ],
      rounds,
    );
    return [
      comparisonRow(finished, rounds, {
        group: GROUP,
        name: NAME,
        ours: HUB,
        other: PEER,
        measure: 'time',
        unit: 'entries/s',
        goal: GOAL,
        durability: DURABILITY,
      }),
    ];
  } finally {
    await closer.closeAll();
  }
}

async function timed(replay: () => Promise<void>): Promise<Sample> {
  const began = performance.now();
  await within('a replay', DEADLINE_MS, replay());
  return { count: ENTRIES, seconds: (performance.now() - began) / 1000 };
}

async function replayHub(hub: Hub): Promise<void> {
  let finish: () => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const done = new Promise<void>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  const onSequence = (sequence: number): void => {
    if (sequence >= ENTRIES) finish();
  };
  const socket = await openHubListener({ port: hub.port, token: hub.token, onSequence, onEnd: fail });
  await done;
  socket.close();
}
