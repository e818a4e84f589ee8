/** Drives the servers of bare-replica-server.ts: one that replicates to two bare log servers. */
import path from 'node:path';
import { startChild, type Child } from '../children';
import type { PublishOne } from '../loops';
import { driveFrames } from './bare-log';

export const BARE_REPLICA = 'bare replication loop';
export const BARE_REPLICA_DURABILITY = 'bare loop: fdatasync on two of three before an answer, nothing else';

const server = (name: string): string => path.join(__dirname, 'floors', `${name}.js`);
const START_DEADLINE_MS = 10_000;

async function start(name: string, dir: string, frameBytes: number, more: readonly number[]): Promise<[Child, number]> {
  const args = [server(name), String(frameBytes), path.join(dir, 'floor.log'), ...more.map(String)];
  const child = await startChild(name, process.execPath, args, { cwd: dir });
  return [child, Number((await child.says(/port (\d+)/, START_DEADLINE_MS))[1])];
}

/** @param dirs of the three; @param frameBytes as long as a line of the hub */
export async function startBareReplica(
  dirs: readonly [string, string, string],
  frameBytes: number,
): Promise<{ readonly publish: PublishOne; readonly close: () => Promise<void> }> {
  const [first, firstPort] = await start('bare-log-server', dirs[1], frameBytes, []);
  const [second, secondPort] = await start('bare-log-server', dirs[2], frameBytes, []);
  const [leader, port] = await start('bare-replica-server', dirs[0], frameBytes, [firstPort, secondPort]);
  const { publish, close } = await driveFrames(port, frameBytes);
  return {
    publish,
    close: async () => {
      close();
      for (const child of [leader, first, second]) await child.stop();
    },
  };
}
