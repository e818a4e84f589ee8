/** One node of a cluster in the answer of `peer list` and `status`: what it says of itself, or why it says nothing. */
import * as z from 'zod';

export const peerRowSchema = z.object({
  node: z.int(),
  address: z.string(),
  voter: z.boolean(),
  reachable: z.boolean(),
  role: z.enum(['leader', 'follower', 'learner']).optional(),
  term: z.int().optional(),
  sequence: z.int().optional(),
  /** Entries behind the furthest node. */
  lag: z.int().optional(),
  /** How long its last durable write took: its disk. */
  sync_ms: z.number().optional(),
  /** How long its answer took: the network. */
  round_trip_ms: z.number().optional(),
  free_bytes: z.number().optional(),
  version: z.string().optional(),
  /** Why it does not answer or cannot write. */
  why: z.string().optional(),
});

export type PeerRow = z.infer<typeof peerRowSchema>;
export const peersAnswerSchema = z.object({ cluster: z.string(), peers: z.array(peerRowSchema) });
