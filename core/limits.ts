/** Every limit that both ends of the wire must agree on, in one place (PROTOCOL.md, section "Limits"). */

export const MAX_CONTENT_BYTES = 1024 * 1024;
/** 1 MiB of content can grow six-fold when JSON escapes it; the rest of an entry is below 64 KiB. */
export const MAX_FRAME_BYTES = 8 * 1024 * 1024;
export const MAX_BATCH_ENTRIES = 64;
export const MAX_ID_LENGTH = 128;
export const MAX_META_VALUE_BYTES = 256;
export const MAX_PROJECT_LENGTH = 64;
export const MAX_CLIENT_LENGTH = 128;
export const DEFAULT_PORT = 9900;
export const HEARTBEAT_INTERVAL_MS = 15_000;
/** A peer that was silent for this long is gone (FM-11). */
export const HEARTBEAT_TIMEOUT_MS = 30_000;
/** What an outbox may hold: a hub that is away for months must not fill the disk. */
export const MAX_OUTBOX_ENTRIES = 100_000;
export const MAX_OUTBOX_BYTES = 256 * 1024 * 1024;
/** How long a command waits for the hub before it gives up (FM-17). */
export const REQUEST_TIMEOUT_MS = 5_000;
