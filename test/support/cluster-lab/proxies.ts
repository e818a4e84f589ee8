/**
 * A laboratory network without root: one TCP proxy in front of each node, for the other nodes only. Who dials is read from the
 * peer protocol's proof, so that each direction of each pair can be held back or delayed. It cannot lose single packets.
 */
import net, { type AddressInfo } from 'node:net';
import { freePorts } from '../cluster-processes';
import { FREE, type LinkFaults, type Network, type NodePlace } from './network';

interface Chunk {
  readonly due: number;
  readonly bytes: Buffer;
}

/** One direction of one connection: what is held back goes on later, in order, as TCP would send it again. */
class Direction {
  private readonly held: Chunk[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly target: net.Socket,
    private readonly faults: () => LinkFaults,
    private readonly injected: () => void,
  ) {}

  take(bytes: Buffer): void {
    const { lossPercent, delayMs } = this.faults();
    if (lossPercent === 0 && delayMs === 0 && this.held.length === 0) {
      this.target.write(bytes);
      return;
    }
    this.injected();
    this.held.push({ due: performance.now() + delayMs, bytes });
    this.flush();
  }

  flush(): void {
    clearTimeout(this.timer);
    if (this.faults().lossPercent > 0) return;
    for (;;) {
      const [next] = this.held;
      if (next === undefined) return;
      const left = next.due - performance.now();
      if (left > 0) {
        this.timer = setTimeout(() => this.flush(), left);
        return;
      }
      this.held.shift();
      this.target.write(next.bytes);
    }
  }
}

/** The text of the first whole masked frame after the HTTP head, which holds the dialling node's proof. */
function firstFrame(bytes: Buffer): string | undefined {
  const head = bytes.indexOf('\r\n\r\n');
  if (head === -1) return undefined;
  const frame = bytes.subarray(head + 4);
  if (frame.length < 8) return undefined;
  const short = (frame[1] ?? 0) & 0x7f;
  const maskAt = short === 126 ? 4 : 2;
  const length = short === 126 ? frame.readUInt16BE(2) : short;
  if (frame.length < maskAt + 4 + length) return undefined;
  const mask = frame.subarray(maskAt, maskAt + 4);
  const body = frame.subarray(maskAt + 4, maskAt + 4 + length);
  return Buffer.from(body.map((byte, at) => byte ^ (mask[at % 4] ?? 0))).toString('utf8');
}

function dialler(text: string): string | undefined {
  return /"address":"([^"]+)"/.exec(text)?.[1];
}

class ProxyNetwork {
  readonly places: NodePlace[] = [];
  private readonly servers: net.Server[] = [];
  private readonly sockets = new Set<net.Socket>();
  private readonly directions = new Set<Direction>();
  private readonly faults = new Map<string, LinkFaults>();
  private readonly counts = new Map<string, number>();

  async open(nodes: number): Promise<void> {
    const ports = await freePorts(nodes);
    for (const [at, port] of ports.entries()) {
      const server = net.createServer((socket) => this.accept(socket, at + 1, port));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      this.servers.push(server);
      const advertise = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
      this.places.push({ host: '127.0.0.1', port, advertise, wrap: [] });
    }
  }

  private direction(target: net.Socket, from: () => number, to: () => number): Direction {
    const name = (): string => `${from()}>${to()}`;
    const direction = new Direction(
      target,
      () => this.faults.get(name()) ?? FREE,
      () => this.counts.set(name(), this.injected(name()) + 1),
    );
    this.directions.add(direction);
    target.once('close', () => this.directions.delete(direction));
    return direction;
  }

  private accept(socket: net.Socket, node: number, port: number): void {
    const hub = net.connect(port, '127.0.0.1');
    let from = 0;
    let head = Buffer.alloc(0);
    const there = this.direction(
      hub,
      () => from,
      () => node,
    );
    const back = this.direction(
      socket,
      () => node,
      () => from,
    );
    for (const each of [socket, hub]) {
      this.sockets.add(each);
      each.setNoDelay(true);
      each.on('error', () => undefined);
      each.once('close', () => {
        this.sockets.delete(each);
        (each === hub ? socket : hub).destroySoon();
      });
    }
    socket.on('data', (bytes: Buffer) => {
      if (from === 0) {
        head = Buffer.concat([head, bytes]);
        const address = dialler(firstFrame(head) ?? '');
        from = this.places.findIndex(({ advertise }) => advertise === address) + 1;
      }
      there.take(bytes);
    });
    hub.on('data', (bytes: Buffer) => back.take(bytes));
  }

  link(from: number, to: number, faults: LinkFaults): void {
    if (faults.lossPercent !== 0 && faults.lossPercent !== 100) throw new Error('a proxy holds back all or nothing');
    this.faults.set(`${from}>${to}`, faults);
    for (const direction of this.directions) direction.flush();
  }

  injected(name: string): number {
    return this.counts.get(name) ?? 0;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await Promise.all(this.servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

export async function proxyNetwork(nodes: number): Promise<Network> {
  const network = new ProxyNetwork();
  await network.open(nodes);
  return {
    places: network.places,
    link: (from, to, faults) => {
      network.link(from, to, faults);
      return Promise.resolve();
    },
    injected: (from, to) => Promise.resolve(network.injected(`${from}>${to}`)),
    close: () => network.close(),
  };
}
