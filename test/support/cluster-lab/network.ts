/** The network between the nodes of a laboratory cluster, as its faults are put in: each direction of each pair on its own. */

export interface LinkFaults {
  /** Of what is sent; 100 = cut, without a word to anybody. */
  readonly lossPercent: number;
  readonly delayMs: number;
}

/** Where a node runs and how others reach it. */
export interface NodePlace {
  readonly host: string;
  readonly port: number;
  /** Under which the other nodes reach it. */
  readonly advertise: string;
  /** Words before its command. */
  readonly wrap: readonly string[];
}

/** Nodes have the numbers 1, 2, …; clients are on a network of their own that nothing happens to. */
export interface Network {
  readonly places: readonly NodePlace[];
  readonly link: (from: number, to: number, faults: LinkFaults) => Promise<void>;
  /** How much was lost, held back or delayed so far, from that node to that one. */
  readonly injected: (from: number, to: number) => Promise<number>;
  readonly close: () => Promise<void>;
}

export const FREE: LinkFaults = { lossPercent: 0, delayMs: 0 };
export const CUT: LinkFaults = { lossPercent: 100, delayMs: 0 };
