/** NATS as a peer, three servers with one JetStream stream of three replicas, each synced always. */
import fs from 'node:fs';
import path from 'node:path';
import { accepts, freePort, pause, startChild, type Child } from '../children';
import type { PublishOne } from '../loops';
import { payload } from '../payload';
import { NatsConnection } from './nats-connection';

export const JETSTREAM_CLUSTER = 'JetStream R3 sync-always';
export const JETSTREAM_CLUSTER_DURABILITY = 'JetStream: 3 replicas, fsync of every message';

const SUBJECT = 'entries';
const STREAM = 'ENTRIES';
const READY_DEADLINE_MS = 30_000;
const ANSWER_MS = 2_000;

/** @param command nats-server 2.10 or newer */
export async function startNatsCluster(
  command: string,
  dir: string,
): Promise<{ readonly publish: PublishOne; readonly close: () => Promise<void> }> {
  const ports = [await freePort(), await freePort(), await freePort()];
  const routes = [await freePort(), await freePort(), await freePort()];
  const all = routes.map((port) => `"nats://127.0.0.1:${port}"`).join(', ');
  const children = await Promise.all(
    ports.map(async (port, at): Promise<Child> => {
      const folder = path.join(dir, `n${at}`);
      fs.mkdirSync(folder);
      const config = path.join(folder, 'nats.conf');
      const cluster = `cluster { name: bench, listen: "127.0.0.1:${routes[at] ?? 0}", routes: [${all}] }`;
      const store = `jetstream { store_dir: "${folder}"\n sync_interval: always }`;
      fs.writeFileSync(config, `server_name: n${at}\nlisten: "127.0.0.1:${port}"\n${store}\n${cluster}\n`);
      const child = await startChild('nats-server', command, ['-c', config], { cwd: folder });
      await accepts(child, port);
      return child;
    }),
  );
  const connection = await connectToLeader(ports);
  let number = 0;
  const publish = async (): Promise<void> => {
    number += 1;
    refuseErrors(await connection.request(SUBJECT, payload(number)));
  };
  return {
    publish,
    close: async () => {
      connection.close();
      await Promise.all(children.map((child) => child.stop()));
    },
  };
}

/** Makes the stream, as soon as the servers have found each other, and connects to the server that leads it. */
async function connectToLeader(ports: readonly number[]): Promise<NatsConnection> {
  const [first = 0] = ports;
  const connection = await NatsConnection.open(first);
  const stream = JSON.stringify({
    name: STREAM,
    subjects: [SUBJECT],
    storage: 'file',
    retention: 'limits',
    num_replicas: 3,
  });
  const end = performance.now() + READY_DEADLINE_MS;
  for (;;) {
    const answer = await createStream(connection, stream);
    const leader = /^n(\d)$/.exec(answer.cluster?.leader ?? '')?.[1];
    if (leader === '0') return connection;
    if (leader !== undefined) {
      connection.close();
      return NatsConnection.open(ports[Number(leader)] ?? first);
    }
    if (performance.now() > end)
      throw new Error(`JetStream: ${answer.error?.description ?? 'the stream has no leader'}`);
    await pause(200);
  }
}

interface StreamAnswer {
  readonly error?: { readonly description?: string };
  readonly cluster?: { readonly leader?: string };
}

/** Servers that have not found each other yet do not answer at all. */
async function createStream(connection: NatsConnection, stream: string): Promise<StreamAnswer> {
  const request = connection.request(`$JS.API.STREAM.CREATE.${STREAM}`, stream);
  const silence = pause(ANSWER_MS).then(() => Buffer.from('{"error":{"description":"no answer"}}'));
  return JSON.parse((await Promise.race([request, silence])).toString()) as StreamAnswer;
}

function refuseErrors(answer: Buffer): void {
  const { error } = JSON.parse(answer.toString()) as { error?: { description?: string } };
  if (error !== undefined) throw new Error(`JetStream refused: ${error.description ?? 'no reason given'}`);
}
