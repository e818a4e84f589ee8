/** Times and limits of the Raft engine, in one place. */

/** Members of a cluster, those that catch up too: more would cost every write and save nothing. */
export const MAX_NODES = 7;

/** Heartbeat 100 ms, election 1–2 s (random). */
export const TICK_MS = 50;
export const HEARTBEAT_TICKS = 2;
export const ELECTION_TICKS = 20;
/** A leader whose connection closed is gone: a follower stands after this long, at random. */
export const CLOSED_LEADER_MIN_MS = 50;
export const CLOSED_LEADER_MAX_MS = 150;
/** Then twice as long, and so on, so often in all; then the usual election time counts. */
export const CLOSED_LEADER_TRIES = 4;
/** A tick that comes this late means that the process stood still: others may have elected a leader meanwhile. */
export const STALL_MS = 500;
/** A full disk is tried again this often. */
export const FULL_DISK_RETRY_MS = 200;
/** Whoever fetches a snapshot's ranges tells nobody: after this long the leader probes again. */
export const SNAPSHOT_REPORT_MS = 1_000;
export const FETCH_RETRY_MS = 200;
export const RANGE_BYTES = 4 * 1024 * 1024;

/** A command that could not be committed in this time fails with `no_leader` (P9: within 3 s). */
export const PROPOSE_DEADLINE_MS = 2_800;
export const FORWARD_RETRY_MS = 50;
export const MAX_BATCH_BYTES = 1024 * 1024;
/** Batches proposed and not applied yet; what comes meanwhile shares the next one. */
export const MAX_BATCHES_UNDER_WAY = 16;
export const MAX_UNCOMMITTED_BYTES = 32 * 1024 * 1024;

/** The watermark follows this long after the last batch, */
export const MARK_IDLE_MS = 1_000;
/** and at the latest this long after the first batch that it does not cover. */
export const MARK_MAX_AGE_MS = 30_000;
/** The Raft log keeps this many entries below the watermark for followers that lag a little. */
export const DEFAULT_KEEP_ENTRIES = 1_000;
/** Compaction begins when the log holds this many more, or this many bytes. */
export const COMPACT_BYTES = 32 * 1024 * 1024;

/** What was discarded is judged this long after: by then its publisher has tried again or given up. */
export const DISCARD_SETTLE_MS = 5_000;

/** A cursor ahead of this node waits this long for the node to catch up. */
export const CURSOR_WAIT_MS = 4_000;
export const TRANSFER_MS = 3_000;
export const ADMIN_MS = 10_000;
/** An operator's wish waits for an election, not for nodes that do not come back: nobody led for this long. */
export const NO_LEADER_MS = 4_000;
