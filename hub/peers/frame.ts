/** A frame between peers: a JSON head and binary parts, each with its length before it. Knows nothing of what they mean. */
import { HubError } from '../../core/errors';

export interface Frame {
  readonly head: unknown;
  readonly parts: readonly Uint8Array[];
}

const LENGTH_BYTES = 4;

export function encodeFrame(head: object, parts: readonly Uint8Array[] = []): Buffer {
  const pieces = [Buffer.from(JSON.stringify(head)), ...parts];
  const bytes = Buffer.allocUnsafe(pieces.reduce((sum, piece) => sum + LENGTH_BYTES + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    at = bytes.writeUInt32BE(piece.length, at);
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

const broken = (): HubError => new HubError('invalid', 'A peer sent a frame that is not understood.');

/** @throws HubError `invalid` */
export function decodeFrame(bytes: Buffer): Frame {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    if (at + LENGTH_BYTES > bytes.length) throw broken();
    const start = at + LENGTH_BYTES;
    const end = start + bytes.readUInt32BE(at);
    if (end > bytes.length) throw broken();
    pieces.push(bytes.subarray(start, end));
    at = end;
  }
  const [head, ...parts] = pieces;
  if (head === undefined) throw broken();
  try {
    return { head: JSON.parse(head.toString('utf8')) as unknown, parts };
  } catch {
    throw broken();
  }
}
