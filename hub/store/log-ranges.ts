/**
 * Entries of the log by sequence and by id, read from disk when asked for; only offsets and fingerprints are in memory. What
 * is read is compared with the CRC of its block: bytes that have changed since they were verified are never served.
 */
import { crc32 } from 'node:zlib';
import { HubError } from '../../core/errors';
import { asciiAt, has, idText, splitLine, type LineParts } from '../../core/line';
import type { KnownEntry } from '../state/hub-state';
import { digestText } from './check-line';
import type { IdTable } from './id-table';
import type { Block, LineTable } from './line-table';
import type { LogFile } from './log-file';
import type { LogLine } from './log-reader';
import type { Gap } from './meta';

const LINE_TYPES: readonly LogLine['type'][] = ['decision', 'learning', 'convention', 'task', 'redaction'];

const TYPE_BYTES = LINE_TYPES.map((type) => ({ type, bytes: Buffer.from(type) }));

/** Without a string for each line. @returns undefined for a type that nobody writes */
export function typeAt(bytes: Uint8Array, { typeStart, typeEnd }: LineParts): LogLine['type'] | undefined {
  const length = typeEnd - typeStart;
  return TYPE_BYTES.find((each) => each.bytes.length === length && has(bytes, typeStart, each.bytes))?.type;
}

/** A line as it was read. Only the last of many is asked for its digest. */
class StoredLine implements LogLine {
  constructor(
    readonly bytes: Uint8Array,
    private readonly parts: LineParts,
    readonly type: LogLine['type'],
  ) {}

  get sequence(): number {
    return this.parts.sequence;
  }

  get digest(): string {
    return digestText(this.bytes, this.parts);
  }
}

interface FoundLine {
  readonly bytes: Uint8Array;
  readonly parts: LineParts;
}

function knownEntry({ bytes, parts }: FoundLine): KnownEntry {
  const stored = JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, unknown>;
  const { content, origin, supersedes } = stored;
  return {
    sequence: parts.sequence,
    origin: String(origin),
    type: String(stored['type']),
    supersedes: typeof supersedes === 'string' ? supersedes : undefined,
    content: typeof content === 'string' ? content : { sha256: asciiAt(bytes, parts.valueStart, parts.valueEnd) },
  };
}

export interface LogRangesParts {
  readonly log: LogFile;
  readonly lines: LineTable;
  readonly ids: IdTable;
  readonly gaps: readonly Gap[];
  /** Told once per block that is found damaged. */
  readonly onDamage: (message: string) => void;
}

export class LogRanges {
  private readonly log: LogFile;
  private readonly lines: LineTable;
  private readonly ids: IdTable;
  private readonly damaged = new Map<number, string>();

  constructor(private readonly parts: LogRangesParts) {
    this.log = parts.log;
    this.lines = parts.lines;
    this.ids = parts.ids;
  }

  /** What was found damaged since the start, in words. */
  get damage(): readonly string[] {
    return [...this.damaged.values()];
  }

  /** Takes in lines that were just appended. @param lengths with their line feeds */
  append(bytes: Uint8Array, ids: readonly string[], lengths: readonly number[]): void {
    ids.forEach((id, i) => this.ids.add(id, this.lines.count + i));
    this.lines.append(bytes, lengths);
  }

  /** How many lines have a sequence up to this one. */
  private linesUpTo(sequence: number): number {
    let lines = sequence;
    for (const gap of this.parts.gaps) {
      if (gap.first <= sequence) lines -= Math.min(gap.last, sequence) - gap.first + 1;
    }
    return Math.min(lines, this.lines.count);
  }

  /** Whole lines from the first on, at least one, at most about `maxBytes`; fewer where damage follows. */
  async readAfter(sequence: number, maxBytes: number): Promise<readonly LogLine[]> {
    const first = this.linesUpTo(sequence);
    let end = first;
    let bytes = 0;
    while (end < this.lines.count) {
      const length = this.lines.lengthOf(end);
      if (end > first && bytes + length > maxBytes) break;
      bytes += length;
      end++;
    }
    return first === end ? [] : this.read(first, end);
  }

