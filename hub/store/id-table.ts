/**
 * Which entry an id belongs to, in about 16 bytes per entry: an open-addressed table of 32-bit fingerprints. It answers with
 * candidates; whoever asks looks at the log to be sure. Split into parts that grow one by one, so that no growth is felt.
 */

const PARTS = 256;
const FIRST_SLOTS = 16;
/** A part doubles when it is fuller than this. */
const MAX_LOAD = 0.75;

const mixIn = (hash: number, byte: number): number => {
  const mixed = Math.imul(hash ^ byte, 0x9e3779b1);
  return (mixed << 13) | (mixed >>> 19);
};

function finish(hash: number): number {
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Spreads an id over 32 bits. The seed is secret, so that nobody can make ids that collide. */
export function fingerprint(id: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < id.length; i++) hash = mixIn(hash, id.charCodeAt(i));
  return finish(hash);
}

/** The same for an id as ASCII bytes. */
export function fingerprintAt(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed;
  for (let at = start; at < end; at++) hash = mixIn(hash, bytes[at] ?? 0);
  return finish(hash);
}

const NO_SLOTS = new Uint32Array(0);

/** Slots of two words: fingerprint, ordinal + 1 (0 = free). */
class Part {
  private slots: Uint32Array;
  private used = 0;

  /** @param capacity a power of two, or 0 */
  constructor(capacity: number) {
    this.slots = capacity === 0 ? NO_SLOTS : new Uint32Array(capacity * 2);
  }

  get bytes(): number {
    return this.slots.byteLength;
  }

  insert(print: number, ordinal: number): void {
    const capacity = this.slots.length / 2;
    if (this.used >= capacity * MAX_LOAD) this.grow(Math.max(capacity * 2, FIRST_SLOTS));
    this.place(this.slots, print, ordinal + 1);
    this.used++;
  }

  insertAll(prints: Uint32Array, ordinals: Uint32Array, from: number, to: number): void {
    for (let at = from; at < to; at++) {
      const ordinal = ordinals[at] ?? 0;
      this.insert(prints[ordinal] ?? 0, ordinal);
    }
  }

  private place(slots: Uint32Array, print: number, value: number): void {
    const mask = slots.length / 2 - 1;
    let at = print & mask;
    while (slots[at * 2 + 1] !== 0) at = (at + 1) & mask;
    slots[at * 2] = print;
    slots[at * 2 + 1] = value;
  }

  private grow(capacity: number): void {
    const larger = new Uint32Array(capacity * 2);
    this.each((print, ordinal) => this.place(larger, print, ordinal + 1));
    this.slots = larger;
  }

  each(visit: (print: number, ordinal: number) => void): void {
    const { slots } = this;
    for (let at = 0; at < slots.length; at += 2) {
      const value = slots[at + 1] ?? 0;
      if (value !== 0) visit(slots[at] ?? 0, value - 1);
    }
  }

  find(print: number): number[] | undefined {
    const { slots } = this;
    if (slots.length === 0) return undefined;
    const mask = slots.length / 2 - 1;
    let found: number[] | undefined;
    for (let at = print & mask; ; at = (at + 1) & mask) {
      const value = slots[at * 2 + 1] ?? 0;
      if (value === 0) return found;
      if (slots[at * 2] === print) (found ??= []).push(value - 1);
    }
  }
}

/** Slots that a part needs for its share of so many entries. */
function slotsFor(entries: number): number {
  const share = entries / PARTS / MAX_LOAD;
  return share < FIRST_SLOTS ? 0 : 2 ** Math.ceil(Math.log2(share));
}

export class IdTable {
  private readonly parts: readonly Part[];

  /** @param expected how many entries will be in it, where that is known: then it need not grow */
  constructor(
    readonly seed: number,
    expected = 0,
  ) {
    const slots = slotsFor(expected);
    this.parts = Array.from({ length: PARTS }, () => new Part(slots));
  }

  add(id: string, ordinal: number): void {
    this.addPrint(fingerprint(id, this.seed), ordinal);
  }

  addAt(bytes: Uint8Array, start: number, end: number, ordinal: number): void {
    this.addPrint(fingerprintAt(bytes, start, end, this.seed), ordinal);
  }

  addPrint(print: number, ordinal: number): void {
    this.partOf(print).insert(print, ordinal);
  }

  /**
   * Takes in many at once, part by part: in the order of their ordinals each would land in another corner of memory.
   * @param prints by ordinal, from 0 on
   */
  addPrints(prints: Uint32Array): void {
    const ends = new Uint32Array(PARTS);
    for (const print of prints) ends[print >>> 24] = (ends[print >>> 24] ?? 0) + 1;
    for (let part = 1; part < PARTS; part++) ends[part] = (ends[part] ?? 0) + (ends[part - 1] ?? 0);
    const ordinals = new Uint32Array(prints.length);
    for (let ordinal = prints.length - 1; ordinal >= 0; ordinal--) {
      const part = (prints[ordinal] ?? 0) >>> 24;
      const at = (ends[part] ?? 0) - 1;
      ends[part] = at;
      ordinals[at] = ordinal;
    }
    // `ends` holds where each part begins now.
    this.parts.forEach((part, number) =>
      part.insertAll(prints, ordinals, ends[number] ?? 0, ends[number + 1] ?? prints.length),
    );
  }

  /** Ordinals whose id may be this one, undefined when it is certainly new. */
  candidates(id: string): readonly number[] | undefined {
    const print = fingerprint(id, this.seed);
    return this.partOf(print).find(print);
  }

  each(visit: (print: number, ordinal: number) => void): void {
    for (const part of this.parts) part.each(visit);
  }

  get bytes(): number {
    return this.parts.reduce((sum, part) => sum + part.bytes, 0);
  }

  private partOf(print: number): Part {
    const part = this.parts[print >>> 24];
    if (part === undefined) throw new Error('a fingerprint has 32 bits');
    return part;
  }
}
