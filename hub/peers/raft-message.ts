/** Raft messages as frames between peers. Whatever comes in is checked here, and nowhere else. */
import * as z from 'zod';
import { HubError } from '../../core/errors';
import type { Configuration } from '../raft/configuration';
import type { Message } from '../raft/message';
import { decodeEntry, encodeEntry } from '../raft-log/entry-codec';
import { encodeFrame, type Frame } from './frame';

const count = z.int().min(0);
const position = z.object({ term: count, index: count });
export const configurationSchema: z.ZodType<Configuration> = z.object({
  voters: z.array(count),
  outgoing: z.array(count),
  learners: z.array(count),
  learnersNext: z.array(count),
  autoLeave: z.boolean(),
});

const envelope = { from: z.int().min(1), to: z.int().min(1), term: count };
const read = z.string().max(128);

const messageSchema = z.discriminatedUnion('kind', [
  z.object({ ...envelope, kind: z.literal('append'), previous: position, commit: count }),
  z.object({ ...envelope, kind: z.literal('append-accepted'), index: count }),
  z.object({ ...envelope, kind: z.literal('append-rejected'), index: count, hint: position }),
  z.object({ ...envelope, kind: z.literal('heartbeat'), commit: count, read: read.optional() }),
  z.object({ ...envelope, kind: z.literal('heartbeat-response'), read: read.optional() }),
  z.object({
    ...envelope,
    kind: z.literal('snapshot'),
    snapshot: position.extend({ configuration: configurationSchema }),
  }),
  z.object({
    ...envelope,
    kind: z.literal('request-vote'),
    preVote: z.boolean(),
    last: position,
    transfer: z.boolean(),
  }),
  z.object({ ...envelope, kind: z.literal('vote'), preVote: z.boolean(), granted: z.boolean() }),
  z.object({ ...envelope, kind: z.literal('timeout-now') }),
  z.object({ ...envelope, kind: z.literal('forward-transfer'), target: z.int().min(1) }),
  z.object({ ...envelope, kind: z.literal('forward-read'), read }),
  z.object({ ...envelope, kind: z.literal('read-answer'), read, index: count }),
]);

export function encodeMessage(message: Message): Buffer {
  switch (message.kind) {
    case 'append': {
      const { entries, ...rest } = message;
      return encodeFrame({ raft: rest }, entries.map(encodeEntry));
    }
    case 'snapshot': {
      const { data, ...snapshot } = message.snapshot;
      return encodeFrame({ raft: { ...message, snapshot } }, [data]);
    }
    case 'forward-proposals':
      throw new Error('proposals are forwarded as commands, not as Raft messages');
    default:
      return encodeFrame({ raft: message });
  }
}

/** @throws HubError `invalid` for anything that is no Raft message of this version */
export function decodeMessage(raft: unknown, parts: Frame['parts']): Message {
  const parsed = messageSchema.safeParse(raft);
  if (!parsed.success) throw new HubError('invalid', 'A peer sent a Raft message that is not understood.');
  const message = parsed.data;
  if (message.kind === 'append') {
    const entries = parts.map(decodeEntry);
    const isRun = entries.every(
      ({ index, term }, at) => index === message.previous.index + 1 + at && term <= message.term,
    );
    if (!isRun) throw new HubError('invalid', 'A peer sent Raft entries that do not follow each other.');
    return { ...message, entries };
  }
  if (message.kind === 'snapshot') {
    return { ...message, snapshot: { ...message.snapshot, data: parts[0] ?? new Uint8Array(0) } };
  }
  return message;
}

/**
 * Votes, heartbeats and answers must not wait behind entries. An empty append must: it speaks of entries sent before it, and
 * would be refused if it overtook them.
 */
export const isBulk = (message: Message): boolean => message.kind === 'snapshot' || message.kind === 'append';
