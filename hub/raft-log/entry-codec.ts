/** Raft entries as bytes: the same on disk and between peers. Knows nothing of what the entries' data mean. */
import * as z from 'zod';
import { HubError } from '../../core/errors';
import type { ConfigurationChange } from '../raft/configuration';
import type { Entry } from '../raft/entry';

/** term (6 bytes), index (6 bytes), kind (1 byte), then the data */
const HEAD_BYTES = 13;
const KINDS = ['no-op', 'data', 'configuration'] as const;

const changeSchema = z.object({
  transition: z.enum(['auto', 'implicit', 'explicit']),
  changes: z.array(z.object({ kind: z.enum(['add-voter', 'add-learner', 'remove', 'update']), node: z.int().min(0) })),
  context: z.string().optional(),
});

function encodeChange({ transition, changes, context }: ConfigurationChange): Uint8Array {
  const text = context === undefined ? undefined : Buffer.from(context).toString('base64');
  return Buffer.from(JSON.stringify({ transition, changes, context: text }));
}

function decodeChange(data: Uint8Array): ConfigurationChange {
  const { transition, changes, context } = changeSchema.parse(JSON.parse(Buffer.from(data).toString('utf8')));
  if (context === undefined) return { transition, changes };
  return { transition, changes, context: Buffer.from(context, 'base64') };
}

function dataOf(entry: Entry): Uint8Array {
  switch (entry.kind) {
    case 'no-op':
      return new Uint8Array(0);
    case 'data':
      return entry.data;
    case 'configuration':
      return encodeChange(entry.change);
  }
}

export function encodeEntry(entry: Entry): Uint8Array {
  const data = dataOf(entry);
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + data.length);
  bytes.writeUIntBE(entry.term, 0, 6);
  bytes.writeUIntBE(entry.index, 6, 6);
  bytes[12] = KINDS.indexOf(entry.kind);
  bytes.set(data, HEAD_BYTES);
  return bytes;
}

/** @throws HubError `bad_data` for bytes that no version of ours wrote */
export function decodeEntry(bytes: Uint8Array): Entry {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = KINDS[buffer[12] ?? KINDS.length];
  if (buffer.length < HEAD_BYTES || kind === undefined) throw new HubError('bad_data', 'This is no Raft entry.');
  const position = { term: buffer.readUIntBE(0, 6), index: buffer.readUIntBE(6, 6) };
  const data = buffer.subarray(HEAD_BYTES);
  switch (kind) {
    case 'no-op':
      return { ...position, kind };
    case 'data':
      return { ...position, kind, data };
    case 'configuration':
      try {
        return { ...position, kind, change: decodeChange(data) };
      } catch (error) {
        throw new HubError('bad_data', `Raft entry ${position.index} holds no configuration change.`, { cause: error });
      }
  }
}
