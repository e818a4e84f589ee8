/** What a node tells its peers about itself: before it belongs to a cluster, and as a member. */
import * as z from 'zod';
import { HubError } from '../../../core/errors';

const member = z.object({ id: z.int().min(1), uid: z.string(), address: z.string() });

const forming = z.object({
  state: z.literal('forming'),
  uid: z.string(),
  address: z.string(),
  peers: z.array(z.string()),
});

const joined = z.object({
  state: z.literal('member'),
  cluster: z.string(),
  /** Id of the hub, which its log begins with; the cluster's own name changes with a recovery. */
  hub: z.string(),
  node: z.int().min(1),
  uid: z.string(),
  address: z.string(),
  version: z.string(),
  members: z.array(member),
  voters: z.array(z.int()),
  role: z.enum(['leader', 'follower']),
  leader: z.int(),
  term: z.int(),
  commit: z.int(),
  applied: z.int(),
  sequence: z.int(),
  free_bytes: z.number(),
  sync_ms: z.number(),
  write_fault: z.string().optional(),
  /** The leader's view: how far each member's Raft log is known to reach. */
  matches: z.array(z.object({ id: z.int(), match: z.int(), active: z.boolean() })),
});

const schema = z.discriminatedUnion('state', [forming, joined]);
export type NodeInfo = z.infer<typeof schema>;
export type MemberInfo = z.infer<typeof joined>;

/** @throws HubError `invalid` */
export function parseNodeInfo(value: unknown): NodeInfo {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new HubError('invalid', 'A peer of another version answers there.');
}
