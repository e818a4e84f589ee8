/** Clients that publish without end at any node of a cluster, as a client with an outbox does; what they were told, for the checker. */
import { HubError } from '../../../core/errors';
import { openSession, type HubSession } from '../../../core/node/hub-session';
import type { Operation, Told } from '../history';
import { published } from '../hub-log';
import { until } from '../processes';

export interface WritersOptions {
  /** Where a client finds the nodes; may change. */
  readonly addresses: () => readonly string[];
  readonly tokens: readonly string[];
  /** Rest between two publishes of one writer. */
  readonly pauseMs: number;
  /** Entries of one publish: 1 to this. */
  readonly mostEntries: number;
}

/** A publish is answered within 2.8 s by a node that is alive (P9); a frozen one never answers. */
const TIMEOUT_MS = 4_000;
const OTHER_NODE_MS = 20;
/** Every so many entries, one that was refused is not tried again: it must never appear (I11). */
const GIVES_UP_EACH = 7;

const rest = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class Writers {
  readonly operations: Operation[] = [];
  acknowledged = 0;
  private next = 0;
  private stopped = false;
  private running: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: WritersOptions) {}

  start(): void {
    this.stopped = false;
    this.running = Promise.all(this.options.tokens.map((token, at) => this.one(token, at)));
  }

  /** Each writer finishes what it is at. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  /** Waits until so many more are acknowledged. */
  async more(count: number, deadlineMs = 60_000): Promise<void> {
    const enough = this.acknowledged + count;
    await until(`${count} more entries are acknowledged`, () => this.acknowledged >= enough, deadlineMs);
  }

  /** Publishes at one node, by the first writer, and never tries again. @returns what it was told of each */
  async once(address: string, ids: readonly string[]): Promise<readonly Told[]> {
    const session = await openSession({ address, token: this.options.tokens[0] ?? '', timeoutMs: TIMEOUT_MS });
    try {
      return await this.publish(session, ids, 'once');
    } finally {
      session.terminate();
    }
  }

  /** How many publishes of an entry were not acknowledged. */
  get failed(): number {
    return this.operations.length - this.acknowledged;
  }

  /** When the first entry that was sent after this moment was acknowledged. */
  firstAfter(sent: number): number | undefined {
    const times = this.operations
      .filter(({ told, invoked }) => told.kind === 'ok' && invoked > sent)
      .map(({ completed = Infinity }) => completed);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  private async one(token: string, writer: number): Promise<void> {
    let session: HubSession | undefined;
    let at = writer;
    let batch: readonly string[] = [];
    for (let round = 0; !this.stopped; round++) {
      const addresses = this.options.addresses();
      const address = addresses[at % addresses.length] ?? '';
      session ??= await openSession({ address, token, timeoutMs: TIMEOUT_MS }).catch(() => undefined);
      if (batch.length === 0) {
        const size = 1 + (round % this.options.mostEntries);
        batch = Array.from({ length: size }, () => `w-${this.next++}`);
      }
      const told = session === undefined ? undefined : await this.publish(session, batch, `writer-${writer}`);
      batch = batch.filter((_, i) => !isSettled(told?.[i], this.next));
      if (batch.length === 0) {
        await rest(this.options.pauseMs);
        continue;
      }
      session?.terminate();
      session = undefined;
      at++;
      await rest(OTHER_NODE_MS);
    }
    session?.terminate();
  }

  private async publish(session: HubSession, ids: readonly string[], client: string): Promise<readonly Told[]> {
    const invoked = performance.now();
    const told = await ask(session, ids);
    const completed = performance.now();
    ids.forEach((id, i) => {
      const each = told[i] ?? { kind: 'unknown' };
      if (each.kind === 'ok') this.acknowledged++;
      this.operations.push({ client, id, invoked, completed, told: each, node: session.address });
    });
    return told;
  }
}

function isSettled(told: Told | undefined, next: number): boolean {
  return told?.kind === 'ok' || (told?.kind === 'refused' && next % GIVES_UP_EACH === 0);
}

async function ask(session: HubSession, ids: readonly string[]): Promise<readonly Told[]> {
  try {
    const results = await session.publish(ids.map((id) => published(id, `Title of ${id}\n\n${'text '.repeat(40)}end`)));
    return results.map((each): Told =>
      'error' in each
        ? each.error.outcome === 'refused'
          ? { kind: 'refused', code: each.error.code }
          : { kind: 'unknown' }
        : { kind: 'ok', sequence: each.sequence },
    );
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    const { code, outcome } = error;
    return ids.map((): Told => (outcome === 'refused' ? { kind: 'refused', code } : { kind: 'unknown' }));
  }
}
