/** Directed scenarios of a leader that was cut off with entries which nobody else has (I9). */
import { acknowledged, assertThat, BY_HAND, elect, isolate, type Scenario } from './scenario-steps';
import type { SimulatedServer } from './server';
import type { World } from './world';

/** Server 1 leads, is cut off, and takes in three publishes; server 2 leads the others and commits another one. */
function takenInVain(world: World): { cutOff: SimulatedServer; next: SimulatedServer; ids: readonly string[] } {
  const cutOff = elect(world, 1);
  world.run(300);
  isolate(world, 1);
  const ids = [1, 2, 3].map(() => world.publish(cutOff));
  world.run(50);
  const next = elect(world, 2);
  acknowledged(world, next);
  return { cutOff, next, ids };
}

function rejectedAre(world: World, { discardFiles }: SimulatedServer, ids: readonly string[]): void {
  world.run(6_000);
  const found = discardFiles.rejected.ids.join();
  if (found !== ids.join()) throw new Error(`rejected are ${found || 'none'} where ${ids.join()} were discarded`);
}

export const DISCARD_SCENARIOS: readonly Scenario[] = [
  {
    name: 'what a leader that was cut off has to discard is kept before it goes, through a power cut',
    catches: ['discards-before-keeping', 'keeps-without-sync'],
    setup: { ...BY_HAND, servers: 3 },
    play: (world) => {
      const { cutOff, ids } = takenInVain(world);
      world.network.heal();
      const before = cutOff.disk.length;
      assertThat(
        world.runUntil(() => !cutOff.isJudged && cutOff.disk.length > before, 2_000),
        'server 1 discards',
      );
      cutOff.stop(true);
      cutOff.start();
      rejectedAre(world, cutOff, ids);
    },
  },
  {
    name: 'what a snapshot replaces is kept before it goes',
    catches: ['snapshot-discards-unkept'],
    setup: { ...BY_HAND, servers: 3, compactEvery: 2 },
    play: (world) => {
      const { cutOff, next, ids } = takenInVain(world);
      for (let at = 0; at < 8; at += 1) acknowledged(world, next);
      const before = world.counts.get('snapshot installed') ?? 0;
      world.network.heal();
      assertThat(
        world.runUntil(() => (world.counts.get('snapshot installed') ?? 0) > before, 5_000),
        'server 1 installs a snapshot',
      );
      rejectedAre(world, cutOff, ids);
    },
  },
  {
    name: 'what was committed through another server is not rejected by one that does not know it yet',
    catches: ['judges-without-asking'],
    setup: { ...BY_HAND, servers: 3, maxAppendBytes: 1 },
    play: (world) => {
      const { cutOff, next, ids } = takenInVain(world);
      const [again = '', ...never] = ids;
      world.publish(next, again);
      assertThat(
        world.runUntil(() => world.history.publishes.get(again)?.sequence !== undefined, 3_000),
        'one of them is acknowledged by the others',
      );
      world.network.heal();
      for (let step = 0; step < 8_000 && cutOff.isJudged; step += 1) world.run(0.25);
      assertThat(!cutOff.isJudged, 'server 1 discards');
      isolate(world, 1);
      world.run(6_000);
      assertThat(!cutOff.isJudged, 'there is no verdict as long as it is cut off');
      world.network.heal();
      rejectedAre(world, cutOff, never);
    },
  },
];
