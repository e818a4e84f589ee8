/** Entries of the log by sequence and by id, read from disk when asked for; only offsets and fingerprints are in memory. */
import { HubError } from '../../core/errors';
import type { KnownEntry } from '../state/hub-state';
import { readLine, type LineFacts } from './check-line';
import type { IdTable } from './id-table';
import type { LineTable } from './line-table';
import type { LogFile } from './log-file';
import type { LogLine } from './log-reader';
import type { Gap } from './meta';

type Facts = Exclude<ReturnType<typeof readLine>, string>;

function isLineType(type: string): type is LogLine['type'] {
  return ['decision', 'learning', 'convention', 'task', 'redaction'].includes(type);
}

function knownEntry(line: Uint8Array, facts: Facts): KnownEntry {
  const stored = JSON.parse(Buffer.from(line).toString('utf8')) as Record<string, unknown>;
  const { content, origin, supersedes } = stored;
  return {
    sequence: facts.sequence,
    origin: String(origin),
    type: facts.type,
    supersedes: typeof supersedes === 'string' ? supersedes : undefined,
    content: typeof content === 'string' ? content : { sha256: facts.parts.contentHash ?? '' },
  };
}

export class LogRanges {
  constructor(
    private readonly log: LogFile,
    private readonly lines: LineTable,
    private readonly ids: IdTable,
    private readonly gaps: readonly Gap[],
  ) {}

  /** Takes in the line that was just appended. @param length with its line feed */
  add(id: string, length: number): void {
    this.ids.add(id, this.lines.count);
    this.lines.add(length);
  }

  /** How many lines have a sequence up to this one. */
  private linesUpTo(sequence: number): number {
    let lines = sequence;
    for (const gap of this.gaps) {
      if (gap.first <= sequence) lines -= Math.min(gap.last, sequence) - gap.first + 1;
    }
    return lines;
  }

  async readAfter(sequence: number, maxBytes: number): Promise<readonly LogLine[]> {
    const first = Math.min(this.linesUpTo(sequence), this.lines.count);
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
    const start = this.lines.start(first);
    const bytes = await this.log.read(start, this.lines.start(end));
    const found: LogLine[] = [];
    let at = 0;
    for (let ordinal = first; ordinal < end; ordinal++) {
      const length = this.lines.lengthOf(ordinal);
      found.push(this.asLogLine(bytes.subarray(at, at + length - 1), ordinal));
      at += length;
    }
    return found;
  }

  private asLogLine(bytes: Uint8Array, ordinal: number): LogLine {
    const { sequence, type, digest } = this.factsOf(bytes, ordinal);
    if (!isLineType(type)) throw this.damaged(ordinal, `its type ${type} is not known`);
    return { sequence, type, digest, bytes };
  }

  private factsOf(bytes: Uint8Array, ordinal: number): Facts {
    const facts = readLine(bytes);
    if (typeof facts === 'string') throw this.damaged(ordinal, facts);
    return facts;
  }

  private damaged(ordinal: number, reason: string): HubError {
    const offset = this.lines.start(ordinal);
    return new HubError('store_failed', `The hub's log is damaged: line ${ordinal + 1} at byte ${offset}: ${reason}.`);
  }

  private readOne(ordinal: number): Promise<Uint8Array> {
    const start = this.lines.start(ordinal);
    return this.log.read(start, start + this.lines.lengthOf(ordinal) - 1);
  }

  /** Digest of the line with that sequence; undefined when there is none. */
  async digestAt(sequence: number): Promise<string | undefined> {
    const ordinal = this.linesUpTo(sequence) - 1;
    if (ordinal < 0 || ordinal >= this.lines.count) return undefined;
    const facts: LineFacts = this.factsOf(await this.readOne(ordinal), ordinal);
    return facts.sequence === sequence ? facts.digest : undefined;
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
        const facts = this.factsOf(line, ordinal);
        if (facts.id === id) return knownEntry(line, facts);
      } catch (error) {
        if (error instanceof HubError) return error;
        throw error;
      }
    }
    return undefined;
  }
}
