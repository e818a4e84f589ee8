/** What goes wrong in the safety phase: every now and then one of the fault classes that the seed turned on. */
import {
  allMembers,
  isJoint,
  LEAVE_JOINT,
  type ConfigurationChange,
  type MembershipChange,
} from '../../hub/raft/configuration';
import type { World } from './world';

const EXTRA_SERVERS = 2;

type Fault = (world: World) => void;

const ids = (world: World): number[] => [...world.servers.keys()];

function someServer(world: World) {
  return world.random.oneOf(world.everyone);
}

/** Cuts what `separates`, for a while. */
function cutWhere(world: World, separates: (from: number, to: number) => boolean): void {
  for (const from of ids(world))
    for (const to of ids(world)) if (from !== to && separates(from, to)) world.network.block(from, to);
  world.after(world.random.between(300, 3_000), () => world.network.heal());
}

function crash(world: World, id: number, powerCut: boolean): void {
  const server = world.server(id);
  server.stop(powerCut);
  world.after(world.random.between(20, 2_500), () => server.start());
}

function changeMembers(world: World): void {
  const { random } = world;
  const leader = world.leader();
  const status = leader?.core?.status();
  if (leader === undefined || status === undefined) return;
  if (isJoint(status.configuration) && random.chance(0.7)) {
    leader.changeMembers(LEAVE_JOINT);
    return;
  }
  const members = allMembers(status.configuration);
  const count = random.pick([1, 1, 1, 2]);
  const changes = Array.from({ length: count }, (): MembershipChange => {
    const node = random.between(1, world.setup.servers + EXTRA_SERVERS);
    if (!world.servers.has(node)) world.add(node);
    const kinds: MembershipChange['kind'][] = members.includes(node)
      ? ['remove', 'add-learner', 'add-voter']
      : ['add-learner', 'add-voter'];
    return { kind: random.oneOf(kinds) ?? 'update', node };
  });
  if (!survives(status.configuration.voters, changes)) return;
  const transition = random.pick<ConfigurationChange['transition']>(['auto', 'auto', 'implicit', 'explicit']);
  leader.changeMembers({ transition, changes });
}

/**
 * The hub's own rule: at most one voter leaves at a time, and not one of two. Else the voters that stay may need, to elect a
 * leader, the votes of servers that know of their removal already, hold more of the log, and so neither vote nor stand.
 */
function survives(voters: readonly number[], changes: readonly MembershipChange[]): boolean {
  const gone = changes.filter(({ kind, node }) => kind !== 'add-voter' && voters.includes(node));
  return gone.length === 0 || (new Set(gone.map(({ node }) => node)).size === 1 && voters.length >= 3);
}

const FAULTS: Readonly<Record<string, Fault>> = {
  halves: (world) => {
    const left = new Set(ids(world).filter(() => world.random.chance(0.5)));
    cutWhere(world, (from, to) => left.has(from) !== left.has(to));
  },
  isolatedLeader: (world) => {
    const leader = world.leader()?.id;
    cutWhere(world, (from, to) => from === leader || to === leader);
  },
  oneWay: (world) => {
    const victim = someServer(world)?.id;
    const inbound = world.random.chance(0.5);
    cutWhere(world, (from, to) => (inbound ? to : from) === victim);
  },
  bridge: (world) => {
    const bridge = someServer(world)?.id;
    const left = new Set(ids(world).filter(() => world.random.chance(0.5)));
    cutWhere(world, (from, to) => from !== bridge && to !== bridge && left.has(from) !== left.has(to));
  },
  kills: (world) =>
    crash(world, world.random.chance(0.5) ? (world.leader()?.id ?? 1) : (someServer(world)?.id ?? 1), false),
  powerCuts: (world) =>
    crash(world, world.random.chance(0.5) ? (world.leader()?.id ?? 1) : (someServer(world)?.id ?? 1), true),
  allPowerCut: (world) => {
    if (world.random.chance(0.3)) for (const id of ids(world)) crash(world, id, true);
  },
  fullDisk: (world) => {
    const journal = someServer(world)?.journal;
    if (journal === undefined) return;
    journal.full = true;
    world.after(world.random.between(100, 1_500), () => (journal.full = false));
  },
  syncErrors: (world) => {
    const server = someServer(world);
    if (server?.journal === undefined) return;
    server.journal.nextSyncFails = true;
    world.after(world.random.between(500, 2_500), () => server.start());
  },
  slowDisk: (world) => {
    const journal = someServer(world)?.journal;
    if (journal === undefined) return;
    journal.slow = true;
    world.after(world.random.between(200, 2_000), () => (journal.slow = false));
  },
  membership: changeMembers,
  transfers: (world) => {
    const target = someServer(world)?.id ?? 1;
    world.leader()?.act((core) => core.transferLeadership(target));
  },
};

export function injectFault(world: World): void {
  const enabled = Object.entries(world.setup.faults).flatMap(([name, on]) =>
    on && FAULTS[name] !== undefined ? [name] : [],
  );
  const name = world.random.oneOf(enabled);
  if (name === undefined) return;
  world.trace(() => `fault: ${name}`);
  world.count(name);
  FAULTS[name]?.(world);
}
