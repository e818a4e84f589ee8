/** What one seed chooses: the cluster, its limits, and which classes of faults happen (a swarm). */
import type { Random } from './random';

export interface Faults {
  readonly loss: boolean;
  readonly duplicates: boolean;
  readonly reordering: boolean;
  readonly halves: boolean;
  readonly isolatedLeader: boolean;
  readonly oneWay: boolean;
  readonly bridge: boolean;
  readonly kills: boolean;
  readonly powerCuts: boolean;
  readonly allPowerCut: boolean;
  readonly fullDisk: boolean;
  readonly syncErrors: boolean;
  readonly slowDisk: boolean;
  readonly clockSkew: boolean;
  readonly membership: boolean;
  readonly transfers: boolean;
}

export interface SimulationSetup {
  readonly servers: number;
  readonly preVote: boolean;
  readonly checkQuorum: boolean;
  readonly stepDownOnRemoval: boolean;
  readonly forwardProposals: boolean;
  readonly maxAppendBytes: number;
  readonly maxInflightMessages: number;
  /** Applied entries after which the log is compacted; small ones make snapshots frequent. */
  readonly compactEvery: number;
  readonly publishEveryMs: number;
  readonly readEveryMs: number;
  readonly faultEveryMs: number;
  readonly safetyMs: number;
  readonly faults: Faults;
}

export const NO_FAULTS: Faults = {
  loss: false,
  duplicates: false,
  reordering: false,
  halves: false,
  isolatedLeader: false,
  oneWay: false,
  bridge: false,
  kills: false,
  powerCuts: false,
  allPowerCut: false,
  fullDisk: false,
  syncErrors: false,
  slowDisk: false,
  clockSkew: false,
  membership: false,
  transfers: false,
};

export const CALM: SimulationSetup = {
  servers: 3,
  preVote: true,
  checkQuorum: true,
  stepDownOnRemoval: true,
  forwardProposals: true,
  maxAppendBytes: 4096,
  maxInflightMessages: 16,
  compactEvery: Infinity,
  publishEveryMs: 200,
  readEveryMs: 500,
  faultEveryMs: Infinity,
  safetyMs: 5_000,
  faults: NO_FAULTS,
};

function someFaults(random: Random): Faults {
  const often = random.pick([0.15, 0.35, 0.6]);
  const faults: Record<string, boolean> = {};
  for (const name of Object.keys(NO_FAULTS)) faults[name] = random.chance(often);
  return { ...NO_FAULTS, ...faults };
}

export function chooseSetup(random: Random): SimulationSetup {
  const usual = random.chance(0.7);
  return {
    servers: random.pick([1, 3, 3, 3, 3, 5, 5, 7]),
    preVote: usual || random.chance(0.5),
    checkQuorum: usual || random.chance(0.5),
    stepDownOnRemoval: random.chance(0.7),
    forwardProposals: random.chance(0.7),
    maxAppendBytes: random.pick([1, 1, 100, 4096]),
    maxInflightMessages: random.pick([1, 2, 4, 16]),
    compactEvery: random.pick([2, 5, 20, Infinity]),
    publishEveryMs: random.pick([30, 80, 200]),
    readEveryMs: random.pick([200, 500]),
    faultEveryMs: random.pick([150, 400, 1000]),
    safetyMs: random.pick([4_000, 8_000, 12_000]),
    faults: someFaults(random),
  };
}
