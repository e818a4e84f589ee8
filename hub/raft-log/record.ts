/**
 * Records of a log segment: `ctxr`, length, CRC-32 of the body, body. The body begins with how far the segment was known to
 * be durable when the record was written, and its type. That tells a torn end from damage: what a later record calls durable
 * can only be missing because the disk lost it.
 */
import { crc32 } from 'node:zlib';

export type RecordType = 'header' | 'hard-state' | 'entry' | 'base' | 'restore';

export interface LogRecord {
  readonly type: RecordType;
  readonly payload: Uint8Array;
}

export interface ReadRecord extends LogRecord {
  readonly durable: number;
  /** First byte after it. */
  readonly end: number;
}

const MAGIC = Buffer.from('ctxr');
const TYPES: readonly RecordType[] = ['header', 'hard-state', 'entry', 'base', 'restore'];
/** magic, length, CRC */
const FRAME_BYTES = 12;
/** durable offset (6 bytes), type (1 byte) */
const BODY_HEAD_BYTES = 7;

/** @param durable bytes of the segment that are known to be durable */
export function encodeRecord(durable: number, { type, payload }: LogRecord): Uint8Array {
  const bytes = Buffer.allocUnsafe(FRAME_BYTES + BODY_HEAD_BYTES + payload.length);
  bytes.set(MAGIC, 0);
  bytes.writeUInt32BE(BODY_HEAD_BYTES + payload.length, 4);
  bytes.writeUIntBE(durable, FRAME_BYTES, 6);
  bytes[FRAME_BYTES + 6] = TYPES.indexOf(type);
  bytes.set(payload, FRAME_BYTES + BODY_HEAD_BYTES);
  bytes.writeUInt32BE(crc32(bytes.subarray(FRAME_BYTES)), 8);
  return bytes;
}

/** The record at an offset; undefined when there is no whole one. */
export function readRecord(bytes: Buffer, at: number): ReadRecord | undefined {
  const bodyStart = at + FRAME_BYTES;
  if (bodyStart + BODY_HEAD_BYTES > bytes.length || MAGIC.compare(bytes, at, at + MAGIC.length) !== 0) return undefined;
  const length = bytes.readUInt32BE(at + 4);
  const end = bodyStart + length;
  if (length < BODY_HEAD_BYTES || end > bytes.length) return undefined;
  if (crc32(bytes.subarray(bodyStart, end)) !== bytes.readUInt32BE(at + 8)) return undefined;
  const type = TYPES[bytes[bodyStart + 6] ?? TYPES.length];
  if (type === undefined) return undefined;
  const payload = bytes.subarray(bodyStart + BODY_HEAD_BYTES, end);
  return { type, payload, durable: bytes.readUIntBE(bodyStart, 6), end };
}

/** The next whole record at or after an offset, wherever it begins. */
export function findRecord(bytes: Buffer, from: number): ReadRecord | undefined {
  for (let at = bytes.indexOf(MAGIC, from); at !== -1; at = bytes.indexOf(MAGIC, at + 1)) {
    const record = readRecord(bytes, at);
    if (record !== undefined) return record;
  }
  return undefined;
}
