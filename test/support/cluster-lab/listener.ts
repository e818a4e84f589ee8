/** A client that listens through every failover, from node to node with its cursor; what it saw, for the checker. */
import type { Cursor } from '../../../core/cursor';
import { openSession } from '../../../core/node/hub-session';
import type { Listening } from '../history';

const TIMEOUT_MS = 4_000;
const OTHER_NODE_MS = 50;

export class Listener {
  readonly seen: { readonly sequence: number; readonly id: string }[] = [];
  private stopped = false;
  private end: (() => void) | undefined;
  private cursor: Cursor | undefined;
  private readonly running: Promise<void>;

  constructor(
    private readonly name: string,
    private readonly token: string,
    private readonly addresses: () => readonly string[],
    first: number,
  ) {
    this.running = this.run(first);
  }

  private async run(first: number): Promise<void> {
    for (let at = first; !this.stopped; at++) {
      const addresses = this.addresses();
      await this.listenAt(addresses[at % addresses.length] ?? '').catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, OTHER_NODE_MS));
    }
  }

  /** Resolves or rejects when that session has ended. */
  private async listenAt(address: string): Promise<void> {
    const session = await openSession({ address, token: this.token, timeoutMs: TIMEOUT_MS });
    this.end = () => session.terminate();
    if (this.stopped) session.terminate();
    try {
      await session.listen(this.cursor, undefined, ({ entries, cursor }) => {
        this.seen.push(...entries.map(({ sequence, id }) => ({ sequence, id })));
        this.cursor = cursor;
      });
      await session.closed;
    } finally {
      session.terminate();
    }
  }

  async stop(): Promise<Listening> {
    this.stopped = true;
    this.end?.();
    await this.running;
    return { client: this.name, after: 0, seen: this.seen };
  }
}
