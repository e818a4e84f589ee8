/** Directed scenarios: histories that random seeds hardly ever meet, step by step; what they assert is what must not happen. */
import type { MembershipChange } from '../../hub/raft/configuration';
import type { Message } from '../../hub/raft/message';
import type { DriverBug } from './bugs';
import { CALM } from './configuration';
import { DISCARD_SCENARIOS } from './discard-scenarios';
import { replay } from './disk';
import { acknowledged, assertThat, BY_HAND, elect, isolate, type Scenario } from './scenario-steps';
import { recover } from './simulate';
import type { SimulatedServer } from './server';
import { World } from './world';

export function playScenario({ setup, play }: Scenario, bugs: readonly DriverBug[] = [], trace = false): World {
  const world = new World(1, { ...CALM, ...setup }, new Set(bugs), trace);
  world.network.calm = true;
  play(world);
  recover(world);
  return world;
}

const logOf = (server: SimulatedServer): string[] =>
  server.disk.durableState().entries.map(({ term, index }) => `${term}/${index}`);

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'figure 3.7: an entry of an older term on a majority can still be replaced, so it is not committed by counting',
    catches: ['acknowledges-at-append'],
    setup: { ...BY_HAND, servers: 5, maxAppendBytes: 1 },
    play: (world) => {
      const first = elect(world, 1);
      world.run(200);
      // (a) server 1 leads and reaches only server 2 with its next entry.
      world.network.passes = ({ from, to }) => [from, to].every((id) => id <= 2);
      const oldTerm = first.core?.status().term ?? 0;
      world.publish(first);
      world.run(50);
      // (b) it crashes; server 5 is elected by 3 and 4 and takes in another entry at the same index, for itself alone.
      first.stop(false);
      world.network.passes = ({ kind, from, to }) => [from, to].every((id) => id >= 3) && kind !== 'append';
      world.server(5).act((core) => core.campaign());
      world.run(30);
      assertThat(world.server(5).isLeader, 'server 5 leads');
      world.publish(world.server(5));
      world.run(50);
      world.server(5).stop(false);
      // (c) server 1 leads again and brings its old entry to a majority, nothing of its own term.
      first.start();
      const lacks = (id: number): boolean => (world.server(id).core?.status().last.index ?? 0) < 3;
      world.network.passes = (message) =>
        message.to !== 5 &&
        (message.kind !== 'append' || lacks(message.to) || message.entries.every(({ term }) => term <= oldTerm));
      first.act((core) => core.campaign());
      world.run(50);
      first.act((core) => core.campaign());
      world.run(700);
      assertThat(first.isLeader, 'server 1 leads again');
      const status = first.core?.status();
      assertThat((status?.term ?? 0) >= oldTerm + 2, 'in a later term');
      const holders = [2, 3, 4].filter((id) => (status?.followers.get(id)?.match ?? 0) >= 3);
      assertThat(holders.length >= 2, 'a majority holds the old entry');
      if ((status?.commit ?? 0) >= 3) throw new Error('figure 3.7: committed by counting');
      // (d) it crashes again; server 5 may win and replace the entry: nobody may have acknowledged it.
      first.stop(true);
      world.network.heal();
      world.server(5).start();
      world.run(3_000);
    },
  },
  {
    name: 'late ack: an answer held back over a change of term must keep its old term',
    catches: ['stamps-late-replies-anew'],
    setup: { ...BY_HAND, servers: 3 },
    play: (world) => {
      const first = elect(world, 1);
      world.run(300);
      const oldTerm = first.core?.status().term ?? 0;
      isolate(world, 2);
      // Server 1 puts an entry on the slow disk of server 3 ...
      const slow = world.server(3);
      if (slow.journal !== undefined) slow.journal.delaySyncMs = 400;
      world.publish(first);
      world.run(20);
      // ... whose answer is still waiting when server 2 begins to lead with another entry at the same index.
      const answers: Message[] = [];
      world.network.heal();
      isolate(world, 1);
      world.network.passes = (message) => {
        if (message.from === 3 && message.kind === 'append-accepted') answers.push(message);
        return message.kind !== 'append';
      };
      world.server(2).act((core) => core.campaign());
      world.run(1_500);
      const held = answers.filter(({ to }) => to === 1);
      assertThat(held.length > 0, 'an answer to server 1 was held back');
      for (const { term } of held) {
        if (term !== oldTerm) throw new Error(`late ack: an answer for term ${oldTerm} was sent with ${term}`);
      }
    },
  },
  {
    name: 'term durability: entries of a new term are acknowledged only when that term is durable',
    catches: ['term-written-later', 'never-syncs', 'sends-before-persisting'],
    setup: { ...BY_HAND, servers: 3 },
    play: (world) => {
      elect(world, 1);
      world.run(200);
      // Server 3 is not asked for its vote: it learns of the new term by an append.
      world.network.passes = ({ kind, to }) => to !== 3 || (kind !== 'request-vote' && kind !== 'heartbeat');
      const second = elect(world, 2);
      const term = second.core?.status().term ?? 0;
      const reached = world.runUntil(() => world.server(3).core?.status().last.term === term, 2_000);
      assertThat(reached, 'server 3 receives entries of the new term');
      for (let step = 0; step < 200; step += 1) {
        world.run(1);
        const { hardState, entries } = world.server(3).disk.durableState();
        const last = entries.at(-1)?.term ?? 0;
        if (last > hardState.term) throw new Error('term durability: entries are durable without their term');
      }
      acknowledged(world, second);
    },
  },
  {
    name: 'write order: an older term or vote never replaces a newer one on the disk',
    catches: ['reorders-hard-states'],
    setup: { ...BY_HAND, servers: 3, publishEveryMs: 20 },
    play: (world) => {
      for (let round = 0; round < 30; round += 1) {
        const leader = elect(world, 1 + (round % 3));
        for (let at = 0; at < 3; at += 1) world.publish(leader);
        world.run(40);
        if (round % 3 !== 2) continue;
        world.run(500);
        for (const server of world.everyone) server.stop(false);
        for (const server of world.everyone) server.start();
      }
    },
  },
  {
    name: 'full disk in the middle of a truncation: the cut is not forgotten when the write is tried again',
    catches: ['full-disk-forgets-truncation'],
    setup: { ...BY_HAND, servers: 3 },
    play: (world) => {
      const first = elect(world, 1);
      world.run(300);
      isolate(world, 1);
      for (let at = 0; at < 3; at += 1) world.publish(first);
      world.run(50);
      assertThat(logOf(first).length >= 4, 'server 1 holds entries that nobody else has');
      const second = elect(world, 2);
      acknowledged(world, second);
      // It first learns of the new term, then has to cut off what nobody else has.
      world.network.heal();
      world.network.passes = ({ kind, to }) => kind !== 'append' || to !== 1;
      world.run(300);
      world.network.heal();
      // There was room to keep what it discards, and none for the write that does.
      for (let step = 0; step < 4_000 && first.isJudged; step += 1) world.run(0.25);
      if (first.journal !== undefined) first.journal.full = true;
      world.run(400);
      if (first.journal !== undefined) first.journal.full = false;
      world.run(600);
      assertThat((world.counts.get('full disk') ?? 0) > 0, 'the disk was full');
      first.stop(true);
      first.start();
      world.run(300);
      const [a, b] = [logOf(first), logOf(second)];
      if (a.join() !== b.slice(0, a.length).join()) throw new Error(`full disk: ${a.join()} beside ${b.join()}`);
    },
  },
  {
    name: 'torn write: a commit index that came with entries does not count what they were to replace',
    catches: ['commits-before-writing'],
    setup: { ...BY_HAND, servers: 3 },
    play: (world) => {
      for (let round = 0; round < 20; round += 1) {
        const old = elect(world, 1 + (round % 2));
        world.run(300);
        isolate(world, old.id);
        world.publish(old);
        world.run(50);
        const next = elect(world, 2 - (round % 2));
        acknowledged(world, next);
        if (old.journal !== undefined) old.journal.delaySyncMs = 400;
        world.network.heal();
        const { last } = next.core?.status() ?? {};
        const isReplaced = (): boolean => replay(old.disk.records).entries.at(-1)?.term === last?.term;
        assertThat(world.runUntil(isReplaced, 5_000), 'what it had alone is replaced');
        assertThat(old.disk.durableState().entries.at(-1)?.term !== last?.term, 'not durably');
        old.stop(true);
        old.start();
        world.run(300);
      }
    },
  },
  {
    name: 'bridge: two halves that both reach one server in the middle do not disturb each other for ever',
    catches: [],
    setup: { servers: 5 },
    play: (world) => {
      elect(world, 1);
      for (const a of [1, 2]) for (const b of [4, 5]) world.network.blockBoth(a, b);
      world.run(4_000);
      const before = world.history.acknowledged;
      const terms = new Set(world.everyone.map((server) => server.core?.status().term));
      for (let at = 0; at < 5; at += 1) {
        world.publish(world.leader());
        world.run(300);
      }
      assertThat(world.history.acknowledged >= before + 4, 'publishes go on over the bridge');
      const after = new Set(world.everyone.map((server) => server.core?.status().term));
      assertThat(after.size === terms.size, 'terms do not run away');
    },
  },
  {
    name: 'all servers lose power at once: everything acknowledged is there again',
    catches: ['never-syncs'],
    setup: { servers: 3 },
    play: (world) => {
      for (let round = 0; round < 12; round += 1) {
        assertThat(
          world.runUntil(() => world.leader() !== undefined, 10_000),
          'there is a leader',
        );
        for (let at = 0; at < 3; at += 1) world.publish(world.leader());
        world.run(round * 4);
        // First killed, which leaves the cache, then without power, which does not.
        for (const server of world.everyone) server.stop(false);
        for (const server of world.everyone) server.start();
        world.runUntil(() => world.leader() !== undefined, 10_000);
        acknowledged(world, world.leader() ?? world.server(1));
        for (const server of world.everyone) server.stop(true);
        for (const server of world.everyone) server.start();
      }
    },
  },
  {
    name: 'a killed server makes durable what it finds in its cache before it relies on it',
    catches: ['no-sync-on-recovery'],
    setup: { ...BY_HAND, servers: 3 },
    play: (world) => {
      const first = elect(world, 1);
      world.run(300);
      isolate(world, 3);
      const killed = world.server(2);
      if (killed.journal !== undefined) killed.journal.delaySyncMs = 200;
      world.publish(first);
      world.run(20);
      killed.stop(false);
      killed.start();
      assertThat(killed.core?.status().last.index === first.core?.status().last.index, 'the entry was in the cache');
      world.run(1_000);
      assertThat(world.history.acknowledged === 1, 'the publish is acknowledged');
      for (const server of world.everyone) server.stop(true);
    },
  },
  {
    name: 'a longer log of an older term does not win against what is committed (§3.6.1)',
    catches: [],
    setup: { ...BY_HAND, servers: 3 },
    play: (world) => {
      const first = elect(world, 1);
      world.run(300);
      isolate(world, 1);
      for (let at = 0; at < 4; at += 1) world.publish(first);
      world.run(50);
      const second = elect(world, 2);
      acknowledged(world, second);
      assertThat(logOf(first).length > logOf(second).length, 'the older log is longer');
      second.stop(false);
      // Restarted, it stands for election: as long as it leads a term of its own it could not.
      first.stop(false);
      world.network.heal();
      first.start();
      assertThat(logOf(first).length > 4, 'it finds its longer log again');
      // It is refused in each term, however often it stands.
      for (let at = 0; at < 3; at += 1) {
        first.act((core) => core.campaign());
        world.run(50);
      }
      second.start();
    },
  },
  {
    name: 'a new leader answers no read before it knows what is committed (§6.4)',
    catches: ['reads-without-asking'],
    setup: { ...BY_HAND, servers: 3 },
    play: (world) => {
      const first = elect(world, 1);
      world.run(300);
      // Server 2 holds the entry and never learns that it is committed.
      world.network.passes = (message) =>
        message.kind === 'append' ? message.commit <= 2 : message.kind !== 'heartbeat';
      acknowledged(world, first);
      first.stop(false);
      world.network.passes = ({ kind }) => kind !== 'append';
      const second = elect(world, 2);
      assertThat((second.core?.status().commit ?? 9) < 3, 'server 2 does not know that the entry is committed');
      world.read(second);
      world.run(500);
      assertThat(world.history.reads === 0, 'the read waits');
      world.network.heal();
      assertThat(
        world.runUntil(() => world.history.reads === 1, 3_000),
        'the read is answered',
      );
    },
  },
  {
    name: 'in a joint configuration the new majority alone commits nothing (§4.3)',
    catches: [],
    setup: { ...BY_HAND, servers: 3 },
    play: (world) => {
      const first = elect(world, 1);
      world.run(300);
      for (const id of [4, 5]) world.add(id);
      const replace: MembershipChange[] = [
        { kind: 'add-voter', node: 4 },
        { kind: 'add-voter', node: 5 },
        { kind: 'remove', node: 2 },
        { kind: 'remove', node: 3 },
      ];
      first.changeMembers({ transition: 'explicit', changes: replace });
      world.run(2_500);
      assertThat((first.core?.status().followers.get(5)?.match ?? 0) > 1, 'the newcomers have caught up');
      isolate(world, 2, 3);
      world.publish(first);
      world.run(1_000);
      assertThat(world.history.acknowledged === 0, 'the publish waits for the old majority');
      world.network.heal();
    },
  },
  {
    name: 'a server is added and another removed while the leader fails over',
    catches: [],
    setup: { servers: 3, compactEvery: 3 },
    play: (world) => {
      const first = elect(world, 1);
      for (let at = 0; at < 5; at += 1) acknowledged(world, first);
      world.add(4);
      first.changeMembers({ transition: 'auto', changes: [{ kind: 'add-learner', node: 4 }] });
      world.run(30);
      first.stop(true);
      assertThat(
        world.runUntil(() => world.leader() !== undefined, 10_000),
        'another server leads',
      );
      world.run(1_500);
      const second = world.leader() ?? world.server(2);
      second.changeMembers({ transition: 'auto', changes: [{ kind: 'add-learner', node: 4 }] });
      world.run(2_500);
      second.changeMembers({ transition: 'auto', changes: [{ kind: 'add-voter', node: 4 }] });
      world.run(1_000);
      second.changeMembers({ transition: 'auto', changes: [{ kind: 'remove', node: 1 }] });
      world.run(1_000);
      first.start();
      acknowledged(world, world.leader() ?? second);
      assertThat(world.leader()?.core?.status().configuration.voters.join() === '2,3,4', 'the cluster is 2, 3, 4');
      world.run(3_000);
      assertThat(world.leader()?.id !== 1, 'the removed server leads nobody');
    },
  },
  {
    name: 'a compacted log survives a power cut right after its rename',
    catches: ['no-folder-sync', 'compacts-without-snapshot'],
    setup: { servers: 1, compactEvery: 2 },
    play: (world) => {
      const only = elect(world, 1);
      for (let round = 0; round < 10; round += 1) {
        acknowledged(world, only);
        acknowledged(world, only);
        world.run(20);
        only.stop(true);
        only.start();
        elect(world, 1);
      }
      assertThat((world.counts.get('compaction') ?? 0) >= 3, 'the log was compacted');
    },
  },
  {
    name: 'a torn record at the end is cut off before anything is written behind it',
    catches: ['keeps-torn-tail'],
    setup: { servers: 1 },
    play: (world) => {
      const only = elect(world, 1);
      for (let round = 0; round < 12; round += 1) {
        acknowledged(world, only);
        world.publish(only);
        only.stop(true);
        only.start();
        elect(world, 1);
        acknowledged(world, only);
      }
    },
  },
  {
    name: 'a failed sync ends the process; what it did not write was not acknowledged',
    catches: ['ignores-sync-errors'],
    setup: { servers: 1 },
    play: (world) => {
      const only = elect(world, 1);
      acknowledged(world, only);
      if (only.journal !== undefined) only.journal.nextSyncFails = true;
      world.publish(only);
      world.run(100);
      assertThat((world.counts.get('sync error') ?? 0) === 1, 'a sync failed');
      only.start();
      elect(world, 1);
      acknowledged(world, only);
      only.stop(true);
      only.start();
    },
  },
  ...DISCARD_SCENARIOS,
];