  private async read(first: number, end: number): Promise<LogLine[]> {
    // Taken before anything is awaited: the last block goes on growing.
    const blocks = this.lines.blocksOf(first, end);
    const start = blocks[0]?.offset ?? 0;
    const bytes = await this.log.read(start, blocks[blocks.length - 1]?.endOffset ?? start);
    const bad = blocks.find(
      (block) => !this.isGood(block, bytes.subarray(block.offset - start, block.endOffset - start)),
    );
    const goodEnd = bad === undefined ? end : Math.min(end, bad.first);
    if (bad !== undefined && goodEnd <= first) throw this.damageError(bad);
    const found: LogLine[] = [];
    let at = this.lines.offsetOf(first) - start;
    for (let ordinal = first; ordinal < goodEnd; ordinal++) {
      const length = this.lines.lengthOf(ordinal);
      found.push(this.asLogLine(bytes.subarray(at, at + length - 1), ordinal));
      at += length;
    }
    return found;
  }

  private isGood(block: Block, bytes: Uint8Array): boolean {
    if (this.damaged.has(block.number)) return false;
    if (crc32(bytes) === block.crc) return true;
    this.noteDamage(block, 'its bytes have changed since the hub verified them');
    return false;
  }

  /** From now on nothing of the block is served. */
  noteDamage(block: Block, reason: string): void {
    if (this.damaged.has(block.number)) return;
    const where = `lines ${block.first + 1} to ${block.end} at bytes ${block.offset} to ${block.endOffset}`;
    const message = `${this.log.path} is damaged (${where}: ${reason}); that part is not served. Stop the hub and run: ctx hub repair --quarantine`;
    this.damaged.set(block.number, message);
    this.parts.onDamage(message);
  }

  private damageError(block: Block): HubError {
    return new HubError('store_failed', this.damaged.get(block.number) ?? `${this.log.path} is damaged.`);
  }

  private asLogLine(bytes: Uint8Array, ordinal: number): LogLine {
    const { parts } = this.found(bytes, ordinal);
    const type = typeAt(bytes, parts);
    if (type !== undefined) return new StoredLine(bytes, parts, type);
    const unknown = asciiAt(bytes, parts.typeStart, parts.typeEnd);
    throw new HubError('store_failed', `Line ${ordinal + 1} of the log has the unknown type ${unknown}.`);
  }

  private found(bytes: Uint8Array, ordinal: number): FoundLine {
    const parts = splitLine(bytes);
    if (typeof parts !== 'string') return { bytes, parts };
    throw new HubError('store_failed', `The hub's log is damaged: line ${ordinal + 1}: ${parts}.`);
  }

  private async readOne(ordinal: number): Promise<FoundLine> {
    const block = this.lines.blockOf(ordinal);
    const bytes = await this.log.read(block.offset, block.endOffset);
    if (!this.isGood(block, bytes)) throw this.damageError(block);
    const at = this.lines.offsetOf(ordinal) - block.offset;
    return this.found(bytes.subarray(at, at + this.lines.lengthOf(ordinal) - 1), ordinal);
  }

  /** Digest of the line with that sequence; undefined when there is none. */
  async digestAt(sequence: number): Promise<string | undefined> {
    const ordinal = this.linesUpTo(sequence) - 1;
    if (ordinal < 0) return undefined;
    const { bytes, parts } = await this.readOne(ordinal);
    return parts.sequence === sequence ? digestText(bytes, parts) : undefined;
  }

  /** What the log has under these ids. @returns undefined when it certainly has none of them */
  known(ids: readonly string[]): Promise<ReadonlyMap<string, KnownEntry | HubError>> | undefined {
    let asked: (readonly [string, readonly number[]])[] | undefined;
    for (const id of ids) {
      const ordinals = this.ids.candidates(id);
      if (ordinals !== undefined) (asked ??= []).push([id, ordinals]);
    }
    return asked === undefined ? undefined : this.look(asked);
  }

  private async look(
    asked: readonly (readonly [string, readonly number[]])[],
  ): Promise<ReadonlyMap<string, KnownEntry | HubError>> {
    const found = new Map<string, KnownEntry | HubError>();
    for (const [id, ordinals] of asked) {
      const entry = await this.lookAt(id, ordinals);
      if (entry !== undefined) found.set(id, entry);
    }
    return found;
  }

  private async lookAt(id: string, ordinals: readonly number[]): Promise<KnownEntry | HubError | undefined> {
    for (const ordinal of ordinals) {
      try {
        const line = await this.readOne(ordinal);
        if (idText(line.bytes, line.parts) === id) return knownEntry(line);
      } catch (error) {
        if (error instanceof HubError) return error;
        throw error;
      }
    }
    return undefined;
  }
}
