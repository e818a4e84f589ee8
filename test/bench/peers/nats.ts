/** NATS as a peer: JetStream with a file store (synced always, or as the server syncs by default), and core NATS without a store. */
import fs from 'node:fs';
import path from 'node:path';
import { accepts, freePort, startChild, type Child } from '../children';
import { Deliveries } from '../deliveries';
import type { FanOut, PublishOne } from '../loops';
import { cpuSeconds } from '../machine';
import { payload } from '../payload';
import { NatsConnection } from './nats-connection';

export const JETSTREAM = 'JetStream sync-always';
export const JETSTREAM_DURABILITY = 'JetStream: file store, fsync of every message before its answer';
export const NATS_CORE = 'NATS core';
export const NATS_CORE_DURABILITY = 'NATS core: nothing is stored';

const SUBJECT = 'entries';
const STREAM = 'ENTRIES';
/** Publishes without waiting, so many at a time, when a stream is filled. */
const FILL_WINDOW = 1000;

export interface Nats {
  /** JetStream: resolves with the acknowledgement of the stream. */
  readonly publish: PublishOne;
  /** Listeners with a push consumer each. */
  readonly streamFanOut: (listeners: number) => Promise<FanOut>;
  /** Plain subscribers; publishing has no acknowledgement. */
  readonly coreFanOut: (listeners: number) => Promise<FanOut>;
  /** Stores entries until the stream holds `count`. */
  readonly fill: (count: number) => Promise<void>;
  /** Reads the whole stream with a new consumer; resolves when `count` entries have come. */
  readonly replay: (count: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** @param syncAlways needs nats-server 2.10 or newer */
export async function startNats(command: string, dir: string, syncAlways: boolean): Promise<Nats> {
  const port = await freePort();
  const config = path.join(dir, 'nats.conf');
  const sync = syncAlways ? 'sync_interval: always' : '';
  fs.writeFileSync(config, `listen: "127.0.0.1:${port}"\njetstream { store_dir: "${dir}"\n ${sync} }\n`);
  const child = await startChild('nats-server', command, ['-c', config], { cwd: dir });
  await accepts(child, port);
  return new NatsServer(child, port).start();
}

class NatsServer implements Nats {
  readonly #connections: NatsConnection[] = [];
  #publisher!: NatsConnection;
  #number = 0;
  #consumers = 0;

  constructor(
    readonly child: Child,
    readonly port: number,
  ) {}

  async start(): Promise<Nats> {
    this.#publisher = await this.#open();
    const stream = { name: STREAM, subjects: [SUBJECT], storage: 'file', retention: 'limits', num_replicas: 1 };
    await this.#ask(`STREAM.CREATE.${STREAM}`, stream);
    return this;
  }

  async #open(): Promise<NatsConnection> {
    const connection = await NatsConnection.open(this.port);
    this.#connections.push(connection);
    return connection;
  }

  async #ask(api: string, request: object): Promise<void> {
    check(await this.#publisher.request(`$JS.API.${api}`, JSON.stringify(request)));
  }

  readonly publish = async (): Promise<void> => {
    this.#number += 1;
    check(await this.#publisher.request(SUBJECT, payload(this.#number)));
  };

  async streamFanOut(listeners: number): Promise<FanOut> {
    const deliveries = new Deliveries(listeners);
    for (let i = 0; i < listeners; i += 1) {
      const connection = await this.#open();
      await this.#consume(connection, 'new', () => deliveries.add(i, 1));
    }
    const publish = (entries: number): Promise<unknown> => Promise.all(Array.from({ length: entries }, this.publish));
    return this.#fanOut(deliveries, publish);
  }

  async coreFanOut(listeners: number): Promise<FanOut> {
    const deliveries = new Deliveries(listeners);
    for (let i = 0; i < listeners; i += 1) {
      const connection = await this.#open();
      connection.subscribe('plain', () => deliveries.add(i, 1));
      await connection.settle();
    }
    return this.#fanOut(deliveries, (entries) => {
      for (let i = 0; i < entries; i += 1) this.#publisher.publish('plain', payload((this.#number += 1)));
      return Promise.resolve();
    });
  }

  #fanOut(deliveries: Deliveries, publish: FanOut['publish']): FanOut {
    return {
      listeners: deliveries.listeners,
      publish,
      reached: (entries) => deliveries.reached(entries),
      cpuSeconds: () => cpuSeconds(this.child.pid),
    };
  }

  /** A push consumer without acknowledgements: the cheapest way JetStream has. */
  async #consume(connection: NatsConnection, from: 'new' | 'all', onEntry: () => void): Promise<void> {
    this.#consumers += 1;
    const inbox = `deliver.${this.#consumers}`;
    connection.subscribe(inbox, onEntry);
    await connection.settle();
    const config = {
      deliver_subject: inbox,
      deliver_policy: from,
      ack_policy: 'none',
      mem_storage: true,
      num_replicas: 1,
    };
    await this.#ask(`CONSUMER.CREATE.${STREAM}`, { stream_name: STREAM, config });
  }

  async fill(count: number): Promise<void> {
    while (this.#number < count) {
      const lanes = Math.min(FILL_WINDOW, count - this.#number);
      await Promise.all(Array.from({ length: lanes }, this.publish));
    }
  }

  async replay(count: number): Promise<void> {
    const connection = await NatsConnection.open(this.port);
    let seen = 0;
    await new Promise<void>((resolve, reject) => {
      const onEntry = (): void => {
        seen += 1;
        if (seen === count) resolve();
      };
      this.#consume(connection, 'all', onEntry).catch(reject);
    });
    connection.close();
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.close();
    await this.child.stop();
  }
}

function check(answer: Buffer): void {
  const { error } = JSON.parse(answer.toString()) as { error?: { description?: string } };
  if (error !== undefined) throw new Error(`JetStream refused: ${error.description ?? 'no reason given'}`);
}
