/** Redis Streams as a peer: XADD with `appendfsync always`, listeners that block in XREAD. */
import { accepts, freePort, startChild, type Child } from '../children';
import { Deliveries } from '../deliveries';
import type { FanOut, PublishOne } from '../loops';
import { cpuSeconds } from '../machine';
import { payload } from '../payload';
import { RespConnection, type Reply } from './resp';

export const REDIS = 'Redis appendfsync always';
export const REDIS_DURABILITY = 'Redis: fsync of the append-only file before an answer';

const STREAM = 'entries';
const READ_COUNT = '1000';

export interface Redis {
  readonly publish: PublishOne;
  readonly fanOut: (listeners: number) => Promise<FanOut>;
  readonly close: () => Promise<void>;
}

export async function startRedis(command: string, dir: string): Promise<Redis> {
  const port = await freePort();
  const persistence = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'always'];
  const child = await startChild(
    'redis-server',
    command,
    ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, ...persistence],
    {
      cwd: dir,
    },
  );
  await accepts(child, port);
  const connections: RespConnection[] = [];
  const open = async (): Promise<RespConnection> => {
    const connection = await RespConnection.open(port);
    connections.push(connection);
    return connection;
  };
  const publisher = await open();
  let number = 0;
  const publish = async (): Promise<void> => {
    number += 1;
    await publisher.call('XADD', STREAM, '*', 'entry', payload(number));
  };
  return {
    publish,
    fanOut: (listeners) => fanOut(child, publish, open, listeners),
    close: async () => {
      for (const connection of connections) connection.close();
      await child.stop();
    },
  };
}

async function fanOut(
  child: Child,
  publish: PublishOne,
  open: () => Promise<RespConnection>,
  listeners: number,
): Promise<FanOut> {
  const deliveries = new Deliveries(listeners);
  for (let i = 0; i < listeners; i += 1) {
    const connection = await open();
    void listen(connection, (count) => deliveries.add(i, count)).catch(() => undefined);
  }
  return {
    listeners,
    publish: (entries) => Promise.all(Array.from({ length: entries }, publish)),
    reached: (entries) => deliveries.reached(entries),
    cpuSeconds: () => cpuSeconds(child.pid),
  };
}

/** Ends when its connection is closed. */
async function listen(connection: RespConnection, onEntries: (count: number) => void): Promise<never> {
  let last = '$';
  for (;;) {
    const reply = await connection.call('XREAD', 'COUNT', READ_COUNT, 'BLOCK', '0', 'STREAMS', STREAM, last);
    const ids = idsOf(reply);
    last = ids.at(-1) ?? last;
    onEntries(ids.length);
  }
}

/** XREAD answers `[[stream, [[id, [field, value]], …]]]`. */
function idsOf(reply: Reply): string[] {
  const streams = Array.isArray(reply) ? (reply as readonly Reply[]) : [];
  const entries = (streams[0] as readonly Reply[] | undefined)?.[1] as readonly (readonly Reply[])[] | undefined;
  return (entries ?? []).map(([id]) => String(id));
}
