/** Limits of the peer path, in one place. */

/** One Raft append, or one range of the log; a single entry of 1 MiB may be twice as long in JSON. */
export const MAX_PEER_FRAME_BYTES = 64 * 1024 * 1024;
/** Before a peer has proved itself: what it says until then is far shorter. */
export const MAX_PROOF_BYTES = 16 * 1024;
export const PEER_HANDSHAKE_MS = 5_000;
/** The dialling side pings this often; */
export const PEER_PING_MS = 1_000;
/** either side gives a connection up that was silent this long: after a partition a new one is faster than the old one. */
export const PEER_SILENCE_MS = 3_000;
export const PEER_RECONNECT_MIN_MS = 50;
export const PEER_RECONNECT_MAX_MS = 500;
/** Unsent bytes of a connection above which Raft messages are dropped: the core sends them again. */
export const MAX_PEER_UNSENT_BYTES = 32 * 1024 * 1024;
