/** Publishers that go on at once against a real hub, through its ends and new starts; what they were told, for the history checker. */
import fs from 'node:fs';
import assert from 'node:assert/strict';
import { HubError } from '../../core/errors';
import { openSession, type HubSession } from '../../core/node/hub-session';
import { checkHistory, type Operation, type Told } from './history';
import { registerClient, type HubProcess } from './hub-process';
import { logFile, published } from './hub-log';

export interface CrowdOptions {
  readonly publishers: number;
  /** Entries of one publish: 1 to this. */
  readonly mostEntries: number;
}

/** Answers after which a publisher goes on. */
const ANSWERS: readonly string[] = ['disk_full', 'store_failed', 'rate_limited'];

export class Crowd {
  private readonly operations: Operation[] = [];
  private readonly counts = { ok: 0, refused: 0, unknown: 0 };
  private clock = 0;
  private next = 0;
  private stopped = false;
  private tokens: readonly string[] = [];

  constructor(private readonly options: CrowdOptions) {}

  get acknowledged(): number {
    return this.counts.ok;
  }

  get refused(): number {
    return this.counts.refused;
  }

  get unknown(): number {
    return this.counts.unknown;
  }

  async register(hub: HubProcess): Promise<void> {
    const names = Array.from({ length: this.options.publishers }, (_, i) => `publisher-${i}`);
    this.tokens = await Promise.all(names.map(async (name) => (await registerClient(hub, 'alpha', name)).token));
  }

  /** Resolves when every publisher has lost its hub, or was told to stop. */
  async publish(hub: HubProcess): Promise<void> {
    this.stopped = false;
    await Promise.all(this.tokens.map((token, i) => this.one(hub, token, `publisher-${i}`)));
  }

  stop(): void {
    this.stopped = true;
  }

  private async one(hub: HubProcess, token: string, client: string): Promise<void> {
    const session = await openSession({ address: hub.address, token }).catch(() => undefined);
    if (session === undefined) return;
    try {
      while (!this.stopped && (await this.publishOnce(session, client)));
    } finally {
      session.terminate();
    }
  }

  /** @returns whether the hub still answers */
  private async publishOnce(session: HubSession, client: string): Promise<boolean> {
    const size = 1 + (this.next % this.options.mostEntries);
    const ids = Array.from({ length: size }, () => `k-${this.next++}`);
    const invoked = this.clock++;
    const { told, answers } = await this.ask(session, ids);
    const completed = this.clock++;
    ids.forEach((id, i) => {
      const each = told[i] ?? { kind: 'unknown' };
      this.counts[each.kind]++;
      this.operations.push({ client, id, invoked, completed, told: each });
    });
    return answers;
  }

  private async ask(session: HubSession, ids: readonly string[]): Promise<{ told: readonly Told[]; answers: boolean }> {
    try {
      const results = await session.publish(
        ids.map((id) => published(id, `Title of ${id}\n\n${'text '.repeat(40)}end`)),
      );
      const told = results.map((each): Told =>
        'error' in each ? { kind: 'refused', code: each.error.code } : { kind: 'ok', sequence: each.sequence },
      );
      return { told, answers: true };
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      const { code, outcome } = error;
      const told = ids.map((): Told => (outcome === 'refused' ? { kind: 'refused', code } : { kind: 'unknown' }));
      return { told, answers: ANSWERS.includes(code) };
    }
  }

  /** Holds what was told against the log of the data directory. @returns how many lines it has */
  check(dataDir: string): number {
    const lines = fs
      .readFileSync(logFile(dataDir), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((text) => {
        const { id, sequence } = JSON.parse(text) as { id: string; sequence: number };
        return { id, sequence, text };
      });
    assert.deepEqual(checkHistory({ operations: this.operations, logs: [{ node: 'hub', lines }] }), []);
    return lines.length;
  }
}
