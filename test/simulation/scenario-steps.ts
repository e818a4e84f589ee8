/** A directed scenario, and the steps that such are made of. */
import type { DriverBug } from './bugs';
import type { SimulationSetup } from './configuration';
import type { SimulatedServer } from './server';
import type { World } from './world';

export interface Scenario {
  readonly name: string;
  /** Bugs that this scenario catches for certain. */
  readonly catches: readonly DriverBug[];
  readonly setup: Partial<SimulationSetup>;
  readonly play: (world: World) => void;
}

export function assertThat(condition: boolean, what: string): void {
  if (!condition) throw new Error(`the scenario did not come to where it should: ${what}`);
}

export function elect(world: World, id: number): SimulatedServer {
  world.server(id).act((core) => core.campaign());
  const elected = world.runUntil(() => world.leader()?.id === id, 5_000);
  assertThat(elected, `server ${id} leads`);
  return world.server(id);
}

export function acknowledged(world: World, server: SimulatedServer): void {
  const id = world.publish(server);
  assertThat(
    world.runUntil(() => world.history.publishes.get(id)?.sequence !== undefined, 5_000),
    `${id} is acknowledged`,
  );
}

export const isolate = (world: World, ...ids: number[]): void => {
  for (const id of ids) for (const other of world.servers.keys()) if (other !== id) world.network.blockBoth(id, other);
};

/** No elections but those the scenario calls for. */
export const BY_HAND: Partial<SimulationSetup> = { preVote: false, checkQuorum: false };
