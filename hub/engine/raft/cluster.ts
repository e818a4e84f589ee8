/**
 * What a cluster knows of itself beside the log: who its members are and where, and how far the log was applied. Kept in
 * meta.json beside the watermark, so that both move in one step; travels in snapshots.
 */
import * as z from 'zod';
import { cursorSchema, type Cursor } from '../../../core/cursor';
import { HubError } from '../../../core/errors';
import { configurationSchema } from '../../peers/raft-message';
import type { Member } from '../../peers/peers';
import type { Configuration, ConfigurationChange } from '../../raft/configuration';
import { allMembers } from '../../raft/configuration';
import type { LogPosition } from '../../raft/entry';
import type { ClientTable } from '../../state/client-table';
import { clientRecordSchema, jsonOf } from './command-batch';

export interface ClusterState extends LogPosition {
  readonly configuration: Configuration;
  readonly members: readonly Member[];
  /** Numbers are never used twice: what a removed node promised must not bind its successor. */
  readonly nextId: number;
}

const memberSchema = z.object({ id: z.int().min(1), uid: z.string(), address: z.string() });
const stateSchema = z.object({
  term: z.int().min(0),
  index: z.int().min(0),
  configuration: configurationSchema,
  members: z.array(memberSchema),
  nextId: z.int().min(1),
});
/**
 * How far a snapshot was taken in: `begun` = lines that the Raft log has never held may lie behind the watermark;
 * `installed` = it is whole, and the Raft log may not know it yet.
 */
const snapshotProgress = z.enum(['begun', 'installed']);
export type SnapshotProgress = z.infer<typeof snapshotProgress>;

const markSchema = stateSchema.extend({
  snapshot: snapshotProgress.optional(),
  /** Version of the clients as of the watermark: an older `clients.json` would let in again who was revoked. */
  clients: z.int().min(0).optional(),
});
export type RaftMark = ClusterState & {
  readonly snapshot?: SnapshotProgress | undefined;
  readonly clients?: number | undefined;
};

/** @returns undefined for a node that joined and has not got its first snapshot yet. @throws HubError `bad_data` */
export function parseMark(value: unknown): RaftMark | undefined {
  if (value === undefined) return undefined;
  const parsed = markSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new HubError('bad_data', `meta.json: its member "raft" is damaged: ${z.prettifyError(parsed.error)}`);
}

/** What a snapshot carries instead of entries: they are read as ranges of the log. */
const snapshotSchema = z.object({
  members: z.array(memberSchema),
  nextId: z.int().min(1),
  head: cursorSchema,
  clients: z.object({
    version: z.int().min(0),
    records: z.array(clientRecordSchema),
    appliedIndex: z.int().min(0).optional(),
  }),
});
export interface SnapshotContent {
  readonly members: readonly Member[];
  readonly nextId: number;
  readonly head: Cursor;
  readonly clients: ClientTable;
}

export const encodeSnapshot = (content: SnapshotContent): Uint8Array => Buffer.from(JSON.stringify(content));

/** @throws HubError `bad_data` */
export function decodeSnapshot(data: Uint8Array): SnapshotContent {
  const parsed = snapshotSchema.safeParse(jsonOf(data, 'A snapshot'));
  if (parsed.success) return parsed.data;
  throw new HubError('bad_data', `A snapshot is not understood: ${z.prettifyError(parsed.error)}`);
}

/** A configuration change carries the member that it is about. */
export const encodeMember = (member: Member): Uint8Array => Buffer.from(JSON.stringify(member));

/** @throws HubError `bad_data` */
export function memberIn({ context }: ConfigurationChange): Member | undefined {
  if (context === undefined) return undefined;
  const parsed = memberSchema.safeParse(jsonOf(context, 'The member of a configuration change'));
  if (parsed.success) return parsed.data;
  throw new HubError('bad_data', 'A configuration change names no member.');
}

export function changedMembers(
  state: ClusterState,
  change: ConfigurationChange,
  configuration: Configuration,
): ClusterState {
  const about = memberIn(change);
  const known = about === undefined ? state.members : [...state.members.filter(({ id }) => id !== about.id), about];
  const ids = allMembers(configuration);
  return {
    ...state,
    configuration,
    members: known.filter(({ id }) => ids.includes(id)).sort((a, b) => a.id - b.id),
    nextId: Math.max(state.nextId, ...known.map(({ id }) => id + 1)),
  };
}
