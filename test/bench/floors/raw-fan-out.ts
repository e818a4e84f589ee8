/** Drives the bare TCP server of raw-fan-out-server.ts: its listeners count bytes. */
import path from 'node:path';
import { startChild } from '../children';
import { Deliveries } from '../deliveries';
import type { FanOut } from '../loops';
import { cpuSeconds } from '../machine';
import { connectPeer, type PeerSocket } from '../peers/socket';

export const RAW_TCP = 'raw TCP from Node, one write per entry and listener';
export const RAW_TCP_DURABILITY = 'raw TCP: nothing is parsed, checked or stored';

/** The bundle beside this one. */
const SERVER = path.join(__dirname, 'floors', 'raw-fan-out-server.js');
const START_DEADLINE_MS = 10_000;

/** @param frameBytes as long as the hub's frame for one entry */
export async function startRawFanOut(
  dir: string,
  listeners: number,
  frameBytes: number,
): Promise<FanOut & { readonly close: () => Promise<void> }> {
  const child = await startChild('raw fan-out', process.execPath, [SERVER, String(frameBytes)], { cwd: dir });
  const ports = await child.says(/ports (\d+) (\d+)/, START_DEADLINE_MS);
  const deliveries = new Deliveries(listeners);
  const sockets: PeerSocket[] = [];
  for (let i = 0; i < listeners; i += 1) sockets.push(await openListener(Number(ports[2]), frameBytes, i, deliveries));
  const publisher = await connectPeer(
    Number(ports[1]),
    () => undefined,
    () => undefined,
  );
  sockets.push(publisher);
  const frame = Buffer.alloc(frameBytes, 'x');
  return {
    listeners,
    publish: (entries) => {
      for (let i = 0; i < entries; i += 1) publisher.write(frame);
      return Promise.resolve();
    },
    reached: (entries) => deliveries.reached(entries),
    cpuSeconds: () => cpuSeconds(child.pid),
    close: async () => {
      for (const socket of sockets) socket.close();
      await child.stop();
    },
  };
}

/** The server greets with one byte, so that a listener is known to be one. */
async function openListener(
  port: number,
  frameBytes: number,
  number: number,
  deliveries: Deliveries,
): Promise<PeerSocket> {
  let greeted = (): void => undefined;
  const isGreeted = new Promise<void>((resolve) => (greeted = resolve));
  let bytes = -1;
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length;
    greeted();
    deliveries.update(number, Math.floor(bytes / frameBytes));
  };
  const socket = await connectPeer(port, onData, () => undefined);
  await isGreeted;
  return socket;
}
