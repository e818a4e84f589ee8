/**
 * What a Raft entry of this hub holds: one batch of commands and the leader's time stamp, as JSON with a version. All that a
 * replica needs to apply it is in it. Also the form in which commands and their results travel between nodes.
 */
import * as z from 'zod';
import { limitsSchema } from '../../../core/access';
import { ENTRY_TYPES, isTimestamp } from '../../../core/entry';
import { metaSchema, stampSchema } from '../../../core/entry-schema';
import { HubError, toWireCode } from '../../../core/errors';
import { fromWireError, toWireError, type WireError } from '../../../core/wire';
import { shapeFault } from '../../../core/shape-fault';
import type { ClientRecord, Command, CommandResult, EntryResult } from '../../state/commands';
import { recordSchema } from '../../store/clients-file';

/** Since which version of this format a kind of command is in it: a newer one is proposed only when all nodes know it. */
const KIND_SINCE: Readonly<Record<Command['kind'], number>> = { publish: 1, register: 1, revoke: 1, grant: 2 };
/** A node that does not know of access would let the client read everything. */
const ACCESS_SINCE = 2;
export const BATCH_VERSION = Math.max(...Object.values(KIND_SINCE));

export function commandSince(command: Command): number {
  const needsAccess = command.kind === 'register' && command.record.access !== undefined;
  return needsAccess ? ACCESS_SINCE : KIND_SINCE[command.kind];
}

export interface CommandBatch {
  /** RFC 3339: stamp of every line of the batch. */
  readonly receivedAt: string;
  readonly commands: readonly Command[];
}

const time = z.string().refine(isTimestamp, 'is no time');

/** The rest of an entry's rules are checked where it is applied, as those of one that was never replicated. */
const stamped = z.object({
  id: z.string(),
  type: z.enum(ENTRY_TYPES),
  content: z.string(),
  timestamp: z.string(),
  origin: stampSchema,
  client: stampSchema,
  meta: metaSchema.optional(),
  supersedes: z.string().optional(),
});
export const clientRecordSchema = recordSchema as unknown as z.ZodType<ClientRecord>;
const accessChange = z.union([
  z.strictObject({ approve: z.literal(true) }),
  z.strictObject({ limits: z.strictObject(limitsSchema.shape) }),
]);
const command = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('publish'), entries: z.array(stamped) }),
  z.object({ kind: z.literal('register'), record: recordSchema }),
  z.object({ kind: z.literal('revoke'), clientId: z.string(), at: time }),
  z.object({ kind: z.literal('grant'), clientId: z.string(), access: accessChange }),
]);
const commandsSchema = z.array(command);
const batchSchema = z.object({ v: z.int().min(1).max(BATCH_VERSION), at: time, commands: commandsSchema });

export function encodeBatch({ receivedAt, commands }: CommandBatch): Uint8Array {
  // No newer than it must be: a node that is updated last understands it too.
  const v = Math.max(...commands.map(commandSince));
  return Buffer.from(JSON.stringify({ v, at: receivedAt, commands }));
}

/** @throws HubError `bad_data` */
export function jsonOf(data: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(Buffer.from(data).toString('utf8'));
  } catch (error) {
    throw new HubError('bad_data', `${what} is no JSON.`, { cause: error });
  }
}

/** @throws HubError `unsupported_version` when a newer node wrote it, `bad_data` when it is no batch */
export function decodeBatch(data: Uint8Array): CommandBatch {
  const value = jsonOf(data, 'A Raft entry');
  const version = z.object({ v: z.number() }).safeParse(value);
  if (version.success && version.data.v > BATCH_VERSION) {
    throw new HubError('unsupported_version', 'The cluster uses commands of a newer ctx. Update this node.');
  }
  const parsed = batchSchema.safeParse(value);
  if (!parsed.success) throw new HubError('bad_data', `A Raft entry holds no commands: ${shapeFault(parsed.error)}.`);
  return { receivedAt: parsed.data.at, commands: parsed.data.commands as readonly Command[] };
}

/** @throws HubError `invalid` */
export function parseCommands(value: unknown): readonly Command[] {
  const parsed = commandsSchema.safeParse(value);
  if (parsed.success) return parsed.data as readonly Command[];
  throw new HubError('invalid', 'A peer sent commands that are not understood.');
}

/** What one forwarded command came to. */
export type ForwardedResult = CommandResult | HubError;

const wire = (error: HubError): WireError => toWireError(error, toWireCode(error.code));

export function encodeResult(result: ForwardedResult): unknown {
  if (result instanceof HubError) return { kind: 'failed', error: wire(result) };
  if (result.kind === 'refused') return { kind: 'refused', error: wire(result.error) };
  if (result.kind !== 'published') return result;
  const entries = result.entries.map((each) => (each.kind === 'refused' ? { ...each, error: wire(each.error) } : each));
  return { kind: 'published', entries };
}

const wireErrorSchema = z.looseObject({ code: z.string(), message: z.string() }) as unknown as z.ZodType<WireError>;
const entryResult = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('stored'), id: z.string(), sequence: z.int() }),
  z.object({ kind: z.literal('duplicate'), id: z.string(), sequence: z.int() }),
  z.object({ kind: z.literal('refused'), id: z.string(), error: wireErrorSchema }),
]);
const resultSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('published'), entries: z.array(entryResult) }),
  z.object({ kind: z.literal('registered'), record: recordSchema }),
  z.object({ kind: z.literal('revoked'), clientId: z.string() }),
  z.object({ kind: z.literal('granted'), record: recordSchema }),
  z.object({ kind: z.literal('refused'), error: wireErrorSchema }),
  z.object({ kind: z.literal('failed'), error: wireErrorSchema }),
]);

/** @throws HubError `invalid` */
export function decodeResult(value: unknown): ForwardedResult {
  const parsed = resultSchema.safeParse(value);
  if (!parsed.success) {
    throw new HubError('invalid', 'A peer sent an answer that is not understood.', { outcome: 'unknown' });
  }
  const result = parsed.data;
  switch (result.kind) {
    case 'failed':
      return fromWireError(result.error);
    case 'refused':
      return { kind: 'refused', error: fromWireError(result.error) };
    case 'published': {
      const entries = result.entries.map((each): EntryResult =>
        each.kind === 'refused' ? { ...each, error: fromWireError(each.error) } : each,
      );
      return { kind: 'published', entries };
    }
    case 'registered':
    case 'granted':
      return { kind: result.kind, record: result.record as ClientRecord };
    case 'revoked':
      return result;
  }
}
