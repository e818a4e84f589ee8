/** The replicated state of the simulation: published ids in their order, each once. */
import { idOf } from './history';
import type { Entry, Snapshot } from '../../hub/raft/entry';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class StateMachine {
  readonly ids: string[] = [];
  private readonly sequences = new Map<string, number>();
  index = 0;
  term = 0;

  constructor(private readonly dedup: boolean) {}

  static from(snapshot: Snapshot, dedup: boolean): StateMachine {
    const machine = new StateMachine(dedup);
    machine.restore(snapshot);
    return machine;
  }

  restore({ data, index, term }: Snapshot): void {
    const text = decoder.decode(data);
    this.ids.length = 0;
    this.sequences.clear();
    for (const id of text === '' ? [] : text.split(' ')) this.add(id);
    this.index = index;
    this.term = term;
  }

  private add(id: string): void {
    this.ids.push(id);
    if (!this.sequences.has(id)) this.sequences.set(id, this.ids.length);
  }

  /** The sequence of the entry's id; a repeated one keeps its first. */
  apply(entry: Entry): number | undefined {
    this.index = entry.index;
    this.term = entry.term;
    const id = idOf(entry);
    if (id === undefined) return undefined;
    if (!this.dedup || !this.sequences.has(id)) this.add(id);
    return this.sequences.get(id);
  }

  encode(): Uint8Array {
    return encoder.encode(this.ids.join(' '));
  }
}
