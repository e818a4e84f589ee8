/** Drives the bare TCP server of raw-fan-out-server.ts, with the listeners that the hub gets too. */
import path from 'node:path';
import { startChild } from '../children';
import { Deliveries } from '../deliveries';
import { openHubListener } from '../hub-listener';
import type { FanOut } from '../loops';
import { cpuSeconds } from '../machine';
import { connectPeer } from '../peers/socket';

export const RAW_TCP = 'raw TCP from Node, one write per entry and listener';
export const RAW_TCP_DURABILITY = 'raw TCP: nothing is parsed, checked or stored';

/** The bundle beside this one. */
const SERVER = path.join(__dirname, 'floors', 'raw-fan-out-server.js');
const START_DEADLINE_MS = 10_000;

/** A frame of the hub for one entry, with nothing in it but the sequence. */
function entriesFrame(sequence: number, frameBytes: number): Buffer {
  const frame = Buffer.alloc(frameBytes, ' ');
  frame[0] = 0x81;
  frame[1] = 126;
  frame.writeUInt16BE(frameBytes - 4, 2);
  frame.write(`{"kind":"entries","cursor":{"sequence":${sequence},`, 4);
  return frame;
}

/** @param frameBytes as long as the hub's frame for one entry */
export async function startRawFanOut(
  dir: string,
  listeners: number,
  frameBytes: number,
): Promise<FanOut & { readonly close: () => Promise<void> }> {
  const child = await startChild('raw fan-out', process.execPath, [SERVER, String(frameBytes)], { cwd: dir });
  const ports = await child.says(/ports (\d+) (\d+)/, START_DEADLINE_MS);
  const deliveries = new Deliveries(listeners);
  const sockets: { readonly close: () => void }[] = [];
  for (let i = 0; i < listeners; i += 1) {
    const onSequence = (sequence: number): void => deliveries.update(i, sequence);
    sockets.push(await openHubListener({ port: Number(ports[2]), token: 'none', onSequence }));
  }
  const ignore = (): void => undefined;
  const publisher = await connectPeer(Number(ports[1]), ignore, ignore);
  sockets.push(publisher);
  let sent = 0;
  return {
    listeners,
    publish: (entries) => {
      for (let i = 0; i < entries; i += 1) publisher.write(entriesFrame((sent += 1), frameBytes));
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
