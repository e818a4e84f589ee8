/** Publishers and listeners that note what they asked, were told and saw, for the one history checker. */
import assert from 'node:assert/strict';
import { HubError } from '../../../core/errors';
import type { StampedEntry } from '../../../core/entry';
import { checkHistory, type Listening, type NodeLog, type Operation, type Told } from '../../support/history';
import { entry, publish } from '../../support/entries';
import type { OpenedLab } from './engine-lab';

export class Recorder {
  private readonly operations: Operation[] = [];
  private readonly listeners: Listening[] = [];
  private clock = 0;

  get acknowledged(): number {
    return this.operations.filter(({ told }) => told.kind === 'ok').length;
  }

  /** Ids that were sent and not acknowledged. */
  get open(): readonly string[] {
    const ok = new Set(this.operations.filter(({ told }) => told.kind === 'ok').map(({ id }) => id));
    return [...new Set(this.operations.map(({ id }) => id))].filter((id) => !ok.has(id));
  }

  publish(lab: OpenedLab, client: string, ...ids: readonly string[]): Promise<readonly Told[]> {
    return this.publishEntries(lab, client, ...ids.map((id) => entry(id, { client })));
  }

  /** An operation that is never answered stays in the history as unknown. */
  async publishEntries(lab: OpenedLab, client: string, ...entries: readonly StampedEntry[]): Promise<readonly Told[]> {
    const invoked = this.clock++;
    const places = entries.map(
      ({ id }) => this.operations.push({ client, id, invoked, told: { kind: 'unknown' } }) - 1,
    );
    const told = await this.ask(lab, entries);
    const completed = this.clock++;
    entries.forEach(({ id }, i) => {
      this.operations[places[i] ?? -1] = { client, id, invoked, completed, told: told[i] ?? { kind: 'unknown' } };
    });
    return told;
  }

  private async ask({ engine }: OpenedLab, entries: readonly StampedEntry[]): Promise<readonly Told[]> {
    try {
      const result = await engine.propose(publish(...entries));
      assert.equal(result.kind, 'published');
      return result.entries.map((each) =>
        each.kind === 'refused' ? { kind: 'refused', code: each.error.code } : { kind: 'ok', sequence: each.sequence },
      );
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      const { code, outcome } = error;
      return entries.map(() => (outcome === 'unknown' ? { kind: 'unknown' } : { kind: 'refused', code }));
    }
  }

  /** Notes all that is committed from now on. @returns what ends it */
  listen({ reader }: OpenedLab, client: string): () => void {
    const seen: { sequence: number; id: string }[] = [];
    this.listeners.push({ client, after: reader.head().sequence, seen });
    return reader.onCommit((lines) => {
      for (const { sequence, bytes } of lines) seen.push({ sequence, id: idOf(bytes) });
    });
  }

  /** Reads from the start, as a new listener would. */
  async replay({ reader }: OpenedLab, client: string, pageBytes: number): Promise<void> {
    const seen: { sequence: number; id: string }[] = [];
    for (let after = 0; ;) {
      const page = await reader.readAfter(after, pageBytes);
      for (const { sequence, bytes } of page) seen.push({ sequence, id: idOf(bytes) });
      const last = page.at(-1);
      if (last === undefined) break;
      after = last.sequence;
    }
    this.listeners.push({ client, after: 0, seen });
  }

  check(logs: readonly NodeLog[]): void {
    assert.ok(logs.length > 0, 'there is a log to look at');
    assert.deepEqual(checkHistory({ operations: this.operations, logs, listeners: this.listeners }), []);
  }
}

export function idOf(bytes: Uint8Array): string {
  return (JSON.parse(Buffer.from(bytes).toString('utf8')) as { id: string }).id;
}
