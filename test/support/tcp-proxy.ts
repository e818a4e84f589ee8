/** A TCP proxy in this process that breaks connections on demand: cut after so many bytes, stall, half-open, reset. */
import net, { type AddressInfo } from 'node:net';

interface Pair {
  readonly client: net.Socket;
  readonly hub: net.Socket;
  /** Bytes that went from the hub to the client. */
  sent: number;
}

export class TcpProxy {
  /** Connections accepted so far. */
  accepted = 0;
  /** How often a fault was really injected. */
  faults = 0;
  /** Each connection from now on is cut after so many bytes from the hub, taken from the front of the list; then none. */
  cuts: number[] = [];
  /** New connections are accepted and lead nowhere. */
  mute = false;
  readonly #target: number;
  readonly #server: net.Server;
  readonly #pairs = new Set<Pair>();
  readonly #lost = new Set<net.Socket>();

  private constructor(target: number) {
    this.#target = target;
    this.#server = net.createServer((client) => this.#accept(client));
  }

  static async listen(targetPort: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get address(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  /** Open connections through it. */
  get open(): number {
    return this.#pairs.size;
  }

  #accept(client: net.Socket): void {
    this.accepted++;
    client.on('error', () => undefined);
    if (this.mute) {
      this.faults++;
      this.#lost.add(client);
      return;
    }
    const hub = net.connect(this.#target, '127.0.0.1');
    hub.on('error', () => undefined);
    const pair: Pair = { client, hub, sent: 0 };
    this.#pairs.add(pair);
    const cutAt = this.cuts.shift();
    hub.on('data', (bytes: Buffer) => this.#forward(pair, bytes, cutAt));
    client.pipe(hub);
    hub.once('close', () => this.#end(pair));
    client.once('close', () => this.#end(pair));
  }

  #forward(pair: Pair, bytes: Buffer, cutAt: number | undefined): void {
    const room = cutAt === undefined ? bytes.length : cutAt - pair.sent;
    pair.sent += bytes.length;
    if (bytes.length <= room) {
      if (!pair.client.write(bytes)) {
        pair.hub.pause();
        pair.client.once('drain', () => pair.hub.resume());
      }
      return;
    }
    this.faults++;
    // FIN after exactly the allowed bytes.
    pair.client.end(bytes.subarray(0, room));
    pair.hub.destroy();
  }

  #end(pair: Pair): void {
    this.#pairs.delete(pair);
    pair.client.destroySoon();
    pair.hub.destroy();
  }

  /** RST to both sides. */
  reset(): void {
    for (const { client, hub } of this.#pairs) {
      this.faults++;
      client.resetAndDestroy();
      hub.resetAndDestroy();
    }
  }

  /** Nothing passes any more, in neither direction, and nobody is told: half-open on both sides. */
  stall(): void {
    for (const { client, hub } of this.#pairs) {
      this.faults++;
      client.unpipe(hub);
      client.pause();
      hub.removeAllListeners('data');
      hub.pause();
    }
  }

  async close(): Promise<void> {
    for (const { client, hub } of this.#pairs) {
      client.destroy();
      hub.destroy();
    }
    for (const socket of this.#lost) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
