/**
 * How two peers show each other that they know the cluster's secret without sending it: each proves it over both sides'
 * nonces, who they say they are, and the TLS certificate they see, so that nobody between them can pass a proof on.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';

export const PEER_SUBPROTOCOL = 'ctx-peer.v1';
export const PEER_PATHS = { control: '/peer/control', bulk: '/peer/bulk' } as const;
export type PeerChannel = keyof typeof PEER_PATHS;

/** Who speaks. Before a cluster is formed it has no id and its nodes no number. */
export interface PeerIdentity {
  readonly cluster: string;
  readonly node: number;
  /** Of the data directory, made once: tells a wiped node from the one it was. */
  readonly uid: string;
  readonly address: string;
}

const identitySchema = z.object({ cluster: z.string(), node: z.int().min(0), uid: z.string(), address: z.string() });
const nonce = z.string().regex(/^[0-9a-f]{64}$/);
const mac = z.string().regex(/^[0-9a-f]{64}$/);

/** Newest version of commands that a node understands; the first releases did not say it. */
const speaks = z.int().min(0).default(1);

/** The accepting side begins. */
export const challengeSchema = z.object({ nonce });
export const dialSchema = z.object({ nonce, mac, identity: identitySchema, speaks });
/** `refused` in words for the operator, only after the dialling side has proved itself. */
export const acceptSchema = z.object({
  mac: mac.optional(),
  identity: identitySchema.optional(),
  speaks,
  refused: z.string().max(300).optional(),
});

export const newNonce = (): string => randomBytes(32).toString('hex');

export interface ProofOf {
  readonly side: 'dial' | 'accept';
  readonly channel: PeerChannel;
  readonly dialNonce: string;
  readonly acceptNonce: string;
  readonly identity: PeerIdentity;
  /** SHA-256 fingerprint of the accepting side's certificate; empty without TLS. */
  readonly certificate: string;
}

export function proofOf(
  secret: string,
  { side, channel, dialNonce, acceptNonce, identity, certificate }: ProofOf,
): string {
  const { cluster, node, uid, address } = identity;
  const text = JSON.stringify([
    PEER_SUBPROTOCOL,
    side,
    channel,
    dialNonce,
    acceptNonce,
    cluster,
    node,
    uid,
    address,
    certificate,
  ]);
  return createHmac('sha256', secret).update(text).digest('hex');
}

export function isProof(presented: string, secret: string, of: ProofOf): boolean {
  return timingSafeEqual(Buffer.from(presented, 'hex'), Buffer.from(proofOf(secret, of), 'hex'));
}
