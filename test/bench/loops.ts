/** The closed loops that drive every contender in the same way. */
import { within } from './children';
import type { Sample } from './rounds';

const SLICE_DEADLINE_MS = 30_000;

/** Publishes one entry; resolves when the server has acknowledged it. */
export type PublishOne = () => Promise<unknown>;

/** Keeps `inFlight` publishes under way for the length of the slice; what is under way at its end is waited for and counted. */
export async function publishLoop(publish: PublishOne, inFlight: number, sliceMs: number): Promise<Sample> {
  const began = performance.now();
  const end = began + sliceMs;
  let count = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() < end) {
      await publish();
      count += 1;
    }
  };
  await within('a slice of publishing', SLICE_DEADLINE_MS, Promise.all(Array.from({ length: inFlight }, lane)));
  return { count, seconds: (performance.now() - began) / 1000 };
}

const WARM_IN_FLIGHT = 64;
const WARM_MS = 2_000;

/** A server that has just started is not what people wait for: all contenders alike have worked for a while before they count. */
export async function warmUp(publish: PublishOne): Promise<void> {
  await publishLoop(publish, WARM_IN_FLIGHT, WARM_MS);
}

/** Publishes to many listeners. */
export interface FanOut {
  readonly listeners: number;
  /** Sends this many entries at once; resolves when they are acknowledged (at once where there are no acknowledgements). */
  readonly publish: (entries: number) => Promise<unknown>;
  /** Resolves when every listener has got that many entries since the beginning. */
  readonly reached: (entries: number) => Promise<void>;
  /** CPU seconds the server used so far. */
  readonly cpuSeconds: () => number;
}

/** Bursts of `size` entries, each delivered to everybody before the next: deliveries per CPU second of the server. */
export function burstSlices(fanOut: FanOut, size: number): (sliceMs: number) => Promise<Sample> {
  let sent = 0;
  return async (sliceMs) => {
    const end = performance.now() + sliceMs;
    const cpuBefore = fanOut.cpuSeconds();
    const sentBefore = sent;
    do {
      sent += size;
      await within('a burst', SLICE_DEADLINE_MS, Promise.all([fanOut.publish(size), fanOut.reached(sent)]));
    } while (performance.now() < end);
    return { count: (sent - sentBefore) * fanOut.listeners, seconds: fanOut.cpuSeconds() - cpuBefore };
  };
}

/** Keeps `window` entries on their way, each until the slowest listener has it: entries per wall-clock second. */
export function endToEndSlices(fanOut: FanOut, window: number): (sliceMs: number) => Promise<Sample> {
  let sent = 0;
  return async (sliceMs) => {
    const lane = async (): Promise<void> => {
      sent += 1;
      const mine = sent;
      await Promise.all([fanOut.publish(1), fanOut.reached(mine)]);
    };
    return publishLoop(lane, window, sliceMs);
  };
}
