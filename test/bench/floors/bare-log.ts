/** Drives the server of bare-log-server.ts. */
import path from 'node:path';
import { startChild } from '../children';
import type { PublishOne } from '../loops';
import { connectPeer, ReplyQueue } from '../peers/socket';

export const BARE_LOG = 'bare Node log server';
export const BARE_LOG_DURABILITY = 'bare server: one fdatasync per batch before its answers, nothing else';

const SERVER = path.join(__dirname, 'floors', 'bare-log-server.js');
const START_DEADLINE_MS = 10_000;

export interface BareLog {
  readonly publish: PublishOne;
  readonly close: () => Promise<void>;
}

/** @param frameBytes as long as a line of the hub */
export async function startBareLog(dir: string, frameBytes: number): Promise<BareLog> {
  const args = [SERVER, String(frameBytes), path.join(dir, 'floor.log')];
  const child = await startChild('bare log server', process.execPath, args, { cwd: dir });
  const port = Number((await child.says(/port (\d+)/, START_DEADLINE_MS))[1]);
  const { publish, close } = await driveFrames(port, frameBytes);
  return {
    publish,
    close: () => {
      close();
      return child.stop();
    },
  };
}

/** Sends frames to a server that answers one byte for each, in order. */
export async function driveFrames(
  port: number,
  frameBytes: number,
): Promise<{ readonly publish: PublishOne; readonly close: () => void }> {
  const answers = new ReplyQueue<void>();
  const onData = (chunk: Buffer): void => {
    chunk.forEach(() => answers.reply());
  };
  const socket = await connectPeer(port, onData, (error) => answers.fail(error));
  const frame = Buffer.alloc(frameBytes, 'x');
  return {
    publish: () => {
      socket.write(frame);
      return answers.wait();
    },
    close: () => socket.close(),
  };
}
