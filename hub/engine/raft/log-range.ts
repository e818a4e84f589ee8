/** Lines of the log as another node sent them: each is checked like at a start, and must chain to what this node has. */
import type { Cursor } from '../../../core/cursor';
import { checkPublishedEntry, isEntryType } from '../../../core/entry';
import { HubError } from '../../../core/errors';
import { asciiAt, idText, lineDigest, splitLine } from '../../../core/line';
import type { PlannedLine } from '../../state/hub-state';
import { sha256 } from '../../store/sha256';

function wrong(sequence: number, why: string): never {
  throw new HubError('bad_data', `A peer sent a range of the log that is wrong at sequence ${sequence}: ${why}.`);
}

function checkEntry(sequence: number, text: string): void {
  try {
    checkPublishedEntry(JSON.parse(text) as Parameters<typeof checkPublishedEntry>[0]);
  } catch (error) {
    wrong(sequence, error instanceof Error ? error.message : String(error));
  }
}

/** @throws HubError `bad_data`: nothing of the range may be taken */
export function checkedLines(range: readonly Uint8Array[], after: Cursor): readonly PlannedLine[] {
  let previous = after;
  return range.map((bytes) => {
    const sequence = previous.sequence + 1;
    const parts = splitLine(bytes);
    if (typeof parts === 'string') return wrong(sequence, parts);
    // Sequences that a repair gave up stay given up.
    if (parts.sequence < sequence) return wrong(sequence, `it is numbered ${parts.sequence}`);
    const content = sha256(bytes.subarray(parts.valueStart, parts.valueEnd));
    const head = bytes.subarray(parts.start, parts.headEnd);
    const tail = bytes.subarray(parts.tailStart, parts.tailEnd);
    const digest = lineDigest(sha256, previous.digest, parts.batchFirst, head, tail, content);
    if (digest !== asciiAt(bytes, parts.digestStart, parts.digestEnd))
      return wrong(sequence, 'its digest does not fit');
    const text = Buffer.from(bytes).toString('utf8');
    const type = asciiAt(bytes, parts.typeStart, parts.typeEnd);
    if (!isEntryType(type)) return wrong(sequence, `its type is ${type}`);
    if (!parts.redacted) checkEntry(sequence, text);
    const id = idText(bytes, parts);
    previous = { sequence: parts.sequence, digest };
    return { id, sequence: parts.sequence, type, digest, text };
  });
}
